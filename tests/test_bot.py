"""The bot and the people who talk to it, on both databases, before a real Bot API server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.delivery import callbacks
from monitor.faces.bot import answering, commands, doing
from monitor.faces.bot.commands import COMMANDS
from monitor.faces.bot.desk import Asked
from monitor.faces.bot.sheet import Sheet
from monitor.model import Silence
from monitor.model_delivery import Route
from monitor.store.records import HitFilter
from monitor.store.store import Store
from tests.command import rasid
from tests.talk import CHANNEL, EDITOR, OWNER, READER, RULES, STRANGER, Talk, talking
from tests.telegram_server import TOKEN
from tests.test_ledger import TEXTS

STRIKE = TEXTS[0]


@pytest.fixture
async def talk(store_url: str, tmp_path: Path) -> AsyncIterator[Talk]:
    async with talking(store_url, tmp_path) as found:
        yield found


def strike(talk: Talk, outlet: str = "a", number: int = 20) -> None:
    """A story that shahed and port hit."""
    talk.desk.take(outlet, STRIKE[0].format(n=number), STRIKE[1].format(n=number))


async def test_a_rule_shows_what_holds_its_alerts_back(talk: Talk) -> None:
    controls = "cooldown: 1h\n    max_per_hour: 5\n    min_outlets: 2\n    escalate: 11\n    muted_by: [shahed]"
    (talk.folder / "rules.yaml").write_text(RULES.replace("cooldown: 1h", controls), encoding="utf-8")
    await talk.reload()
    said = (await talk.say(READER, "/rule port"))[0].splitlines()
    assert said[3:8] == [
        "مهلة التهدئة: 1h",
        "أقصى عدد للتنبيهات في الساعة: 5",
        "يُنبَّه متى نقلت الخبر وسيلتان",
        "تُرفع الأهمية إلى عالية متى نقلت الخبر 11 وسيلة",
        "تسكت عمّا نبّهت إليه: مسيّرات شاهد (\u2068shahed\u2069)",
    ]


async def test_what_takes_too_long_is_given_up_and_says_so(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "PATIENCE", 0.0)
    assert await talk.say(OWNER, "/status", "en") == ["That took too long, so I gave it up. Ask for less."]
    assert talk.actions() == [(str(OWNER), "owner", "/status", "given up after 0 s")]


async def test_what_it_began_to_write_it_does_not_say_it_gave_up(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor who is told so believes that the alerts go on, or silences them twice."""
    monkeypatch.setattr(answering, "PATIENCE", 0.2)
    add = Store.add_silence

    def slow(store: Store, silence: Silence) -> Silence:
        time.sleep(0.6)  # as behind another program that holds the database
        return add(store, silence)

    monkeypatch.setattr(Store, "add_silence", slow)
    (answer,) = await talk.say(EDITOR, "/silence port 6h", "en")
    (held,) = talk.desk.flow.store.silences(talk.now())
    assert f"number {held.id}" in answer
    assert talk.actions()[-1][3].startswith(f"silence {held.id} until")


async def test_what_waits_for_its_turn_to_write_is_given_up_and_not_done(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "PATIENCE", 0.1)

    async def held_up(asked: Asked) -> Sheet:
        talk.desk.flow.writer.submit(time.sleep, 0.5)
        return await doing.silence(asked)

    told = commands.COMMANDS["silence"]._replace(does=held_up)
    monkeypatch.setattr(commands, "COMMANDS", {**commands.COMMANDS, "silence": told})
    assert await talk.say(EDITOR, "/silence port 6h", "en") == ["That took too long, so I gave it up. Ask for less."]
    assert talk.desk.flow.store.silences(talk.now()) == []


async def test_a_stranger_gets_nothing_and_leaves_no_trace(talk: Talk) -> None:
    strike(talk)
    await talk.deliver()
    sign = callbacks.sign(TOKEN, "m", 1)
    for text in ("/start", "/status", "/follow shahed", "hello", "/help@rasid_test_bot"):
        assert await talk.say(STRANGER, text) == []
    assert await talk.press(STRANGER, sign) == []
    assert await talk.say(OWNER, "/status", chat=CHANNEL) == []  # nor does anybody in front of others
    assert await talk.say(READER, "/help") != []
    assert talk.actions() == [(str(READER), "reader", "/help", "answered")]
    assert talk.desk.flow.store.silences(talk.now()) == []
    assert talk.desk.flow.store.follows() == []


async def test_each_role_may_do_what_is_its_own(talk: Talk) -> None:
    refused = ["/audit", "/silence shahed 6h"]
    for text in refused:
        (answer,) = await talk.say(READER, text)
        assert "ليس من صلاحيات دورك" in answer
    assert "not for you to do: you are an editor" in (await talk.say(EDITOR, "/audit", "en"))[0]
    assert "الكتم رقم 1" in (await talk.say(EDITOR, "/silence shahed 6h كثرة"))[0]
    assert "/silence shahed" in (await talk.say(OWNER, "/audit"))[0]
    assert [one[3] for one in talk.actions()][:3] == [
        "refused: not an owner",
        "refused: not an editor",
        "refused: not an owner",
    ]
    helped = {person: (await talk.say(person, "/help", "en"))[0] for person in (OWNER, READER)}
    assert "/audit" in helped[OWNER] and "/audit" not in helped[READER]
    assert all(f"/{name}" in helped[OWNER] for name in COMMANDS)


