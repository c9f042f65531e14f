"""Lost messages are looked for by way of an audit chat: found, they are sent; absent, they are sent again."""

import itertools
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from monitor import pipeline
from monitor.delivery import retry, telegram_audit
from monitor.delivery.channels import load
from monitor.errors import ConfigError
from monitor.feeds.fetch import Fetcher
from monitor.feeds.workers import ParseWorkers
from monitor.flow import Flow
from monitor.matching.matcher import Matcher
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Outcome, OutcomeKind, Rendered
from tests.telegram_server import Chat, Fault, TelegramServer
from tests.test_store_outbox import NOW, RULE, Desk, desk, seconds
from tests.test_telegram import CHAT, NEWS, claim, transport

__all__ = ["desk"]

AUDIT = -1002000000000
MARKED = claim(marker="feedc0de", lost=True)


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    running = await TelegramServer().start()
    running.add(Chat(CHAT, type="channel"))
    running.add(Chat(AUDIT, type="channel"))
    yield running
    await running.stop()


async def at_once() -> float:
    return 0.0


async def look(server: TelegramServer, lost: DeliveryClaim = MARKED, confirmed: int = 0) -> Outcome:
    sender = transport(server, audit=str(AUDIT))
    try:
        return await sender.look(lost, confirmed, at_once)
    finally:
        await sender.close()


async def send(server: TelegramServer, marker: str, rendered: Rendered = NEWS, *, plain: bool = False) -> None:
    sender = transport(server, audit=str(AUDIT))
    outcome = await sender.deliver(claim(marker=marker, plain=plain), rendered)
    await sender.close()
    assert outcome.kind is OutcomeKind.SENT, outcome


@pytest.mark.parametrize("plain", [False, True])
async def test_a_message_that_arrived_is_found_by_its_marker_among_others_of_the_same_text(
    server: TelegramServer, plain: bool
) -> None:
    for marker in ("0001", "feedc0de", "0003"):
        await send(server, marker, plain=plain)
    found = await look(server)
    assert (found.kind, found.external_id) == (OutcomeKind.SENT, "2")
    assert [one["text"] for one in server.chats[AUDIT].messages.values()] == ["\u2060" + NEWS.text] * 2


async def test_a_message_that_is_not_there_is_sent_again_and_a_look_changes_nothing_in_the_chat(
    server: TelegramServer,
) -> None:
    await send(server, "0001")
    before = dict(server.chats[CHAT].messages)
    assert (await look(server, confirmed=1)).kind is OutcomeKind.UNSENT
    assert (await look(server)).kind is OutcomeKind.UNSENT
    assert server.chats[CHAT].messages == before


async def test_deleted_messages_and_such_that_cannot_be_forwarded_hide_nothing(server: TelegramServer) -> None:
    for number in range(telegram_audit.BEYOND - 1):
        await send(server, f"{number}")
    server.chats[CHAT].messages.clear()
    await send(server, "feedc0de")
    assert (await look(server)).external_id == str(telegram_audit.BEYOND)


async def test_a_look_takes_twenty_messages_and_the_next_one_goes_on_after_them(server: TelegramServer) -> None:
    for number in range(telegram_audit.AT_ONCE + 5):
        await send(server, f"{number}")
    await send(server, "feedc0de")
    sender = transport(server, audit=str(AUDIT))
    first = await sender.look(MARKED, 0, at_once)
    assert first.kind is OutcomeKind.UNSEEN
    assert len(server.chats[AUDIT].messages) == telegram_audit.AT_ONCE
    second = await sender.look(MARKED, 0, at_once)
    await sender.close()
    assert (second.kind, second.external_id) == (OutcomeKind.SENT, str(telegram_audit.AT_ONCE + 6))


