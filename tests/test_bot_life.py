"""The bot beside the daemon: whatever becomes of it, alerts go on, the operator hears of it once, and it comes back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from monitor.delivery.callbacks import derived
from monitor.faces.bot import listening
from monitor.faces.bot.bot import Bot
from monitor.runtime.troubles import Troubles
from tests.living import living, rss
from tests.talk import CHANNEL, OWNER, READER, Talk, talking
from tests.telegram_server import TOKEN, Fault
from tests.test_bot import strike
from tests.test_end_to_end import STRIKE

REVOKED = "123456789:AAanother-token-for-tests-only_0123456789"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits a minute at most waits a twentieth of a second."""
    monkeypatch.setattr(listening, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(listening, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(listening, "POLL", 1)
    monkeypatch.setattr(listening, "CALM", 0.5)


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with talking(f"sqlite:///{tmp_path / 'rasid.db'}", tmp_path) as found:
        yield found


def told(talk: Talk) -> list[str]:
    return [one.text for one in talk.desk.flow.store.notices() if one.key.startswith("bot/")]


async def test_a_second_program_that_listens_is_told_once_and_stops_no_alert(talk: Talk) -> None:
    await talk.say(READER, "/help")
    words = "Conflict: terminated by other getUpdates request"
    talk.server.faults.append(Fault("status", "getUpdates", times=10_000, status=409, description=words))
    await talk.until(lambda: told(talk))
    strike(talk)
    await talk.deliver()
    assert len(talk.said(CHANNEL)) == 1
    assert len(told(talk)) == 1 and "another program" in told(talk)[0] and TOKEN not in told(talk)[0]
    await talk.until(lambda: sum(e["event"] == "fault" for e in talk.server.events) > 5)
    assert len(told(talk)) == 1
    talk.server.faults.clear()
    assert await talk.say(READER, "/help") != []
    await talk.until(lambda: not told(talk))


async def test_two_processes_that_both_listen_are_told_of_once_and_not_in_turns(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each gets an answer now and then, when the other one waits: that is no end of it."""
    monkeypatch.setattr(listening, "LONGEST_WAIT", 1.5)
    monkeypatch.setattr(listening, "CALM", 5.0)
    talk.desk.flow.operator = "main"

    async def followed() -> None:
        pass

    second = Bot(talk.desk.flow, talk.found, Troubles(talk.desk.flow, talk.now), talk.now, followed)
    task = asyncio.create_task(second.run())
    try:
        await talk.until(lambda: told(talk))
        await asyncio.sleep(6)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    words = talk.desk.rows("select text from messages where kind = 'operator'")
    assert len(words) == 1 and "another program" in str(words[0])
    await talk.until(lambda: not told(talk))
    assert "answers again" in str(talk.desk.rows("select text from messages where kind = 'operator'")[1])


async def test_a_token_that_is_revoked_and_restored(talk: Talk) -> None:
    await talk.say(READER, "/help")
    talk.server.token = REVOKED
    await talk.until(lambda: told(talk))
    assert "refuses its token" in told(talk)[0] and "AAfixture" not in told(talk)[0]
    talk.server.token = TOKEN
    assert await talk.say(READER, "/help") != []
    await talk.until(lambda: not told(talk))
    talk.server.token = REVOKED
    await talk.reload(RASID_TELEGRAM_TOKEN=REVOKED)  # a new token is taken over while it runs
    assert await talk.say(READER, "/help") != []


@pytest.mark.parametrize("kind", ["reset", "html", "ok_false", "truncated"])
async def test_a_network_that_fails_for_a_moment_is_told_to_nobody(talk: Talk, kind: str) -> None:
    talk.server.faults.append(Fault(kind, method="getUpdates", times=2))
    assert await talk.say(READER, "/help") != []
    assert told(talk) == []


async def test_a_network_that_stays_away_is_told_and_outlived(talk: Talk) -> None:
    await talk.say(READER, "/help")
    port = talk.server.port
    await talk.server.stop()
    await talk.until(lambda: told(talk))
    assert "cannot listen" in told(talk)[0]
    await talk.server.start(port)
    assert await talk.say(READER, "/help") != []
    await talk.until(lambda: not told(talk))


async def test_an_answer_that_cannot_be_sent_stops_nothing(talk: Talk) -> None:
    talk.server.faults.append(Fault("reset", times=1))
    assert await talk.say(READER, "/help") == []
    talk.server.faults.append(Fault("status", status=400, description="Bad Request: can't parse entities", times=1))
    assert await talk.say(READER, "/status") != []  # once more as plain text
    assert [result for *_, result in talk.actions()] == ["answered", "answered"]


async def test_updates_of_other_kinds_and_shapes_are_passed_over(talk: Talk) -> None:
    chat = {"id": OWNER, "type": "private", "first_name": "س"}
    bare = {"message_id": 5, "date": 1, "chat": chat}
    user = talk.user(OWNER, "ar")
    for update in (
        {"message": bare},
        {"message": {**bare, "from": {**user, "is_bot": True}, "text": "/help"}},
        {"edited_message": {**bare, "from": user, "text": "/help"}},
        {"channel_post": {**bare, "chat": {"id": CHANNEL, "type": "channel", "title": "أ"}, "text": "/help"}},
        {"poll_answer": {"poll_id": "1", "option_ids": [], "option_persistent_ids": []}},
    ):
        await talk.update(update)
    assert talk.said(OWNER) == [] and talk.actions() == []
    assert len(await talk.say(OWNER, "/help@RASID_test_bot")) == 1
    assert await talk.say(OWNER, "/help@another_bot") == []
    await talk.update({"message": {**bare, "from": user, "photo": []}})
    assert len(talk.said(OWNER)) == 2  # a picture: it says that it wants commands


async def test_it_is_off_unless_told_otherwise_and_obeys_an_edit(tmp_path: Path) -> None:
    async with talking(f"sqlite:///{tmp_path / 'rasid.db'}", tmp_path) as talk:
        await talk.say(READER, "/help")
        settings = talk.folder / "rasid.yaml"
        text = settings.read_text(encoding="utf-8")
        talk.write = lambda more="": settings.write_text(  # type: ignore[method-assign,assignment]
            text.replace("enabled: true", "enabled: false"), encoding="utf-8"
        )
        await talk.reload()
        talk.server.updates.add({"message": {"message_id": 1, "date": 1, "chat": {"id": READER, "type": "private"}}})
        await asyncio.sleep(0.3)
        assert talk.server.updates.pending != []
        strike(talk)
        await talk.deliver()
        assert talk.buttons() == {}  # no bot, no buttons


def test_a_bot_that_can_answer_nobody_is_warned_of(tmp_path: Path) -> None:
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as here:
        here.outlets("anba")
        settings = (here.config / "rasid.yaml").read_text(encoding="utf-8")
        here.write("rasid.yaml", settings + "bot: {enabled: true}\n")
        assert "nobody may use it" in here.rasid("check").stdout
        here.write("rasid.yaml", settings + 'bot: {enabled: true, mode: webhook, owners: ["12x"]}\n')
        wrong = here.rasid("check", check=False)
        assert wrong.returncode == 2 and "is no user id" in wrong.stdout + wrong.stderr
        here.write("rasid.yaml", settings + 'bot: {enabled: true, mode: webhook, owners: ["12"]}\n')
        wrong = here.rasid("check", check=False)
        assert "needs webhook.url" in wrong.stdout + wrong.stderr


async def test_by_webhook_only_telegram_is_believed(tmp_path: Path, unused_tcp_port: int) -> None:
    mode = f"""  mode: webhook
  webhook: {{url: "http://127.0.0.1:{unused_tcp_port}/rasid", port: {unused_tcp_port}}}"""
    async with talking(f"sqlite:///{tmp_path / 'rasid.db'}", tmp_path, mode) as talk:
        await talk.until(lambda: talk.server.updates.webhook)
        secret = talk.server.updates.webhook["secret_token"]
        assert secret == derived(TOKEN, "webhook").hex() and TOKEN not in secret
        message = {"message_id": 1, "date": 1, "chat": {"id": READER, "type": "private"}, "text": "/help"}
        update = {"update_id": 7, "message": {**message, "from": talk.user(READER, "ar")}}
        async with aiohttp.ClientSession(trust_env=False) as session:

            async def post(body: object, **headers: str) -> int:
                async with session.post(
                    f"http://127.0.0.1:{unused_tcp_port}/rasid", json=body, headers=headers
                ) as reply:
                    return reply.status

            name = "X-Telegram-Bot-Api-Secret-Token"
            assert await post(update) == 404
            assert await post(update, **{name: "wrong"}) == 404
            assert talk.said(READER) == []
            assert await post(update, **{name: secret}) == 200
            assert await post(update, **{name: secret}) == 200  # told twice, done once
            assert await post("no update", **{name: secret}) == 400
            assert await post({"update_id": 8, "message": "x" * 2_000_000}, **{name: secret}) in (400, 413)
        assert len(talk.said(READER)) == 1
        talk.server.updates.add({k: v for k, v in update.items() if k != "update_id"})
        await talk.until(lambda: len(talk.said(READER)) == 2)
        await talk.reload()  # back to asking, which takes the webhook away
        await talk.until(lambda: not talk.server.updates.webhook)
        assert await talk.say(READER, "/help") != []


def test_the_daemon_itself_answers_beside_its_alerts(tmp_path: Path) -> None:
    """`rasid run` with the bot: a button is pressed, a rule followed, and it stops like ever."""
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as here:
        here.chat(id=OWNER, type="private", status="member")
        settings = (here.config / "rasid.yaml").read_text(encoding="utf-8")
        here.write("rasid.yaml", settings + f'bot: {{enabled: true, owners: ["{OWNER}"]}}\n')
        here.feeds.set("/anba", rss("anba", STRIKE))
        here.outlets("anba")
        here.start()
        here.wait(lambda: len(here.messages()) == 1)
        (row, *_) = here.messages()[0]["markup"]["inline_keyboard"]
        user = {"id": OWNER, "is_bot": False, "first_name": "ليلى", "language_code": "ar"}
        query = {"id": "1", "from": user, "chat_instance": "1", "data": row[0]["callback_data"]}
        here._get("/updates", json.dumps({"callback_query": query}).encode())
        here.wait(lambda: here.rows("select rule_id from silences") == [("shahed",)])
        chat = {"id": OWNER, "type": "private", "first_name": "ليلى"}
        for text in ("/follow caucasus", "/status"):
            message = {"message_id": 1, "date": int(time.time()), "chat": chat, "from": user, "text": text}
            here._get("/updates", json.dumps({"message": message}).encode())
        here.wait(lambda: len([one for one in here.ledger()["messages"] if one["chat"] == OWNER]) == 2)
        assert here.stop() == 0
        actions = json.loads(here.rasid("audit", "--json").stdout)["actions"]
        assert [one["action"] for one in actions] == ["/status", "/follow", "mute rule"]
        assert "mute rule" in here.rasid("audit").stdout
        assert TOKEN not in here.log()
