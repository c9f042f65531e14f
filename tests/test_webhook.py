"""Webhooks against a real receiver that verifies what it gets, and the console beside them."""

import asyncio
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rich.console import Console

from monitor.delivery import webhook
from monitor.delivery.transports import HttpOptions, Transport, build
from monitor.delivery.webhook import retry_after
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Operation, OutcomeKind, Rendered
from tests.desk import desks

SECRET = "a-secret-both-sides-know"
NEWS = Rendered("خبر عاجل", None, data={"kind": "story", "severity": "high", "stories": [{"id": 7}]})


def claim(operation: Operation = Operation.SEND, **changes: Any) -> DeliveryClaim:
    values: dict[str, Any] = {
        **{"id": 3, "message_id": 7, "channel": "hook", "operation": operation, "attempt": 1, "plain": False},
        **{
            "chat_key": "webhook:1",
            "external_id": None,
            "chat_id": None,
            "created": datetime(2026, 11, 24, tzinfo=UTC),
        },
    }
    return DeliveryClaim(**(values | changes))


class Receiver:
    """Keeps what is posted to it, and answers with `answer`."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self.fine
        self.url = ""

    async def fine(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"id": "their-9"})

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.posts.append((dict(request.headers), await request.read()))
        return await self.answer(request)

    def answers(self, status: int, text: str = "", **headers: str) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(status=status, text=text, headers=given)

        self.answer = answer


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/in", receiver.take)
    app.router.add_route("*", "/elsewhere", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/in?key=hidden-in-the-query"
    yield receiver
    await runner.cleanup()


def hook(url: str, **options: object) -> Transport:
    channel = Channel("hook", "webhook", options={"secret_env": "HOOK_SECRET"} | options)
    http = HttpOptions(connect_timeout=2, read_timeout=1, total=2)
    return build(channel, {"RASID_WEBHOOK_URL": url, "HOOK_SECRET": SECRET}, http=http)


async def test_a_receiver_can_verify_what_it_gets(receiver: Receiver) -> None:
    transport = hook(receiver.url)
    outcome = await transport.deliver(claim(), NEWS)
    await transport.close()
    assert (outcome.kind, outcome.external_id) == (OutcomeKind.SENT, "their-9")
    ((headers, body),) = receiver.posts
    signed = headers["X-Rasid-Timestamp"].encode() + b"." + body
    assert headers["X-Rasid-Signature"] == "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert abs(int(headers["X-Rasid-Timestamp"]) - datetime.now(UTC).timestamp()) < 60
    posted = json.loads(body)
    assert posted["event"] == "send" and posted["text"] == "خبر عاجل" and posted["stories"] == [{"id": 7}]
    assert headers["Content-Type"] == "application/json"


async def test_every_attempt_of_a_delivery_has_the_same_key_and_another_delivery_another(receiver: Receiver) -> None:
    transport = hook(receiver.url)
    for attempt in (claim(), claim(attempt=2), claim(Operation.EDIT, id=4, external_id="their-9")):
        await transport.deliver(attempt, NEWS)
    await transport.close()
    keys = [headers["Idempotency-Key"] for headers, _ in receiver.posts]
    assert keys[0] == keys[1] != keys[2]
    assert json.loads(receiver.posts[2][1])["external_id"] == "their-9"


async def test_a_new_database_uses_no_key_of_the_one_before(receiver: Receiver, tmp_path: Path) -> None:
    """A receiver that remembers keys would else take its first alerts for old ones, and drop them."""
    transport = hook(receiver.url)
    for number in range(2):
        with desks(f"sqlite:///{tmp_path / str(number)}.db") as (desk,):
            desk.at = number
            desk.take("a", "شاهد", "طائرة من طراز شاهد")
            (first,) = desk.flow.store.claim_deliveries(desk.now, paces={"main": ChatPace("main")}, limit=9)
            await transport.deliver(first, NEWS)
    await transport.close()
    bodies = [json.loads(body) for _, body in receiver.posts]
    assert bodies[0]["delivery_id"] == bodies[1]["delivery_id"]
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.posts}) == 2


async def test_an_unsigned_hook_carries_no_signature(receiver: Receiver) -> None:
    transport = hook(receiver.url, secret_env="")
    assert (await transport.deliver(claim(), NEWS)).kind is OutcomeKind.SENT
    await transport.close()
    headers, _ = receiver.posts[0]
    assert "X-Rasid-Signature" not in headers


@pytest.mark.parametrize(
    ("status", "headers", "kind", "wait"),
    [
        (204, {}, OutcomeKind.SENT, None),
        (429, {"Retry_After": "120"}, OutcomeKind.RETRY, 120.0),
        (503, {"Retry_After": "5"}, OutcomeKind.RETRY, 5.0),
        (503, {}, OutcomeKind.RETRY, None),
        (400, {}, OutcomeKind.REJECTED, None),
        (410, {}, OutcomeKind.REJECTED, None),
        (401, {}, OutcomeKind.HOLD_CHAT, None),
        (403, {}, OutcomeKind.HOLD_CHAT, None),
        (408, {}, OutcomeKind.UNKNOWN, None),
        (500, {}, OutcomeKind.UNKNOWN, None),
        (502, {}, OutcomeKind.UNKNOWN, None),
    ],
)
async def test_each_status_has_one_meaning(
    receiver: Receiver, status: int, headers: dict[str, str], kind: OutcomeKind, wait: float | None
) -> None:
    receiver.answers(status, "" if status == 204 else "words of the receiver", **headers)
    transport = hook(receiver.url)
    outcome = await transport.deliver(claim(), NEWS)
    await transport.close()
    assert (outcome.kind, outcome.retry_after) == (kind, wait)
    if status != 204:
        assert f"answered {status}: words of the receiver" in outcome.detail
        assert "hidden-in-the-query" not in outcome.detail


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers(302, Location="/elsewhere")
    transport = hook(receiver.url)
    outcome = await transport.deliver(claim(), NEWS)
    await transport.close()
    assert outcome.kind is OutcomeKind.HOLD_CHAT and "redirects are not followed" in outcome.detail
    assert len(receiver.posts) == 1


async def test_silence_and_a_reset_are_unknown_and_a_refused_connection_is_not(receiver: Receiver) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3)
        return web.Response()

    async def reset(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    transport = hook(receiver.url)
    receiver.answer = hang
    assert (await transport.deliver(claim(), NEWS)).kind is OutcomeKind.UNKNOWN
    receiver.answer = reset
    assert (await transport.deliver(claim(), NEWS)).kind is OutcomeKind.UNKNOWN
    await transport.close()
    away = hook("http://127.0.0.1:9/in?key=hidden-in-the-query")
    outcome = await away.deliver(claim(), NEWS)
    await away.close()
    assert outcome.kind is OutcomeKind.RETRY and "hidden" not in outcome.detail + repr(away)


async def test_a_receiver_that_answers_without_end_is_read_no_further_than_needed(receiver: Receiver) -> None:
    receiver.answers(200, "x" * 3_000_000)
    transport = hook(receiver.url)
    outcome = await transport.deliver(claim(), NEWS)
    await transport.close()
    assert (outcome.kind, outcome.external_id) == (OutcomeKind.SENT, "7")


@pytest.mark.parametrize("then", ["reset", "silence"])
async def test_a_message_that_was_taken_is_sent_once_whatever_becomes_of_the_words(
    receiver: Receiver, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "LONGEST_TALK", 0.2)

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await asyncio.sleep(0.1 if then == "reset" else 2.5)
        assert request.transport is not None
        request.transport.abort()
        return response

    receiver.answer = answer
    transport = hook(receiver.url)
    outcome = await transport.deliver(claim(), NEWS)
    await transport.close()
    assert (outcome.kind, outcome.external_id) == (OutcomeKind.SENT, "7")


async def test_a_diagnosis_posts_only_when_asked(receiver: Receiver) -> None:
    transport = hook(receiver.url)
    (looked,) = await transport.diagnose()
    assert looked.ok and "signed" in looked.what and "hidden" not in looked.what and receiver.posts == []
    assert (await transport.diagnose(NEWS))[-1].ok
    assert json.loads(receiver.posts[0][1])["event"] == "test"
    receiver.answers(400, "no")
    refused = (await transport.diagnose(NEWS))[-1]
    await transport.close()
    assert not refused.ok and "answered 400: no" in refused.what and refused.mend


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17.0),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 60.0),
        ("9" * 40, 999999999.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(value, 60.0) == seconds


# ── the console ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_pipe_gets_one_plain_line_for_each_story_and_none_for_edits() -> None:
    out = io.StringIO()
    console = build(Channel("screen", "console"), {}, on_console=Console(file=out))
    sent = await console.deliver(claim(), Rendered("🔴 مسيّرات\nعنوان [bold]\nhttps://example.com", None))
    await console.deliver(claim(Operation.EDIT, external_id=sent.external_id), NEWS)
    assert sent.kind is OutcomeKind.SENT and sent.external_id
    assert out.getvalue() == "🔴 مسيّرات | عنوان [bold] | https://example.com\n"


async def test_a_terminal_gets_a_panel_read_from_the_right() -> None:
    out = io.StringIO()
    console = build(Channel("screen", "console"), {}, on_console=Console(file=out, force_terminal=True, width=60))
    await console.deliver(claim(Operation.EDIT), NEWS)
    shown = out.getvalue()
    assert "تحديث" in shown
    assert any("خبر عاجل" in line and line.index("خبر") > 30 for line in shown.splitlines())
    assert all(check.ok for check in await console.diagnose(NEWS))
    await console.close()


async def test_a_closed_output_is_tried_again() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    console = build(Channel("screen", "console"), {}, on_console=Console(file=Closed()))
    assert (await console.deliver(claim(), NEWS)).kind is OutcomeKind.RETRY
