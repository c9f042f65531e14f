"""What the operator hears of feeds and edits: each trouble once, and its end."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.arrivals import PollReport
from monitor.errors import StoreError
from monitor.model import Feed, FeedState, Outlet
from monitor.model_delivery import Channel
from monitor.runtime import logs
from monitor.runtime.troubles import DEAD_AFTER, NOBODY_ANSWERS, Troubles
from tests.test_pipeline import NOW, World, world

OUTLET = Outlet("a", "أ", "Anba", "LB", "ar")
FEED = Feed("a", "https://a.example/rss", OUTLET)
STATE = FeedState("a", next_due=NOW)


def told(here: World) -> list[str]:
    return [str(row[0]) for row in here.rows("select text from messages where kind = 'operator' order by id")]


def listening(here: World) -> Troubles:
    here.flow.channels = {"ops": Channel("ops", "console")}
    here.flow.operator = "ops"
    return Troubles(here.flow, lambda: NOW)


async def test_a_feed_that_stays_dead_is_told_once_and_that_it_answers_again(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        troubles = listening(here)
        await troubles.polled(replace(FEED, id="b"), STATE, PollReport("b"))
        for failures in range(DEAD_AFTER + 3):
            await troubles.polled(FEED, replace(STATE, failures=failures), PollReport("a", error=f"dns {failures}"))
            assert len(told(here)) == (failures + 1 >= DEAD_AFTER)
        await troubles.polled(FEED, replace(STATE, failures=9), PollReport("a", new=1))
        first, second = told(here)
        assert "Feed a (Anba) has not answered" in first and "Feed a (Anba) answers again" in second
        assert troubles.failing == 0


async def test_a_feed_that_is_closed_is_told_at_once_whatever_its_address_holds(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        troubles = listening(here)
        await troubles.polled(replace(FEED, id="b"), STATE, PollReport("b"))
        await troubles.polled(FEED, STATE, PollReport("a", error="https://a.example/410 answered 500"))
        assert told(here) == []
        await troubles.polled(FEED, STATE, PollReport("a", error="answered 410", gone=True))
        assert len(told(here)) == 1 and "closed by its outlet" in told(here)[0]


async def test_that_no_feed_answers_is_told_once_also_over_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        for _ in range(2):  # the second is a daemon that was started again
            troubles = listening(here)
            for name in "abcd":
                await troubles.polled(replace(FEED, id=name), STATE, PollReport(name, error="dns"))
        assert len(told(here)) == 1 and "rasid demo" in told(here)[0]
        troubles = listening(here)
        await troubles.polled(FEED, STATE, PollReport("a", new=1))
        assert told(here)[1:] == ["Feeds answer again."]
        assert [one.key for one in here.flow.store.notices() if one.key == NOBODY_ANSWERS] == []


async def test_that_no_feed_answers_any_more_is_told_once_and_not_for_each_feed(tmp_path: Path) -> None:
    names = "abcdefgh"
    async with world(tmp_path) as here:
        troubles = listening(here)
        await troubles.started(names)
        for name in names:
            await troubles.polled(replace(FEED, id=name), STATE, PollReport(name, new=1))
        for failures in range(DEAD_AFTER + 2):
            for name in names:
                state, lost = replace(STATE, failures=failures), PollReport(name, error="dns")
                await troubles.polled(replace(FEED, id=name), state, lost)
        assert len(told(here)) == 1 and "No feed can be reached (dns)" in told(here)[0]
        for name in names:
            await troubles.polled(replace(FEED, id=name), replace(STATE, failures=9), PollReport(name, new=1))
        assert told(here)[1:] == ["Feeds answer again."]


async def test_feeds_that_fail_while_others_answer_are_their_own_trouble(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        troubles = listening(here)
        await troubles.started("abcdefgh")
        for failures in range(3):
            for name in "abcdefgh":
                well = PollReport(name, new=1) if name in "ah" else PollReport(name, error="500", reached=True)
                lost = PollReport(name, error="dns")
                report = lost if name in "bcd" else well
                await troubles.polled(replace(FEED, id=name), replace(STATE, failures=failures), report)
        assert told(here) == []


async def test_a_clock_put_back_is_told_once_if_it_is_by_more_than_a_correction(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        troubles = listening(here)
        await troubles.clock_put_back(timedelta(seconds=5))
        assert told(here) == []
        await troubles.clock_put_back(timedelta(hours=1))
        assert len(told(here)) == 1 and "put back by 60 min" in told(here)[0]


async def test_a_start_says_at_once_that_no_feed_answered_when_it_was_last_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info", "console", ())
    async with world(tmp_path) as here:
        store = here.flow.store
        store.sync_feeds([replace(FEED, id=one) for one in "abc"], NOW)
        await listening(here).started("abc")  # nothing was asked yet
        for one, failures in zip("abc", (3, 4, 0), strict=True):
            due = NOW + timedelta(minutes=42)
            store.save_feed(FeedState(one, next_due=due, failures=failures, last_error=(failures and "dns") or None))
        await listening(here).started("abc")  # one feed answers
        assert capsys.readouterr().err == "" and told(here) == []
        await listening(here).started("ab")
        await listening(here).started("ab")  # was told to the operator before; whoever starts it is told again
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 2 and all("No feed can be reached (dns)" in line for line in lines)
        assert "first in 42 min" in lines[0] and "rasid demo" in lines[0]
        assert len(told(here)) == 1
        troubles = listening(here)
        await troubles.started("ab")
        await troubles.polled(FEED, replace(STATE, failures=3), PollReport("a", new=1))
        assert told(here)[1:] == ["Feeds answer again."]


async def test_each_outage_of_the_database_is_logged_and_one_that_lasts_not_at_every_try(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info", "console", ())
    async with world(tmp_path) as here:
        troubles = listening(here)
        for _ in range(2):
            for _ in range(3):
                troubles.store_fails(StoreError("it is locked"), "poll")
            await troubles.store_works("poll")
        assert len(told(here)) == 1 and "it is locked" in told(here)[0]  # the second came within ten minutes
    lines = capsys.readouterr().err.splitlines()
    assert ["fails;" in line for line in lines] == [True, False, True, False]


async def test_what_is_odd_about_a_feed_is_logged_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "console", ())
    async with world(tmp_path) as here:
        troubles = listening(here)
        for number in range(3):
            notes = (f"malformed XML: line {number}", "encoding: mixed")
            await troubles.polled(FEED, STATE, PollReport("a", notes=notes))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and "malformed XML: line 0" in lines[0] and "encoding: mixed" in lines[1]


async def test_a_broken_edit_is_told_with_its_places_and_that_it_was_mended(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        troubles = listening(here)
        problems = [f"rules.yaml:{number}:5: rules.0.match: what, and the mend" for number in range(9)]
        await troubles.broken_edit(problems)
        await troubles.broken_edit(problems)
        await troubles.mended()
        first, second = told(here)
        assert "rules.yaml:0:5" in first and "and 4 more" in first and "last good one stays in force" in first
        assert "in force" in second
        due = here.rows("select due_at from deliveries order by id")
        assert len({str(row[0]) for row in due}) == 2  # a minute apart