async def test_a_look_waits_for_its_turn_and_gives_up_where_the_audit_chat_is_busy(server: TelegramServer) -> None:
    await send(server, "feedc0de")
    waits = [0.01, 0.02, 0.0]

    async def soon() -> float:
        return waits.pop(0)

    async def never() -> float:
        return 60.0

    sender = transport(server, audit=str(AUDIT))
    assert (await sender.look(MARKED, 0, soon)).kind is OutcomeKind.SENT
    busy = await sender.look(MARKED, 0, never)
    await sender.close()
    assert (busy.kind, busy.retry_after) == (OutcomeKind.UNSEEN, 60.0)


@pytest.mark.parametrize(
    ("kind", "protected", "audit_status", "outcome"),
    [
        ("private", False, "administrator", OutcomeKind.UNSENT),
        ("group", False, "administrator", OutcomeKind.UNSENT),
        ("channel", True, "administrator", OutcomeKind.UNSENT),
        ("channel", False, "kicked", OutcomeKind.UNSENT),
        ("supergroup", False, "administrator", OutcomeKind.SENT),
    ],
)
async def test_where_nothing_can_be_looked_for_the_message_is_sent_again(
    server: TelegramServer, kind: str, protected: bool, audit_status: str, outcome: OutcomeKind
) -> None:
    await send(server, "feedc0de")
    server.chats[CHAT].type, server.chats[CHAT].protected = kind, protected
    server.chats[AUDIT].status = audit_status
    assert (await look(server)).kind is outcome


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", method="forwardMessage"),
        Fault("status", method="forwardMessage", status=429, parameters={"retry_after": 7}),
        Fault("html", method="getChat", status=502),
        Fault("status", method="getChat", status=403, description="Forbidden: bot was kicked from the channel chat"),
    ],
)
async def test_a_look_that_fails_is_no_answer(server: TelegramServer, fault: Fault) -> None:
    await send(server, "feedc0de")
    server.faults.append(fault)
    assert (await look(server)).kind is OutcomeKind.UNSEEN
    assert (await look(server)).kind is OutcomeKind.SENT


async def test_the_marker_takes_the_first_place_or_the_last_where_there_is_a_preview(server: TelegramServer) -> None:
    await send(server, "0001")
    sender = transport(server, audit=str(AUDIT), preview=True)
    await sender.deliver(claim(marker="0002"), NEWS)
    await sender.close()
    texts = [one["text"] for one in server.chats[CHAT].messages.values()]
    assert texts == ["\u2060" + NEWS.text, NEWS.text + "\u2060"]


async def test_a_channel_without_an_audit_chat_has_no_markers(server: TelegramServer) -> None:
    sender = transport(server)
    await sender.deliver(claim(marker="0001"), NEWS)
    await sender.close()
    assert [one["text"] for one in server.chats[CHAT].messages.values()] == [NEWS.text]


def test_a_message_that_fills_all_the_room_goes_without_a_marker() -> None:
    full = "ا" * 4096
    assert telegram_audit.mark_html(f"<b>{full}</b>", "1", last=False) == f"<b>{full}</b>"
    assert telegram_audit.mark_text(full, "1") == (full, [])
    marked = telegram_audit.mark_html(f"<b>{full[1:]}</b>", "1", last=False)
    assert marked.startswith("<a ") and marked.endswith("</b>")


# ── in the outbox ────────────────────────────────────────────────────────────────────────────────────────────────


class Slow:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.parametrize("arrived", [True, False])
async def test_an_unknown_send_ends_as_one_message_whether_it_arrived_or_not(
    server: TelegramServer, tmp_path: Path, arrived: bool
) -> None:
    desk, clock = Desk(f"sqlite:///{tmp_path / 'rasid.db'}"), Slow()
    desk.alert(1)
    desk.alert(2)
    sender = transport(server, audit=str(AUDIT))
    with ThreadPoolExecutor(1) as writer:
        channels = {"main": Channel("main", "telegram")}
        flow = Flow(desk.store, writer, Fetcher(), ParseWorkers(1), Matcher([]), {RULE.id: RULE}, channels)
        flow.transports = {"main": sender}
        server.faults.append(Fault("reset", after=arrived))
        for _ in range(60):
            await pipeline.deliver_due(flow, clock)
            clock.now += seconds(5)
    await sender.close()
    desk.store.close()
    desk.other.close()
    assert server.summary()["delivered"] == 2
    with_numbers = [one["text"].partition("إسقاط ")[2][0] for one in server.chats[CHAT].messages.values()]
    assert with_numbers == ["1", "2"]


