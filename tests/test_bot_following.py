"""Rules followed in private: the same outbox, the same guarantees, and an end when somebody may no longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import time, timedelta
from pathlib import Path

import pytest

from monitor import pipeline
from monitor.faces.bot.way import way
from monitor.model_delivery import PERSON, Channel
from monitor.runtime import assembly, configuration, following
from monitor.store.delivery_records import DeliveryFilter
from monitor.store.records import HitFilter
from tests.desk import desks
from tests.talk import CHANNEL, EDITOR, READER, Talk, talking
from tests.telegram_server import Fault
from tests.test_bot import STRIKE, strike

SHAHED = "مسيّرات شاهد"


@pytest.fixture
async def talk(store_url: str, tmp_path: Path) -> AsyncIterator[Talk]:
    async with talking(store_url, tmp_path) as found:
        yield found


def alerts(talk: Talk, chat: int) -> list[str]:
    return [one for one in talk.said(chat) if "إسقاط" in one]


async def test_a_reader_hears_in_private_of_the_rules_they_follow(talk: Talk) -> None:
    assert "تتابع الآن" in (await talk.say(READER, "/follow shahed"))[0]
    assert "بالفعل" in (await talk.say(READER, "/follow shahed"))[0]
    assert "حالتها تجربة" in (await talk.say(READER, "/follow quiet"))[0]
    assert "أتقصد shahed؟" in (await talk.say(READER, "/follow shahid"))[0].replace("\u2068", "").replace("\u2069", "")
    listed = (await talk.say(READER, "/following"))[0]
    assert SHAHED in listed and "quiet" in listed and "port" not in listed
    strike(talk)
    await talk.deliver()
    (private,), (public,) = alerts(talk, READER), alerts(talk, CHANNEL)
    assert SHAHED in private and "الميناء" not in private  # only what they follow
    assert SHAHED in public and "الميناء" in public
    assert alerts(talk, EDITOR) == []
    strike(talk, "b")  # their message grows like every other
    await talk.deliver()
    stored = [one for one in talk.server.chats[READER].messages.values() if "إسقاط" in one["text"]]
    assert len(stored) == 1 and "الصدى" in stored[0]["text"]
    assert [one["text"] for row in stored[0]["markup"]["inline_keyboard"] for one in row] == ["المزيد"]  # they may look
    row = talk.desk.flow.store.hits(HitFilter(rule="shahed")).items[-1]
    assert sorted((post.channel, post.state) for post in row.posts) == [("main", "sent"), (f"{PERSON}{READER}", "sent")]

    assert "لم تعد تتابع القاعدة" in (await talk.say(READER, "/unfollow shahed"))[0]
    assert "لا تتابع القاعدة" in (await talk.say(READER, "/unfollow shahed"))[0]
    assert "(1)" in (await talk.say(READER, "/unfollow all"))[0]
    assert talk.desk.flow.followers == {}
    talk.desk.take("a", "ضبط طائرة شاهد جديدة في الميناء", "عثر رجال الأمن على طائرة شاهد في ميناء بعيد عن العاصمة.")
    await talk.deliver()
    assert len(alerts(talk, READER)) == 1 and len(talk.said(CHANNEL)) == 2


async def test_what_was_on_its_way_when_they_unfollowed_still_arrives(talk: Talk) -> None:
    await talk.say(READER, "/follow shahed")
    strike(talk)
    await talk.say(READER, "/unfollow all")
    assert talk.desk.flow.followers == {}
    await talk.deliver()
    assert len(alerts(talk, READER)) == 1
    await following.refresh(talk.desk.flow, lambda: talk.found, talk.now())
    assert list(talk.desk.flow.channels) == ["main"]


async def test_a_person_has_the_quiet_hours_and_the_limit_of_channels_that_set_none(talk: Talk) -> None:
    await talk.say(READER, "/follow port")
    await talk.reload("\nalerts: {quiet: 13:00-16:00}")
    main, person = talk.desk.flow.channels.values()
    assert (person.quiet, person.burst, person.burst_window) == (main.quiet, main.burst, main.burst_window)
    assert person.quiet == (time(13), time(16)) and person.burst
    strike(talk)
    await talk.deliver()
    assert alerts(talk, READER) == []
    talk.desk.at += 60 * 2
    await talk.deliver()
    assert len(alerts(talk, READER)) == 1
    await talk.reload()
    assert talk.desk.flow.channels[f"{PERSON}{READER}"].quiet is None


async def test_a_reader_who_blocks_the_bot_is_held_and_hears_it_all_later(talk: Talk) -> None:
    await talk.say(READER, "/follow shahed")
    talk.server.chats[READER].status = "kicked"
    strike(talk)
    await talk.deliver()
    (held,) = [one for one in talk.desk.flow.store.chats() if PERSON + str(READER) in one.channels]
    assert "blocked by the user" in held.hold_reason and held.queued == 1
    notices = [one.text for one in talk.desk.flow.store.notices()]
    assert any(PERSON + str(READER) in one and "blocked" in one for one in notices)
    assert len(alerts(talk, CHANNEL)) == 1  # nobody else waits for it
    talk.server.chats[READER].status = "member"
    talk.desk.at += 60 * 7
    await talk.deliver()
    assert len(alerts(talk, READER)) == 1


async def test_who_may_no_longer_use_the_bot_is_sent_nothing_more_with_a_reason(talk: Talk) -> None:
    await talk.say(READER, "/follow shahed")
    strike(talk)
    settings = talk.folder / "rasid.yaml"
    await talk.reload()
    assert talk.desk.flow.followers == {"shahed": (f"{PERSON}{READER}",)}  # an edit loses nobody
    text = settings.read_text(encoding="utf-8").replace('readers: ["77003"]', "readers: []")
    talk.write = lambda more="": settings.write_text(text, encoding="utf-8")  # type: ignore[method-assign,assignment]
    await talk.reload()
    await talk.deliver()
    assert alerts(talk, READER) == [] and len(alerts(talk, CHANNEL)) == 1
    (dead,) = talk.desk.flow.store.deliveries(DeliveryFilter(("dead",))).items
    assert (dead.channel, dead.reason) == (f"{PERSON}{READER}", following.NO_ACCESS)
    assert await talk.say(READER, "/following") == []


async def test_another_process_learns_who_follows_what(talk: Talk) -> None:
    talk.desk.flow.store.follow(str(READER), "port", "en", talk.now())
    strike(talk)
    await following.refresh(talk.desk.flow, lambda: talk.found, talk.now())
    talk.desk.at += 120
    talk.desk.take("b", "حريق في ميناء صغير", "اندلع حريق كبير في ميناء صغير صباح اليوم ولم يصب أحد بأذى في المكان.")
    await talk.deliver()
    assert [one for one in talk.said(READER) if "The port" in one and "حريق" in one] != []


async def test_a_send_of_unknown_outcome_is_quarantined_for_a_person_too(talk: Talk) -> None:
    await talk.say(READER, "/follow port")
    talk.server.faults.append(Fault("reset", times=2, after=True))
    strike(talk)
    await pipeline.deliver_due(talk.desk.flow, talk.now)
    states = {one.channel: one.state for one in talk.desk.flow.store.deliveries(DeliveryFilter()).items}
    assert states == {"main": "unknown", f"{PERSON}{READER}": "unknown"}
    talk.desk.at += 1
    await pipeline.deliver_due(talk.desk.flow, talk.now)
    assert len(alerts(talk, READER)) == 1
    talk.desk.at += 1
    await talk.deliver()
    assert {one.state for one in talk.desk.flow.store.deliveries(DeliveryFilter()).items} == {"sent"}
    assert len(alerts(talk, READER)) == 2  # the one duplicate that the promise allows


def test_a_person_is_no_default_channel(tmp_path: Path) -> None:
    with desks(f"sqlite:///{tmp_path / 'rasid.db'}") as (desk,):
        person = f"{PERSON}{READER}"
        desk.flow.channels = {person: Channel(person, "telegram")}
        assert desk.take("a", "شاهد", "طائرة من طراز شاهد").alerts == 0
        assert desk.rows("select code from hits") == [("no_channel",)]
        desk.flow.followers = {"shahed": (person,)}
        assert desk.take("b", "حريق", "شاهد الناس حريقا كبيرا في الجبل البعيد").alerts == 1
        assert desk.rows("select channel from messages") == [(person,)]


@pytest.mark.parametrize("late", [False, True])
async def test_a_process_that_does_not_listen_tells_those_who_follow_all_the_same(talk: Talk, late: bool) -> None:
    """Of several processes on one database one listens. late: what the other one told is sent by the one that does."""
    await talk.say(READER, "/follow shahed")
    url = talk.environ["RASID_DATABASE__URL"]
    elsewhere = configuration.load(talk.folder, talk.environ | {"RASID_BOT__LISTEN": "false"})
    with desks(url) as (other,):
        await assembly.configure(other.flow, elsewhere, talk.now())
        other.at = talk.desk.at
        other.take("a", STRIKE[0].format(n=20), STRIKE[1].format(n=20))
        await following.refresh(other.flow, lambda: elsewhere, talk.now())
        assert not way(elsewhere).token
        talk.desk.at = other.at
        if late:
            await following.refresh(talk.desk.flow, lambda: talk.found, talk.now())
            await talk.deliver()
        else:
            await pipeline.deliver_due(other.flow, lambda: talk.now() + timedelta(minutes=1))
        await assembly.close_transports(other.flow)
    assert len(alerts(talk, READER)) == 1
    assert [one.state for one in talk.desk.flow.store.deliveries(DeliveryFilter()).items] == ["sent", "sent"]
    assert talk.buttons() != {}


async def test_who_follows_in_another_language_cuts_off_nothing_that_is_being_sent(talk: Talk) -> None:
    """As somebody does who has Telegram on two devices in two languages."""
    await talk.say(READER, "/follow shahed", "ar")
    talk.server.faults.append(Fault("pause", times=2, seconds=1.0))
    strike(talk)
    sending = asyncio.create_task(pipeline.deliver_due(talk.desk.flow, talk.now))
    await talk.until(lambda: not any(one.times for one in talk.server.faults))
    talk.desk.flow.store.follow(str(READER), "port", "en", talk.now())
    await following.refresh(talk.desk.flow, lambda: talk.found, talk.now())
    await sending
    assert len(alerts(talk, READER)) == 1
    assert {one.state for one in talk.desk.flow.store.deliveries(DeliveryFilter()).items} == {"sent"}
    assert talk.desk.flow.channels[f"{PERSON}{READER}"].language == "en"


async def test_an_id_written_with_a_nought_before_it_is_the_same_person(talk: Talk) -> None:
    settings = talk.folder / "rasid.yaml"
    text = settings.read_text(encoding="utf-8").replace("77003", "077003").replace("77002", "077002")
    talk.write = lambda more="": settings.write_text(text, encoding="utf-8")  # type: ignore[method-assign,assignment]
    await talk.reload()
    for person in (READER, EDITOR):
        assert "تتابع الآن" in (await talk.say(person, "/follow shahed"))[0]
    strike(talk)
    await talk.deliver()
    assert len(alerts(talk, READER)) == len(alerts(talk, EDITOR)) == 1
    (stored,) = [one for one in talk.server.chats[EDITOR].messages.values() if "إسقاط" in one["text"]]
    assert sum(map(len, stored["markup"]["inline_keyboard"])) > 1  # an editor may do more than look