async def test_a_silence_begun_in_a_chat_mutes_what_comes(talk: Talk) -> None:
    (answer,) = await talk.say(EDITOR, "/silence port 6h", "en")
    (held,) = talk.desk.flow.store.silences(talk.now())
    assert (held.rule_id, held.until - held.created) == ("port", timedelta(hours=6))
    assert held.author == f"telegram:{EDITOR} ليلى" and f"number {held.id}" in answer
    strike(talk)
    fates = {row.hit.rule_id: row.fate for row in talk.desk.flow.store.hits(HitFilter()).items}
    assert fates == {"shahed": "queued", "port": "muted", "quiet": "muted"}
    assert "rule port" in (await talk.say(READER, "/silence", "en"))[0]
    assert "is over" in (await talk.say(EDITOR, f"/silence end {held.id}", "en"))[0]
    assert (await talk.say(READER, "/silence", "en"))[0].endswith("Nothing.")
    for wrong in ("shahed", "shahed long", "story x 6h", "story 99 6h", "end"):
        assert len(await talk.say(EDITOR, f"/silence {wrong}", "en")) == 1
    assert talk.desk.flow.store.silences(talk.now()) == []
    assert "Did you mean port?" in (await talk.say(EDITOR, "/silence prot 6h", "en"))[0]
    (none,) = await talk.say(EDITOR, "/silence port 0h")  # nothing lasts no time, and the answer is in Arabic
    assert none == "المدة تُكتب هكذا: 30m أو 6h أو 2d."
    assert await talk.say(EDITOR, "/silence story 99 6h") == ["لا قصة برقم 99."]
    assert (await talk.say(EDITOR, "/silence outlet zz 6h"))[0].startswith("لا وسيلة باسم")
    assert [one[3] for one in talk.actions()][-3:] == ["no duration", "no such story", "no such outlet"]
    assert "القصة 1، حتى" in (await talk.say(EDITOR, "/silence story 1 2d"))[0]
    assert "الوسيلة \u2068a\u2069" in (await talk.say(EDITOR, "/silence outlet a 2d"))[0]
    assert talk.desk.flow.store.silences(talk.now())[1].story_id == 1


async def test_a_silence_of_a_story_that_was_merged_names_the_one_it_became(talk: Talk) -> None:
    strike(talk)
    talk.desk.take("b", *TEXTS[1])
    talk.desk.merge(1, 2)
    assert await talk.say(EDITOR, "/silence story 2 6h", "en") == ["There is no story 2.\nDid you mean 1?"]


async def test_a_rule_that_names_no_channel_tells_that_routes_decide(talk: Talk) -> None:
    assert "القنوات: القناة الأولى" in (await talk.say(READER, "/rule port"))[0]
    talk.desk.flow.routes = (Route(("main",)),)
    assert "القنوات: بحسب المسارات" in (await talk.say(READER, "/rule port"))[0]


async def test_buttons_under_an_alert_act_on_it(talk: Talk) -> None:
    strike(talk)
    await talk.deliver()
    strike(talk, "b")
    found = talk.buttons()
    mute = "🔕 كتم 6 ساعات"
    assert list(found) == [f"{mute}: مسيّرات شاهد", f"{mute}: الميناء", "🔇 كتم القصة", "✗ لا يعنيني", "المزيد"]
    assert all(len(one.encode()) <= 64 for one in found.values())
    rule, _, story, unfit, more = found.values()

    assert "ليس من صلاحيات" in (await talk.press(READER, rule))[0]
    (told,) = await talk.press(EDITOR, rule)
    assert "كُتمت القاعدة مسيّرات شاهد" in told
    assert await talk.press(EDITOR, rule) == [told]  # pressed twice, silenced once
    (muted,) = await talk.press(EDITOR, story)
    assert "كُتمت القصة" in muted and "#1" in muted
    silences = talk.desk.flow.store.silences(talk.now())
    assert [(one.rule_id, one.story_id) for one in silences] == [(None, 1), ("shahed", None)]

    assert await talk.press(EDITOR, unfit) == ["سُجّل: لا يعنيك."]
    assert await talk.press(EDITOR, unfit) == ["سُجّل ذلك من قبل."]
    assert await talk.press(OWNER, unfit) == ["سُجّل: لا يعنيك."]
    alerts = talk.desk.flow.store.alerts(HitFilter()).items
    assert {one.not_relevant for one in alerts} == {(str(OWNER), str(EDITOR))}

    before = len(talk.said(READER))
    assert await talk.press(READER, more) == ["أرسلته إليك في محادثتنا."]
    (text,) = talk.said(READER)[before:]
    assert "النبأ" in text and "الصدى" in text and "سبب الإصابة" in text and "«شاهد»" in text
    assert "t.me/c/1234567890/1" in text
    await talk.deliver()
    assert talk.buttons() == found  # an edit keeps them


