"""Apprise through its own JSON service, to a real receiver."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from monitor.delivery.transports import HttpOptions, Transport, build
from monitor.errors import DeliveryError
from monitor.model_delivery import Channel, DeliveryClaim, Operation, OutcomeKind, Rendered

NEWS = Rendered("🔴 مسيّرات شاهد\nهجوم على أوديسا\nhttps://example.com/1", "<b>x</b>")


class Receiver:
    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.status = 200
        self.pause = 0.0
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append(await request.json())
        await asyncio.sleep(self.pause)
        return web.Response(status=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/in", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.port = runner.addresses[0][1]
    yield receiver
    await runner.cleanup()


def channel(port: int) -> Transport:
    env = {"MAIL_URL": f"json://user:hidden-word@127.0.0.1:{port}/in"}
    return build(Channel("mail", "apprise", options={"url_env": "MAIL_URL"}), env, http=HttpOptions(total=10))


def claim(operation: Operation = Operation.SEND, plain: bool = False) -> DeliveryClaim:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    return DeliveryClaim(3, 7, "mail", operation, "apprise:1", 1, plain, None, None, now)


async def test_the_first_line_becomes_the_title_and_the_rest_the_body(receiver: Receiver) -> None:
    outcome = await channel(receiver.port).deliver(claim(), NEWS)
    assert outcome.kind is OutcomeKind.SENT and outcome.external_id
    assert receiver.posts[0]["title"] == "🔴 مسيّرات شاهد"
    assert receiver.posts[0]["message"] == "هجوم على أوديسا\nhttps://example.com/1"


async def test_a_no_is_tried_again_and_never_tells_the_url(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    receiver.status = 500
    transport = channel(receiver.port)
    outcome = await transport.deliver(claim(), NEWS)
    assert outcome.kind is OutcomeKind.RETRY and "JSON did not take the message" in outcome.detail
    assert "hidden-word" not in outcome.detail + repr(transport) + caplog.text


async def test_one_that_hangs_is_unknown_and_keeps_neither_others_nor_the_end(receiver: Receiver) -> None:
    receiver.pause = 3.0
    env = {"MAIL_URL": f"json://127.0.0.1:{receiver.port}/in?rto=30"}
    http = HttpOptions(total=0.5)
    slow = [build(Channel(f"m{n}", "apprise", options={"url_env": "MAIL_URL"}), env, http=http) for n in range(40)]
    outcomes = await asyncio.gather(*(one.deliver(claim(), NEWS) for one in slow))
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.UNKNOWN}
    hanging = [thread for thread in threading.enumerate() if thread.name == "aside"]
    assert hanging and all(thread.daemon for thread in hanging)


async def test_edits_count_as_done_because_nothing_can_be_changed(receiver: Receiver) -> None:
    transport = channel(receiver.port)
    assert (await transport.deliver(claim(Operation.EDIT), NEWS)).kind is OutcomeKind.NOT_MODIFIED
    assert receiver.posts == []


async def test_a_diagnosis_sends_only_when_asked(receiver: Receiver) -> None:
    transport = channel(receiver.port)
    assert [check.ok for check in await transport.diagnose()] == [True] and receiver.posts == []
    assert [check.ok for check in await transport.diagnose(NEWS)] == [True, True] and len(receiver.posts) == 1
    receiver.status = 403
    assert not (await transport.diagnose(NEWS))[-1].ok
    await transport.close()


def test_a_url_that_apprise_does_not_know_is_refused_without_being_repeated(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DeliveryError) as caught:
        build(Channel("mail", "apprise"), {"RASID_APPRISE_URL": "nosuch://user:hidden-word@host"})
    assert "nosuch://" in str(caught.value) and "hidden-word" not in str(caught.value) + caplog.text
