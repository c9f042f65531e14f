"""Telegram against a Bot API server of our own: every outcome of an attempt, and what a diagnosis says."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.delivery import retry
from monitor.delivery.telegram import TelegramTransport
from monitor.delivery.telegram_errors import classify
from monitor.delivery.transports import HttpOptions, build
from monitor.errors import DeliveryError
from monitor.model_delivery import Channel, DeliveryClaim, Operation, Outcome, OutcomeKind, Rendered
from tests.telegram_faults import Chaos
from tests.telegram_server import TOKEN, Chat, Fault, TelegramServer

CHAT = -1001234567890
NEWS = Rendered(text="خبر عاجل من بيروت", html="<b>خبر عاجل</b> من بيروت")


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    running = await TelegramServer().start()
    running.add(Chat(CHAT, type="channel", username="newsroom", topics={5: "open", 6: "closed"}))
    yield running
    await running.stop()


def transport(server: TelegramServer, token: str = TOKEN, url: str = "", **options: Any) -> TelegramTransport:
    http = HttpOptions(base_url=url or server.url, connect_timeout=2, read_timeout=1.0, total=2.0)
    channel = Channel("main", "telegram", options={"chat": str(CHAT)} | options)
    built = build(channel, {"RASID_TELEGRAM_TOKEN": token}, http=http)
    assert isinstance(built, TelegramTransport)
    return built


def claim(operation: Operation = Operation.SEND, **changes: Any) -> DeliveryClaim:
    values: dict[str, Any] = {
        **{"id": 1, "message_id": 7, "channel": "main", "operation": operation, "attempt": 1, "plain": False},
        **{
            "chat_key": "telegram:1",
            "external_id": None,
            "chat_id": None,
            "created": datetime(2026, 11, 24, tzinfo=UTC),
        },
    }
    return DeliveryClaim(**(values | changes))


async def test_a_message_arrives_formatted_and_its_id_comes_back(server: TelegramServer) -> None:
    sender = transport(server)
    outcome = await sender.deliver(claim(), NEWS)
    await sender.close()
    assert (outcome.kind, outcome.external_id) == (OutcomeKind.SENT, "1")
    stored = server.chats[CHAT].messages[1]
    assert stored["text"] == "خبر عاجل من بيروت"
    assert stored["entities"] == [{"type": "bold", "offset": 0, "length": 8}]
    assert json.loads(stored["given"]["link_preview_options"]) == {"is_disabled": True}


async def test_silence_comes_from_the_message_or_from_the_channel(server: TelegramServer) -> None:
    await transport(server).deliver(claim(), Rendered("أ", None, silent=True))
    await transport(server, silent=True).deliver(claim(), Rendered("ب", None))
    await transport(server).deliver(claim(), Rendered("ج", None))
    quiet = [m["given"].get("disable_notification") for m in server.chats[CHAT].messages.values()]
    assert [str(q).lower() for q in quiet] == ["true", "true", "false"]


async def test_a_topic_and_a_migrated_chat_are_written_to(server: TelegramServer) -> None:
    server.add(Chat(-1009, title="الجديدة"))
    assert (await transport(server, topic=5).deliver(claim(), NEWS)).kind is OutcomeKind.SENT
    assert server.chats[CHAT].messages[1]["given"]["message_thread_id"] == "5"
    assert (await transport(server).deliver(claim(chat_id="-1009"), NEWS)).kind is OutcomeKind.SENT
    assert len(server.chats[-1009].messages) == 1


async def test_a_reply_is_sent_even_where_what_it_replies_to_is_gone(server: TelegramServer) -> None:
    sender = transport(server, topic=5)
    first = await sender.deliver(claim(), NEWS)
    denial = Rendered("نفي", None, reply_to=first.external_id)
    assert (await sender.deliver(claim(), denial)).kind is OutcomeKind.SENT
    assert server.chats[CHAT].messages[2]["reply_to"] == 1
    assert server.chats[CHAT].messages[2]["given"]["message_thread_id"] == "5"
    del server.chats[CHAT].messages[1]
    assert (await sender.deliver(claim(), denial)).kind is OutcomeKind.SENT
    assert server.chats[CHAT].messages[3]["reply_to"] is None
    strange = Rendered("نفي", None, reply_to="console-7")
    assert (await sender.deliver(claim(), strange)).kind is OutcomeKind.SENT
    assert server.chats[CHAT].messages[4]["given"].get("reply_parameters") is None


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"preview": True}, {"url": "https://example.com/1", "prefer_small_media": True}),
        ({"picture": True}, {"url": "https://example.com/1", "prefer_large_media": True, "show_above_text": True}),
        ({}, {"is_disabled": True}),
    ],
)
async def test_the_articles_preview_or_picture_is_shown_where_the_channel_asks(
    server: TelegramServer, options: dict[str, Any], wanted: dict[str, Any]
) -> None:
    sender = transport(server, **options)
    news = Rendered("خبر", None, link="https://example.com/1")
    await sender.deliver(claim(), news)
    await sender.deliver(claim(), Rendered("حصيلة", None))
    shown = [json.loads(one["given"]["link_preview_options"]) for one in server.chats[CHAT].messages.values()]
    assert shown == [wanted, {"is_disabled": True}]


async def test_edits(server: TelegramServer) -> None:
    sender = transport(server)
    sent = await sender.deliver(claim(), NEWS)
    edit = claim(Operation.EDIT, external_id=sent.external_id)
    edited = await sender.deliver(edit, Rendered("خبر محدث", "<b>خبر</b> محدث"))
    assert (edited.kind, edited.external_id) == (OutcomeKind.SENT, "1")
    assert server.chats[CHAT].messages[1]["text"] == "خبر محدث"
    same = await sender.deliver(edit, Rendered("خبر محدث", "<b>خبر</b> محدث"))
    assert same.kind is OutcomeKind.NOT_MODIFIED
    del server.chats[CHAT].messages[1]
    assert (await sender.deliver(edit, NEWS)).kind is OutcomeKind.GONE
    assert (await sender.deliver(claim(Operation.EDIT), NEWS)).kind is OutcomeKind.GONE  # it never had an id
    await sender.close()


async def test_refused_formatting_is_plain_next_and_plain_text_passes(server: TelegramServer) -> None:
    broken = Rendered("أ < ب", "أ < <b>ب")
    refused = await transport(server).deliver(claim(), broken)
    assert refused.kind is OutcomeKind.PLAIN and "can't parse entities" in refused.detail
    assert (await transport(server).deliver(claim(plain=True), broken)).kind is OutcomeKind.SENT
    long = await transport(server).deliver(claim(), Rendered("ط" * 4097, None))
    assert long.kind is OutcomeKind.PLAIN and "too long" in long.detail
    empty = await transport(server).deliver(claim(), Rendered("   ", None))
    assert empty.kind is OutcomeKind.REJECTED


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "kicked"}, "kicked from the channel"),
        ({"status": "left"}, "not a member"),
        ({"may_post": False}, "administrator rights"),
        ({"type": "supergroup", "may_post": False}, "not enough rights"),
        ({"type": "private", "status": "kicked"}, "blocked by the user"),
    ],
)
async def test_a_chat_that_cannot_be_written_to_is_held(
    server: TelegramServer, change: dict[str, Any], words: str
) -> None:
    for name, value in change.items():
        setattr(server.chats[CHAT], name, value)
    outcome = await transport(server).deliver(claim(), NEWS)
    assert outcome.kind is OutcomeKind.HOLD_CHAT and words in outcome.detail


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"chat": "-100999"}, OutcomeKind.HOLD_CHAT, "chat not found"),
        ({"topic": 9}, OutcomeKind.HOLD_CHANNEL, "thread not found"),
        ({"topic": 6}, OutcomeKind.HOLD_CHANNEL, "TOPIC_CLOSED"),
    ],
)
async def test_a_wrong_chat_holds_the_chat_and_a_missing_or_closed_topic_the_channel_alone(
    server: TelegramServer, options: dict[str, Any], kind: OutcomeKind, words: str
) -> None:
    outcome = await transport(server, **options).deliver(claim(), NEWS)
    assert outcome.kind is kind and words in outcome.detail


async def test_an_upgraded_group_tells_its_new_id(server: TelegramServer) -> None:
    server.chats[CHAT].migrated_to = -1007
    outcome = await transport(server).deliver(claim(), NEWS)
    assert (outcome.kind, outcome.chat_id) == (OutcomeKind.MIGRATED, "-1007")


async def test_a_bad_token_stops_the_channel_and_never_shows(server: TelegramServer) -> None:
    token = "987654321:AAwrong-token-that-must-never-show_01234"
    outcome = await transport(server, token=token).deliver(claim(), NEWS)
    assert outcome.kind is OutcomeKind.STOP and outcome.detail == "Unauthorized"


@pytest.mark.parametrize(
    ("fault", "kind", "wait"),
    [
        (
            Fault(
                "status", status=429, description="Too Many Requests: retry after 17", parameters={"retry_after": 17}
            ),
            OutcomeKind.RETRY,
            17.0,
        ),
        (Fault("status", status=429, description="Too Many Requests: retry after 9"), OutcomeKind.RETRY, 9.0),
        (Fault("status", status=429, description="Too Many Requests"), OutcomeKind.RETRY, 30.0),
        (Fault("html", status=429), OutcomeKind.RETRY, 30.0),
        (Fault("html", status=502), OutcomeKind.UNKNOWN, None),
        (Fault("html", status=302), OutcomeKind.UNKNOWN, None),
        (Fault("html", status=404), OutcomeKind.STOP, None),
        (Fault("html", status=413), OutcomeKind.PLAIN, None),
        (Fault("status", status=500), OutcomeKind.UNKNOWN, None),
        (Fault("status", status=409, description="Conflict"), OutcomeKind.UNKNOWN, None),
        (Fault("status", status=401, description="Unauthorized"), OutcomeKind.STOP, None),
        (Fault("status", status=403, description="Forbidden: user is deactivated"), OutcomeKind.HOLD_CHAT, None),
        (Fault("status", status=400, description="Bad Request: BUTTON_URL_INVALID"), OutcomeKind.REJECTED, None),
        (Fault("ok_false", status=400, description="Bad Request: chat not found"), OutcomeKind.HOLD_CHAT, None),
        (Fault("ok_false", status=429, description="Too Many", parameters={"retry_after": 3}), OutcomeKind.RETRY, 3.0),
        (Fault("truncated", after=True), OutcomeKind.UNKNOWN, None),
        (Fault("reset"), OutcomeKind.UNKNOWN, None),
        (Fault("reset", after=True), OutcomeKind.UNKNOWN, None),
        (Fault("hang", seconds=3), OutcomeKind.UNKNOWN, None),
        (Fault("drip", seconds=6), OutcomeKind.UNKNOWN, None),
        (Fault("result", result={}), OutcomeKind.UNKNOWN, None),
        (Fault("result", result=None), OutcomeKind.UNKNOWN, None),
        (Fault("result", result=[1]), OutcomeKind.UNKNOWN, None),
    ],
    ids=lambda value: f"{value.kind}-{value.status}-{value.after}" if isinstance(value, Fault) else None,
)
async def test_each_fault_has_one_meaning(
    server: TelegramServer, fault: Fault, kind: OutcomeKind, wait: float | None
) -> None:
    server.faults.append(fault)
    sender = transport(server)
    outcome = await sender.deliver(claim(), NEWS)
    await sender.close()
    assert (outcome.kind, outcome.retry_after) == (kind, wait), outcome
    assert outcome.detail and TOKEN not in outcome.detail


async def test_an_attempt_ends_within_its_total_time_however_slowly_the_answer_drips(server: TelegramServer) -> None:
    server.faults.append(Fault("drip", seconds=20))
    began = time.monotonic()
    assert (await transport(server).deliver(claim(), NEWS)).kind is OutcomeKind.UNKNOWN
    assert time.monotonic() - began < 4


async def test_a_refused_connection_was_surely_not_sent(server: TelegramServer) -> None:
    outcome = await transport(server, url="http://127.0.0.1:9").deliver(claim(), NEWS)
    assert outcome.kind is OutcomeKind.RETRY and "no connection" in outcome.detail


async def test_an_unresolvable_host_and_an_unusable_proxy_are_surely_not_sent(server: TelegramServer) -> None:
    outcome = await transport(server, url="http://bot-api.invalid").deliver(claim(), NEWS)
    assert outcome.kind is OutcomeKind.RETRY
    http = HttpOptions(base_url="https://api.telegram.org", proxy="http://127.0.0.1:9", connect_timeout=2)
    sender = build(Channel("main", "telegram", options={"chat": "1"}), {"RASID_TELEGRAM_TOKEN": TOKEN}, http=http)
    assert (await sender.deliver(claim(), NEWS)).kind is OutcomeKind.RETRY


async def test_a_full_connection_pool_is_surely_not_sent(server: TelegramServer) -> None:
    server.faults.append(Fault("hang", times=8, seconds=3))
    http = HttpOptions(base_url=server.url, read_timeout=3, pool_timeout=0.2, total=5)
    sender = build(Channel("main", "telegram", options={"chat": str(CHAT)}), {"RASID_TELEGRAM_TOKEN": TOKEN}, http=http)
    hanging = [asyncio.create_task(sender.deliver(claim(), NEWS)) for _ in range(8)]
    await asyncio.sleep(0.5)
    outcome = await sender.deliver(claim(), NEWS)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    await sender.close()
    assert outcome.kind is OutcomeKind.RETRY and "not sent" in outcome.detail


async def test_the_environments_proxies_are_not_used(server: TelegramServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await transport(server).deliver(claim(), NEWS)).kind is OutcomeKind.SENT


async def test_the_token_shows_in_no_log_line_and_no_repr(
    server: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sender = transport(server)
    server.faults.append(Fault("truncated"))
    outcomes = [await sender.deliver(claim(), NEWS), await sender.deliver(claim(), NEWS)]
    outcomes.append(await transport(server, url="http://127.0.0.1:9").deliver(claim(), NEWS))
    checks = await transport(server, url="http://127.0.0.1:9").diagnose()
    await sender.close()
    assert TOKEN not in caplog.text and TOKEN.split(":")[1] not in caplog.text
    assert TOKEN not in repr(sender) + repr(outcomes) + repr(checks) and "main" in repr(sender)


def test_a_client_that_cannot_be_set_up_says_so_without_the_token() -> None:
    channel = Channel("main", "telegram", options={"chat": "1"})
    with pytest.raises(DeliveryError) as caught:
        build(channel, {"RASID_TELEGRAM_TOKEN": TOKEN}, http=HttpOptions(proxy="nonsense://x"))
    assert TOKEN not in str(caught.value) and caught.value.__cause__ is None


def test_paces_follow_the_kind_of_chat() -> None:
    env = {"RASID_TELEGRAM_TOKEN": TOKEN, "OTHER": "55555:AAanother-token-for-tests-only_0123456"}
    group = build(Channel("a", "telegram", options={"chat": "-1005"}), env).pace
    person = build(Channel("b", "telegram", options={"chat": "77"}), env).pace
    other = build(Channel("c", "telegram", options={"chat": "-1005", "token_env": "OTHER"}), env).pace
    assert group.per_minute == 20 and group.min_gap >= 1 and person.per_minute == 0
    assert group.shared_key == person.shared_key != other.shared_key
    assert group.shared_per_second == 30 and TOKEN.split(":")[1] not in repr(group)


@pytest.mark.parametrize(
    "reply", [{}, {"ok": True}, {"ok": False}, {"ok": False, "error_code": "400"}, {"parameters": 3}]
)
def test_a_reply_that_makes_no_sense_is_unknown(reply: dict[str, object]) -> None:
    assert classify(200, reply, Operation.SEND).kind is OutcomeKind.UNKNOWN


ANYTHING: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, -1, 1e308, 2**63, 10**15, 10**400, -(10**400), "", "17", [], {}, {"a": [1]}]
)
WORDS = st.sampled_from(["retry after 99999999999999999999", "new chat id: -1", "message is not modified"]) | ANYTHING
PARAMETERS = st.fixed_dictionaries({}, optional={"retry_after": ANYTHING, "migrate_to_chat_id": ANYTHING}) | ANYTHING
REPLIES = st.fixed_dictionaries(
    {}, optional={"ok": ANYTHING, "error_code": ANYTHING, "description": WORDS, "parameters": PARAMETERS}
)


@example(429, {"parameters": {"retry_after": 10**400}}, Operation.SEND)
@example(429, {"parameters": {"retry_after": 10**15}}, Operation.SEND)
@example(400, {"parameters": {"migrate_to_chat_id": 10**400}}, Operation.EDIT)
@given(st.sampled_from([200, 400, 401, 403, 404, 413, 429, 500]), REPLIES, st.sampled_from(Operation))
def test_whatever_a_server_replies_there_is_something_to_do_next(
    status: int, reply: dict[str, object], operation: Operation
) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    outcome = classify(status, reply, operation)
    settled = retry.settle(claim(operation), outcome, now, Random(1))
    assert settled.state in ("sent", "pending", "unknown", "dead")
    assert settled.due_at is None or settled.due_at <= now + timedelta(hours=25)
    sought = retry.settle(
        claim(operation), Outcome(OutcomeKind.UNSEEN, retry_after=outcome.retry_after), now, Random(1)
    )
    assert sought.due_at is not None and sought.due_at <= now + timedelta(hours=25)


# ── diagnosis ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_good_channel_is_found_good_and_a_sample_arrives(server: TelegramServer) -> None:
    checks = await transport(server, topic=5).diagnose(NEWS)
    assert all(check.ok for check in checks), checks
    assert "@rasid_test_bot" in checks[0].what and "غرفة الأخبار" in checks[1].what
    assert "sample was sent (message 1)" in checks[-1].what and server.summary()["delivered"] == 1


async def test_without_being_asked_a_diagnosis_sends_nothing(server: TelegramServer) -> None:
    assert all(check.ok for check in await transport(server).diagnose())
    assert server.summary()["delivered"] == 0


@pytest.mark.parametrize(
    ("chat", "options", "what", "mend"),
    [
        ({}, {"chat": "-1234"}, "chat -1234 is not there", "perhaps it is -1001234"),
        ({}, {"chat": "1234"}, "chat 1234 is not there", "press Start"),
        ({}, {"chat": "@elsewhere"}, "chat @elsewhere is not there", "public name"),
        ({"status": "member"}, {}, "not an administrator", "Add @rasid_test_bot"),
        ({"may_post": False}, {}, "may not post", "allow “Post messages”"),
        ({"status": "left"}, {}, "not in the chat", "Add @rasid_test_bot"),
        ({"status": "kicked"}, {}, "kicked", "Add @rasid_test_bot"),
        ({"type": "supergroup", "status": "restricted", "may_post": False}, {}, "restricted", "lift the restriction"),
        ({}, {"topic": 9}, "topic 9 cannot be written to", "leave out `topic`"),
        ({}, {"topic": 6}, "topic 6 cannot be written to", "reopened"),
        ({"type": "private", "status": "kicked"}, {}, "bot was blocked by the user", "press Start"),
        ({"type": "group", "may_post": False}, {}, "not enough rights to send text", "allow the bot to send text"),
        ({"migrated_to": -1009}, {}, "became a supergroup", 'chat: "-1009"'),
    ],
)
async def test_what_is_wrong_with_a_chat_is_explained_with_its_mend(
    server: TelegramServer, chat: dict[str, Any], options: dict[str, Any], what: str, mend: str
) -> None:
    for name, value in chat.items():
        setattr(server.chats[CHAT], name, value)
    checks = await transport(server, **options).diagnose(NEWS)
    assert not checks[-1].ok and what in checks[-1].what and mend in checks[-1].mend, checks[-1]
    assert server.summary()["delivered"] == 0  # no sample into a channel that is not right


async def test_a_bad_token_and_an_unreachable_host_are_told_apart(server: TelegramServer) -> None:
    (bad,) = await transport(server, token="987654321:AAwrong-token-that-must-never-show_01234").diagnose()
    assert not bad.ok and "token is refused" in bad.what and "@BotFather" in bad.mend
    (away,) = await transport(server, url="http://127.0.0.1:9").diagnose()
    assert not away.ok and "http://127.0.0.1:9 cannot be reached" in away.what and "proxy" in away.mend


# ── the server itself ────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_server_runs_as_a_process_and_its_ledger_outlives_it(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    command = ("-m", "tests.telegram_server", "--port", "0", "--ledger", str(ledger), "--chat", str(CHAT))
    root = Path(__file__).resolve().parent.parent
    process = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=root, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    url = f"http://127.0.0.1:{int(await asyncio.wait_for(process.stdout.readline(), 20))}"
    try:
        async with aiohttp.ClientSession() as session:
            await session.post(f"{url}/faults", json={"kind": "truncated", "after": True})
            sender = build(
                Channel("main", "telegram", options={"chat": str(CHAT)}),
                {"RASID_TELEGRAM_TOKEN": TOKEN},
                http=HttpOptions(base_url=url),
            )
            kinds = [(await sender.deliver(claim(), NEWS)).kind for _ in range(2)]
            await sender.close()
            async with session.get(f"{url}/ledger") as reply:
                summary = await reply.json()
    finally:
        process.kill()
        await process.wait()
    assert kinds == [OutcomeKind.UNKNOWN, OutcomeKind.SENT]
    assert (summary["delivered"], summary["acknowledged"], summary["duplicated"]) == (2, 1, 1)
    events = [json.loads(line)["event"] for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert events == ["fault", "delivered", "delivered", "acknowledged"]


# ── the server itself ──


async def ask(server: TelegramServer, method: str, **given: object) -> tuple[int, dict[str, Any]]:
    url = f"{server.url}/bot{TOKEN}/{method}"
    async with aiohttp.ClientSession(trust_env=False) as session, session.post(url, json=given) as reply:
        return reply.status, await reply.json()


async def tell(server: TelegramServer, path: str, **given: object) -> None:
    url = f"{server.url}/{path}"
    async with aiohttp.ClientSession(trust_env=False) as session, session.post(url, json=given) as reply:
        assert reply.status == 200


async def test_updates_are_fetched_once_confirmed_by_offset_and_have_one_reader(server: TelegramServer) -> None:
    waiting = asyncio.create_task(ask(server, "getUpdates", timeout=20))
    await asyncio.sleep(0.2)
    second = asyncio.create_task(ask(server, "getUpdates", timeout=20))
    status, reply = await waiting
    assert status == 409 and "terminated by other getUpdates" in reply["description"]
    await tell(server, "updates", callback_query={"id": "q1", "data": "mute"})
    _, reply = await second
    update = reply["result"][0]
    assert update["callback_query"]["data"] == "mute"
    assert (await ask(server, "answerCallbackQuery", callback_query_id="q1"))[0] == 200
    assert (await ask(server, "answerCallbackQuery", callback_query_id="q1"))[1]["description"].endswith("invalid")
    assert (await ask(server, "getUpdates", offset=update["update_id"] + 1))[1]["result"] == []


async def test_a_webhook_gets_updates_with_its_secret_and_shuts_out_get_updates(server: TelegramServer) -> None:
    seen: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def hook(request: web.Request) -> web.Response:
        await seen.put((request.headers["X-Telegram-Bot-Api-Secret-Token"], await request.json()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await ask(server, "setWebhook", url=url, secret_token="s3cret")
    await tell(server, "updates", message={"text": "/status"})
    secret, update = await asyncio.wait_for(seen.get(), 10)
    assert secret == "s3cret" and update["message"]["text"] == "/status"
    assert "webhook is active" in (await ask(server, "getUpdates"))[1]["description"]
    await ask(server, "deleteWebhook")
    assert (await ask(server, "getUpdates"))[0] == 200
    await runner.cleanup()


async def test_the_server_holds_to_rates_sizes_and_buttons(server: TelegramServer) -> None:
    await tell(server, "chats", id=-1001234567890, per_second=1)
    assert (await ask(server, "sendMessage", chat_id=-1001234567890, text="1"))[0] == 200
    status, reply = await ask(server, "sendMessage", chat_id=-1001234567890, text="2")
    assert status == 429 and reply["parameters"]["retry_after"] >= 1
    await tell(server, "chats", id=-1001234567890, per_second=0)
    buttons = {"inline_keyboard": [[{"text": "x", "callback_data": "م" * 33}]]}
    _, reply = await ask(server, "sendMessage", chat_id=-1001234567890, text="3", reply_markup=buttons)
    assert reply["description"].endswith("BUTTON_DATA_INVALID")
    _, reply = await ask(server, "sendPhoto", chat_id=-1001234567890, photo="x", caption="ا" * 1025)
    assert reply["description"].endswith("caption is too long")
    await tell(server, "chats", id=-1001234567890, status="kicked")  # in the middle of a run
    assert (await ask(server, "sendMessage", chat_id=-1001234567890, text="4"))[0] == 403


async def test_chaos_of_one_seed_is_the_same_each_time(server: TelegramServer) -> None:
    runs = []
    for _ in range(2):
        server.chaos = Chaos(7, 0.5)
        runs.append([fault.kind if (fault := server.chaos.fault("sendMessage")) else "" for _ in range(40)])
    assert runs[0] == runs[1] and len(set(runs[0])) > 3
