"""What the operator hears of feeds and edits: each trouble once, and its end."""

from dataclasses import replace
from pathlib import Path

from monitor.arrivals import PollReport
from monitor.model import Channel, Feed, FeedState, Outlet
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