def test_a_claim_says_that_its_message_may_be_there_and_what_is_known_of_its_chat(desk: Desk) -> None:
    desk.alert(1)
    desk.alert(2)
    assert [one.lost for one in desk.deliver(NOW)] == [False]
    unknown = Outcome(OutcomeKind.UNKNOWN, "timeout")
    first = desk.deliver(NOW + seconds(5), unknown)[0]
    again = desk.claim(NOW + seconds(200))[0]
    assert (again.lost, again.marker) == (True, first.marker)
    assert desk.store.last_confirmed(again) == 77
    unsent = retry.settle(again, Outcome(OutcomeKind.UNSENT), NOW + seconds(201), Random(1))
    desk.store.settle(again, unsent, NOW + seconds(201))
    anew = desk.claim(NOW + seconds(203))[0]
    assert (anew.id, anew.lost) == (first.id, False)


def test_a_look_without_an_answer_leaves_the_message_unknown(desk: Desk) -> None:
    desk.alert(1)
    desk.deliver(NOW, Outcome(OutcomeKind.UNKNOWN, "timeout"))
    lost = desk.claim(NOW + seconds(200))[0]
    unseen = retry.settle(lost, Outcome(OutcomeKind.UNSEEN, retry_after=40), NOW + seconds(201), Random(1))
    desk.store.settle(lost, unseen, NOW + seconds(201))
    assert desk.claim(NOW + seconds(240)) == []
    assert [one.lost for one in desk.claim(NOW + seconds(242))] == [True]


def test_an_audit_chat_has_a_pace_that_all_daemons_share(desk: Desk) -> None:
    pace = ChatPace("telegram:audit", min_gap=2.1, per_minute=18)
    taken = []
    for at in range(0, 1200, 5):
        store = desk.store if at % 2 else desk.other
        if store.take_turn(pace, NOW + seconds(at / 10)) == 0.0:
            taken.append(at / 10)
    assert all(later - earlier >= pace.min_gap for earlier, later in itertools.pairwise(taken))
    assert len([at for at in taken if at < 60]) == pace.per_minute
    wait = desk.store.take_turn(pace, NOW + seconds(taken[-1] + 0.1))
    assert 0 < wait <= 60


@pytest.mark.parametrize(
    ("chat", "audit", "wrong"),
    [
        ("-1001234567890", "-1001234567890", "another chat"),
        ("-1001234567890", "123456", "not a person"),
        ("123456", "-1002000000000", "of use only"),
        ("-123456", "-1002000000000", "of use only"),
        ("-1001234567890", "-1002000000000", ""),
        ("@newsroom", "-1002000000000", ""),
    ],
)
def test_an_audit_chat_that_is_of_no_use_is_a_problem(tmp_path: Path, chat: str, audit: str, wrong: str) -> None:
    file = tmp_path / "channels.yaml"
    file.write_text(f'channels:\n  - {{name: main, type: telegram, chat: "{chat}", audit: "{audit}"}}\n')
    if not wrong:
        assert load(file)["main"].options["audit"] == audit
        return
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert wrong in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "audit_status", "words"),
    [
        ("channel", "administrator", "the audit chat is there"),
        ("private", "administrator", "cannot be looked for"),
        ("channel", "left", "audit chat: the bot is not in the chat"),
    ],
)
async def test_a_diagnosis_says_whether_the_audit_chat_is_of_use(
    server: TelegramServer, kind: str, audit_status: str, words: str
) -> None:
    server.chats[CHAT].type, server.chats[AUDIT].status = kind, audit_status
    sender = transport(server, audit=str(AUDIT))
    checks = await sender.diagnose()
    await sender.close()
    assert words in checks[-1].what and checks[-1].ok is (words == "the audit chat is there")
