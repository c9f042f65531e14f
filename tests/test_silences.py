"""Silences: what they mute, for how long, and what comes after them, on both databases."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from monitor.arrivals import release_held
from monitor.errors import QueryError
from monitor.matching.queries import Queries
from monitor.model import Decision, Silence
from monitor.model_delivery import Channel, Mode
from monitor.store.records import HitFilter
from tests.desk import NOW, SHAHED, Desk, desks
from tests.living import Living, living, rss
from tests.test_end_to_end import STRIKE as STRIKE_ITEM
from tests.test_late_matches import LANDSLIDE, PORT, SLIDE, STRIKE

HOUR = timedelta(hours=1)
COOLING = replace(SHAHED, cooldown=HOUR)


@pytest.fixture
def desk(store_url: str) -> Iterator[Desk]:
    with desks(store_url) as (made,):
        yield made


def silence(desk: Desk, lasts: timedelta = HOUR, **criteria: object) -> int:
    """A silence from now on."""
    now = NOW + timedelta(minutes=desk.at)
    asked = replace(Silence(0, now, now + lasts), **criteria)  # type: ignore[arg-type]
    return desk.flow.store.add_silence(asked).id


def codes(desk: Desk) -> list[object]:
    return [code for (code,) in desk.rows("select code from hits order by id")]


def test_a_hit_under_a_silence_is_muted_and_says_which_and_until_when(desk: Desk) -> None:
    desk.flow.timezone = "Asia/Riyadh"
    silence(desk, rule_id="shahed", reason="the drill")
    assert desk.take("a", "إسقاط طائرة شاهد", STRIKE).alerts == 0
    (row,) = desk.flow.store.hits(HitFilter()).items
    assert (row.hit.decision, row.fate, row.why) == (Decision.MUTED, "muted", "silenced")
    assert row.hit.detail == "silence 1 until 2026-03-01 16:00: the drill"
    assert desk.rows("select count(*) from messages") == [(0,)]


def test_all_criteria_of_a_silence_must_hold(desk: Desk) -> None:
    silence(desk, outlet_id="a", text="title:كييف")
    assert desk.take("a", "إسقاط طائرة شاهد فوق أوديسا", STRIKE).alerts == 1
    assert desk.take("b", "شاهد آخر في كييف", LANDSLIDE).alerts == 1
    assert desk.take("a", "طائرة شاهد رابعة فوق كييف", "حريق كبير في مستودع للوقود جنوب المدينة.").alerts == 0
    assert codes(desk) == ["new_story", "new_story", "silenced"]


def test_a_later_article_of_a_story_that_was_not_told_alerts_when_the_silence_is_over(desk: Desk) -> None:
    silence(desk, lasts=timedelta(minutes=3), rule_id="shahed")
    for outlet in "ab":
        assert desk.take(outlet, "إسقاط طائرة شاهد", STRIKE).alerts == 0
    desk.at += 1
    assert desk.take("c", "إسقاط طائرة شاهد", STRIKE).alerts == 1
    assert codes(desk) == ["silenced", "silenced", "new_story"]


def test_a_silence_that_was_ended_early_mutes_no_more_and_is_kept(desk: Desk) -> None:
    number = silence(desk, rule_id="shahed")
    now = NOW + timedelta(minutes=1)
    store = desk.flow.store
    ended = store.end_silence(number, now)
    assert ended is not None and (ended.ended, ended.end) == (now, now)
    assert desk.take("a", "إسقاط طائرة شاهد", STRIKE).alerts == 1
    assert store.silences(now) == [] and [one.id for one in store.silences()] == [number]
    again = store.end_silence(number, now + HOUR)
    assert again is not None and again.ended == now
    assert store.end_silence(99, now) is None


def test_what_waits_when_a_silence_begins_is_muted_only_where_its_time_comes_meanwhile(store_url: str) -> None:
    with desks(store_url, rules=[(COOLING, "شاهد")]) as (desk,):
        desk.take("a", "إسقاط طائرة شاهد", STRIKE)
        desk.take("b", "شاهد آخر في القرية", LANDSLIDE)
        desk.flow.store.end_silence(silence(desk, lasts=9 * HOUR, rule_id="shahed"), NOW + timedelta(minutes=50))
        silence(desk, lasts=HOUR / 2, rule_id="shahed")
        assert release_held(desk.flow, NOW + HOUR) == 0
        assert release_held(desk.flow, NOW + HOUR + timedelta(minutes=2)) == 1
        assert codes(desk) == ["new_story", "cooldown_over"]


def test_what_would_be_released_under_a_silence_is_muted(store_url: str) -> None:
    with desks(store_url, rules=[(COOLING, "شاهد")]) as (desk,):
        desk.take("a", "إسقاط طائرة شاهد", STRIKE)
        desk.take("b", "شاهد آخر في القرية", LANDSLIDE)
        silence(desk, lasts=9 * HOUR, text="القرية")
        assert release_held(desk.flow, NOW + HOUR / 2) == 0 and codes(desk)[1] == "cooldown"
        assert release_held(desk.flow, NOW + 2 * HOUR) == 0
        assert codes(desk) == ["new_story", "silenced"]


def test_a_hit_that_waits_for_outlets_is_muted_when_they_come_and_the_next_alerts(store_url: str) -> None:
    two = replace(SHAHED, min_outlets=2)
    with desks(store_url, rules=[(two, "شاهد")]) as (desk,):
        desk.take("a", "إسقاط طائرة شاهد", STRIKE)
        silence(desk, lasts=timedelta(minutes=2), story_id=1)
        desk.take("b", "إسقاط طائرة شاهد", STRIKE)
        assert codes(desk) == ["silenced", "silenced"]
        desk.at += 5
        assert desk.take("c", "إسقاط طائرة شاهد", STRIKE).alerts == 1


def test_a_story_that_was_told_goes_on_being_edited_but_no_other_rule_and_no_number_tells_it_again(
    store_url: str,
) -> None:
    asking = replace(SLIDE, developments=True)
    with desks(store_url, rules=[(asking, "انهيار"), (PORT, "مرفأ")]) as (desk,):
        desk.take("a", "انهيار أرضي يقتل 4 في قرية جبلية", LANDSLIDE)
        desk.deliver()
        silence(desk, story_id=1)
        assert desk.take("b", "انهيار أرضي يقتل 7 في قرية جبلية", LANDSLIDE + " قرب مرفأ").alerts == 0
        assert codes(desk) == ["new_story", "silenced", "silenced"]
        assert desk.deliver() == 1  # the edit that shows the second outlet
        desk.at += 60
        assert desk.take("c", "انهيار أرضي يقتل 7 في قرية جبلية", LANDSLIDE).alerts == 1  # the number was not told yet
        assert codes(desk)[3:] == ["number_changed"]


def test_a_channel_that_wants_each_article_gets_none_under_a_silence(desk: Desk) -> None:
    desk.flow.channels = {"main": Channel("main", "console", mode=Mode.EACH)}
    desk.take("a", "إسقاط طائرة شاهد", STRIKE)
    desk.take("b", "إسقاط طائرة شاهد", STRIKE)
    silence(desk, outlet_id="c")
    desk.take("c", "إسقاط طائرة شاهد", STRIKE)
    desk.take("d", "إسقاط طائرة شاهد", STRIKE)
    desk.deliver()
    told = [rendered.text for _, rendered in desk.posted]
    assert [next(name for name in "abcd" if f"https://{name}.example/" in text) for text in told] == ["a", "b", "d"]


def test_a_silence_of_a_story_follows_it_where_it_is_merged(desk: Desk) -> None:
    desk.take("a", "إسقاط طائرة شاهد", STRIKE)
    desk.take("b", "شاهد آخر في القرية", LANDSLIDE)
    silence(desk, story_id=2)
    desk.merge(1, 2)
    assert [one.story_id for one in desk.flow.store.silences()] == [1]


def test_an_article_that_is_split_off_under_a_silence_is_muted(desk: Desk) -> None:
    desk.take("a", "إسقاط طائرة شاهد", STRIKE)
    desk.take("b", "إسقاط طائرة شاهد", STRIKE)
    silence(desk, outlet_id="b")
    assert desk.split(1, 2).alerts == 0
    assert codes(desk) == ["new_story", "silenced"]


def test_every_process_obeys_at_once(store_url: str) -> None:
    with desks(store_url, 2) as (one, other):
        silence(one, rule_id="shahed")
        assert other.take("a", "إسقاط طائرة شاهد", STRIKE).alerts == 0


def test_what_was_over_long_ago_is_removed_with_all_else(desk: Desk) -> None:
    silence(desk, rule_id="shahed")
    desk.flow.store.end_silence(silence(desk, lasts=timedelta(days=900), outlet_id="a"), NOW)
    silence(desk, lasts=timedelta(days=900), outlet_id="b")
    list(desk.flow.store.prune_steps(NOW + timedelta(days=100), timedelta(days=90)))
    assert [one.outlet_id for one in desk.flow.store.silences()] == ["b"]


def test_a_query_that_cannot_be_read_any_more_silences_nothing(desk: Desk) -> None:
    silence(desk, text="title:(")
    assert desk.take("a", "إسقاط طائرة شاهد", STRIKE).alerts == 1
    with pytest.raises(QueryError):
        Queries().check("title:(")


# ── the command ──


@pytest.fixture
def here(tmp_path: Path, store_url: str) -> Iterator[Living]:
    with living(tmp_path, store_url) as found:
        found.outlets("anba", "sada")
        yield found


def test_a_running_daemon_obeys_a_silence_and_its_end(here: Living) -> None:
    here.feeds.set("/anba", rss("anba", STRIKE_ITEM))
    here.feeds.set("/sada", rss("sada", replace(STRIKE_ITEM, title="أوكرانيا: إسقاط 20 طائرة شاهد ليلا")))
    here.outlets("anba")
    assert (
        "silence 1 until" in here.rasid("silence", "add", "--rule", "shahed", "--for", "6h", "--reason", "نوم").stdout
    )
    here.start()
    here.wait(lambda: here.rows("select code from hits") == [("silenced",)])
    assert "silences\t1 in force" in here.rasid("status").stdout
    assert json.loads(here.rasid("alerts", "--json").stdout)["held_back"] == {"silenced": 1}
    told = here.rasid("silence", "list").stdout
    assert told.startswith("1\tin force\t") and "rule shahed (\u2068نوم\u2069)" in told
    assert "ends now" in here.rasid("silence", "end", "1").stdout
    here.outlets("anba", "sada")
    here.wait(lambda: len(here.messages()) == 1)
    assert here.rows("select code from hits order by id") == [("silenced",), ("new_story",)]
    assert "silenced" in here.rasid("hits").stdout
    assert "a silence was in force: \u2068silence 1 until" in here.rasid("ledger").stdout


def test_a_silence_that_lost_its_term_list_is_marked_and_told_once(here: Living) -> None:
    rules = (here.config / "rules.yaml").read_text(encoding="utf-8")
    here.write("rules.yaml", f"terms: {{sports: [كرة, دوري]}}\n{rules}")
    here.rasid("silence", "add", "--text", "$sports", "--for", "6h")
    here.rasid("silence", "add", "--text", "كرة", "--for", "6h")
    here.start()
    here.wait(lambda: "watching" in here.log())
    assert "silences nothing" not in here.log()
    here.write("rules.yaml", rules)
    here.wait(lambda: "Silence 1 silences nothing" in here.log())
    here.wait(lambda: any("rasid silence end 1" in one["text"] for one in here.messages()))
    here.write("rules.yaml", f"{rules}\n")
    here.wait(lambda: here.log().count("configuration reloaded") == 2)
    time.sleep(0.5)
    assert here.log().count("silences nothing") == 1
    problem = "there is no term list $sports; none is defined"
    fine, lost = here.rasid("silence", "list").stdout.splitlines()
    assert lost.startswith("1\twithout effect\t") and lost.endswith(f": cannot be read: {problem}")
    assert fine.startswith("2\tin force\t") and "cannot" not in fine
    told = json.loads(here.rasid("silence", "list", "--json").stdout)["silences"]
    assert [one["problem"] for one in told] == [None, problem]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--for", "6h"], "say what to silence"),
        (["--rule", "shahed"], "say how long"),
        (["--rule", "shahed", "--for", "6h", "--until", "2030-01-01"], "say how long"),
        (["--rule", "shahd", "--for", "6h"], "no rule is called shahd: did you mean shahed?"),
        (["--outlet", "anab", "--for", "6h"], "no outlet is called anab: did you mean anba?"),
        (["--story", "7", "--for", "6h"], "there is no story 7"),
        (["--text", "title:(كرة", "--for", "6h"], "--text:1:7"),
        (["--text", "$drones", "--for", "6h"], "there is no term list $drones"),
        (["--rule", "shahed", "--for", "six"], "--for: \"six\" is no duration"),
        (["--rule", "shahed", "--for", "0h"], "would end before it begins"),
        (["--rule", "shahed", "--until", "2020-01-01"], "would end before it begins"),
    ],
)  # fmt: skip
def test_a_silence_that_makes_no_sense_is_refused_with_the_mend(tmp_path: Path, asked: list[str], says: str) -> None:
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as here:
        here.outlets("anba")
        told = here.rasid("silence", "add", *asked, check=False)
        assert told.returncode == 2 and says in told.stderr, told.stderr


def test_an_end_is_read_in_the_users_zone_over_the_change_of_the_clock(tmp_path: Path) -> None:
    """Beirut goes from 00:00 to 01:00 on 29 March 2026: ten hours of the clock on the wall are nine."""
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as here:
        here.outlets("anba")
        with time_machine.travel(datetime(2026, 3, 28, 20, tzinfo=UTC), tick=False):  # 22:00 there
            here.rasid("silence", "add", "--rule", "shahed", "--until", "2026-03-29T08:00")
            here.rasid("silence", "add", "--rule", "shahed", "--for", "10h")
            lines = here.rasid("silence", "list").stdout.splitlines()
        assert [line.split("\t")[3] for line in lines] == ["2026-03-29 09:00", "2026-03-29 08:00"]
        with time_machine.travel(datetime(2026, 3, 29, 5, tzinfo=UTC), tick=False):  # 08:00 there, the second is over
            assert len(here.rasid("silence", "list").stdout.splitlines()) == 1


def test_ends_are_told_in_each_readers_zone_over_midnight_and_a_leap_day(tmp_path: Path) -> None:
    """A day from noon on 28 February 2028 ends on the 29th; in Auckland, half a day ahead, on 1 March."""
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as here:
        here.outlets("anba")
        rasid = (here.config / "rasid.yaml").read_text(encoding="utf-8")
        with time_machine.travel(datetime(2028, 2, 28, 22, 30, tzinfo=UTC), tick=False):  # 00:30 on the 29th in Beirut
            made = here.rasid("silence", "add", "--outlet", "anba", "--for", "1d").stdout
            assert made == "silence 1 until 2028-03-01 00:30: outlet anba\n"
            here.rasid("silence", "add", "--rule", "shahed", "--until", "2028-03-01")
            here.write("rasid.yaml", rasid.replace("Asia/Beirut", "Pacific/Auckland"))
            lines = [line.split("\t") for line in here.rasid("silence", "list").stdout.splitlines()]
            assert [(line[2], line[3]) for line in lines] == [
                ("2028-02-29 11:30", "2028-03-01 11:00"), ("2028-02-29 11:30", "2028-03-01 11:30"),
            ]  # fmt: skip
        with desks(here.database) as (desk,):
            assert desk.flow.store.silences(datetime(2028, 2, 29, 22, 29, tzinfo=UTC))[0].outlet_id == "anba"
            assert desk.flow.store.silences(datetime(2028, 2, 29, 22, 30, tzinfo=UTC)) == []