async def test_more_tells_who_has_no_chat_with_the_bot_to_open_one(talk: Talk) -> None:
    strike(talk)
    await talk.deliver()
    talk.server.chats[READER].status = "kicked"
    assert await talk.press(READER, talk.buttons()["المزيد"]) == ["افتح محادثة معي واضغط «ابدأ»، ثم أعد المحاولة."]


FORGED = (
    "",
    "m.1.AAAAAAAAAAAAAAAA",
    "m.1",
    "x" * 64,
    "m.١.AAAAAAAAAAAAAAAA",
    callbacks.sign("123456789:another", "m", 1),
    callbacks.sign(TOKEN, "m", 1).replace("m.1.", "m.2."),
    callbacks.sign(TOKEN, "z", 1),
    callbacks.sign(TOKEN, "m", 10**9),
    callbacks.sign(TOKEN, "m", 10**17),
    callbacks.sign(TOKEN, "m", 1) + "\x00",
)


async def test_a_forged_button_does_nothing(talk: Talk) -> None:
    strike(talk)
    for data in FORGED:
        popups = await talk.press(OWNER, data)
        assert popups in (["هذا الزر لم يعد صالحًا."], ["هذا التنبيه لم يعد موجودًا."])
    assert talk.desk.flow.store.silences() == []
    assert len(talk.actions()) == len(FORGED)


async def test_an_update_that_comes_twice_is_done_once(talk: Talk) -> None:
    await talk.say(EDITOR, "/silence port 6h")
    done = len(talk.said(EDITOR))
    update = {
        "update_id": 1000,  # the number that the server gave the first
        "message": {
            "message_id": 1,
            "date": 1_790_000_000,
            "chat": {"id": EDITOR, "type": "private", "first_name": "س"},
            "from": talk.user(EDITOR, "ar"),
            "text": "/silence port 6h",
        },
    }
    await talk.reload("  language: ar")  # the bot begins anew and asks for all updates
    talk.server.updates.pending.append(update)
    talk.server.updates._came.set()
    await talk.until(lambda: not talk.server.updates.pending)
    assert len(talk.desk.flow.store.silences()) == 1
    assert len(talk.said(EDITOR)) == done and len(talk.actions()) == 1


async def test_whoever_floods_is_told_once_and_then_not_answered(store_url: str, tmp_path: Path) -> None:
    async with talking(store_url, tmp_path, "  commands_a_minute: 5") as talk:
        answers = [await talk.say(READER, "/help") for _ in range(12)]
        assert [len(one) for one in answers] == [1] * 6 + [0] * 6
        assert answers[5] == ["أوامر كثيرة في دقيقة واحدة. انتظر دقيقة."]
        assert len(talk.actions()) == 6  # a flood does not fill the database either
        assert await talk.say(EDITOR, "/help") != []  # others are answered
        talk.desk.at += 2
        assert await talk.say(READER, "/help") != []


HOSTILE = (
    "/find " + "أ" * 4000,
    "/find \u202e\u0000\ufeff'; DROP TABLE hits; --",
    "/find -",
    "/find ***",
    "/test " + "شاهد طائرة <b>&lt;" * 200,
    "/test \u202eشاهد\u202c طائرة\n" + "سطر\n" * 900,
    "/rule " + "x" * 4000,
    "/rule <b>",
    "/rules " + "<i>" * 1000,
    "/hits \x00\x01\x02",
    "/unfollow " + "ـ" * 4000,
    "/follow ../../etc/passwd",
    "/silence " + "9" * 3000 + " 6h",
    "/silence story 999999999999999999999999 6h",
    "/silence rule shahed 99999999999999999999d",
    "/silence end 99999999999999",
    "/silence outlet \x1b[31mred 6h",
    "/\x1b[31mred",
    "/" + "a" * 4000,
    "/",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 500,
)


async def test_whatever_is_written_gets_one_answer_that_telegram_takes(talk: Talk) -> None:
    strike(talk)
    for text in HOSTILE:
        talk.desk.at += 1
        answers = await talk.say(OWNER, text)
        assert len(answers) == 1 and 0 < len(answers[0]) <= 4096
        assert not set(answers[0]) & set("\u202e\u202d\u0000\x01")
    assert not any(result.startswith("failed") for *_, result in talk.actions())
    listed = rasid(talk.folder, "audit", "--config", ".", environ=talk.environ).stdout
    assert "red" in listed and "\x1b" not in listed and len(listed.splitlines()) == len(HOSTILE)
    assert [one for one in talk.server.events if one["event"] == "refused"] == []
