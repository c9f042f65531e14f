"""What holds alerts back and what pushes them forward: cooldown, hourly limit, rules that mute others, escalation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.alerts.decide import ranks
from monitor.alerts.render import render
from monitor.arrivals import release_held
from monitor.matching.query import parse
from monitor.matching.rules import WatchRule
from monitor.model import Rule, RuleState, Severity
from monitor.runtime.backfill import backfill
from monitor.store.records import HitFilter
from tests.desk import NOW, SHAHED, Desk, desks
from tests.living import RULES, living
from tests.test_late_matches import LANDSLIDE, PORT, STRIKE
from tests.test_silences import codes, silence

HOUR = timedelta(hours=1)
EVENTS = (
    ("إسقاط طائرة شاهد", STRIKE),
    ("شاهد آخر في القرية", LANDSLIDE),
    ("شاهد ثالثة فوق الحقول", "اندلع حريق واسع في حقول القمح شرق المدينة بعد سقوط جسم مجهول وعمل الأهالي على إخماده."),
    (
        "شاهد رابعة قرب المطار",
        "علقت هيئة الطيران رحلات الليلة كلها ونقلت المسافرين إلى فنادق في وسط العاصمة حتى الصباح.",
    ),
    (
        "شاهد خامسة في الميناء",
        "توقفت الرافعات عن العمل في أرصفة الشحن ستة أيام متتالية بسبب إضراب عمال التفريغ والنقل.",
    ),
)


def tell(desk: Desk, *numbers: int) -> list[int]:
    """Each event by an outlet of its own; how many alerts each made."""
    return [desk.take("abcdefgh"[number], *EVENTS[number]).alerts for number in numbers]


# ── cooldown ──


def test_a_cooldown_holds_high_severity_only_where_the_rule_says_so(store_url: str) -> None:
    high = replace(SHAHED, severity=Severity.HIGH, cooldown=HOUR)
    with desks(store_url, rules=[(high, "شاهد")]) as (desk,):
        assert tell(desk, 0, 1) == [1, 1]
    calm = replace(high, id="calm", cooldown_high=True)
    with desks(store_url, rules=[(calm, "شاهد")]) as (desk,):
        assert tell(desk, 2, 3) == [1, 0]
        assert codes(desk)[2:] == ["new_story", "cooldown"]
        assert release_held(desk.flow, NOW + 2 * HOUR) == 1


# ── max_per_hour ──


def test_past_its_hourly_limit_a_rule_waits_and_one_digest_tells_the_rest(store_url: str) -> None:
    with desks(store_url, rules=[(replace(SHAHED, max_per_hour=2), "شاهد")]) as (desk,):
        assert tell(desk, 0, 1, 2, 3) == [1, 1, 0, 0]
        held = desk.flow.store.hits(HitFilter()).items[0].hit
        assert (held.code, held.detail, held.until) == ("hour_full", "2 an hour", NOW + HOUR + timedelta(minutes=1))
        assert release_held(desk.flow, NOW + HOUR) == 0
        assert release_held(desk.flow, NOW + HOUR + timedelta(minutes=1)) == 2
        assert codes(desk) == ["new_story", "new_story", "hour_over", "hour_over"]
        kinds = desk.rows("select kind from messages order by id")
        assert kinds == [("story",), ("story",), ("digest",)]
        desk.at = 62  # the digest does not count: one alert of the last hour is left
        assert tell(desk, 4) == [1]


def test_severity_high_passes_the_hourly_limit_and_a_changed_rule_is_obeyed_at_once(store_url: str) -> None:
    with desks(store_url, rules=[(replace(SHAHED, max_per_hour=1, severity=Severity.HIGH), "شاهد")]) as (desk,):
        assert tell(desk, 0, 1) == [1, 1]
        desk.flow.rules = {"shahed": replace(SHAHED, max_per_hour=1)}
        assert tell(desk, 2) == [0]
        desk.flow.rules = {"shahed": SHAHED}
        assert release_held(desk.flow, NOW + timedelta(minutes=5), everything=True) == 1
        assert codes(desk)[2] == "hour_over"


def test_a_hit_that_waits_does_not_go_from_one_limit_to_the_other_for_ever(store_url: str) -> None:
    both = replace(SHAHED, max_per_hour=1, cooldown=timedelta(minutes=30))
    with desks(store_url, rules=[(both, "شاهد")]) as (desk,):
        tell(desk, 0, 1)
        desk.at = 29
        assert tell(desk, 2) == [0]
        assert release_held(desk.flow, NOW + timedelta(minutes=31)) == 2  # the hour is still full
        assert codes(desk) == ["new_story", "cooldown_over", "cooldown_over"]


# ── a clock that is put back ──


@pytest.mark.parametrize("ahead", [HOUR, 40 * 24 * HOUR])
@pytest.mark.parametrize("limit", [{}, {"cooldown": HOUR}, {"max_per_hour": 1}], ids=["none", "cooldown", "an hour"])
def test_what_a_clock_dated_ahead_holds_no_rule_back_once_it_is_put_back(
    store_url: str, ahead: timedelta, limit: dict[str, Any]
) -> None:
    with desks(store_url, rules=[(replace(SHAHED, **limit), "شاهد")]) as (desk,):
        desk.at = ahead // timedelta(minutes=1)
        assert tell(desk, 0, 1) == ([1, 0] if limit else [1, 1])
        desk.at = 0
        assert tell(desk, 2) == [1]
        assert release_held(desk.flow, desk.now) == (1 if limit else 0)
        assert tell(desk, 3) == ([0] if limit else [1])
        assert release_held(desk.flow, desk.now) == 0


# ── rules that mute others ──

WIDE = Rule("wide", "الحرب", "The war", muted_by=("shahed",))


def test_a_story_that_one_rule_told_does_not_alert_the_rule_that_it_mutes(store_url: str) -> None:
    with desks(store_url, rules=[(WIDE, "طائرة OR القرية"), (SHAHED, "شاهد")]) as (desk,):
        assert desk.take("a", *EVENTS[0]).alerts == 1  # though the muted rule stands first
        assert sorted(desk.rows("select rule_id, code, detail from hits")) == [
            ("shahed", "new_story", ""), ("wide", "told_by_other", "rule shahed"),
        ]  # fmt: skip
        assert desk.take("b", "حريق في القرية", LANDSLIDE).alerts == 1
        assert codes(desk)[2] == "new_story"


def test_what_was_told_stays_told_when_the_muting_rule_comes_later(store_url: str) -> None:
    with desks(store_url, rules=[(WIDE, "طائرة"), (SHAHED, "شاهد")]) as (desk,):
        assert desk.take("a", "إسقاط طائرة فوق كييف", STRIKE).alerts == 1
        assert desk.take("b", "إسقاط طائرة شاهد فوق كييف", STRIKE).alerts == 1
        assert sorted(desk.rows("select rule_id, code from hits")) == [
            ("shahed", "new_story"), ("wide", "joined_story"), ("wide", "new_story"),
        ]  # fmt: skip
        assert desk.rows("select count(*) from messages") == [(1,)]


def test_a_hit_that_waits_is_muted_when_another_rule_tells_its_story(store_url: str) -> None:
    with desks(store_url, rules=[(replace(WIDE, min_outlets=3), "طائرة"), (SHAHED, "شاهد")]) as (desk,):
        desk.take("a", "إسقاط طائرة فوق كييف", STRIKE)
        desk.take("b", "إسقاط طائرة شاهد فوق كييف", STRIKE)
        assert sorted(desk.rows("select rule_id, code from hits")) == [
            ("shahed", "new_story"), ("wide", "told_by_other"), ("wide", "told_by_other"),
        ]  # fmt: skip


def test_a_rule_that_only_waits_or_is_silenced_mutes_nothing(store_url: str) -> None:
    with desks(store_url, rules=[(WIDE, "طائرة"), (replace(SHAHED, min_outlets=2), "شاهد")]) as (desk,):
        assert desk.take("a", *EVENTS[0]).alerts == 1
        silence(desk, rule_id="shahed")
        desk.take("b", "إسقاط طائرة شاهد أخرى في الشرق", LANDSLIDE)
        assert sorted(desk.rows("select rule_id, code from hits where story_id = 2")) == [
            ("shahed", "silenced"), ("wide", "new_story"),
        ]  # fmt: skip


@pytest.mark.parametrize("off", [1, 2])
def test_what_another_rule_told_is_told_once_a_split_leaves_it_in_a_story_that_nobody_told(
    store_url: str, off: int
) -> None:
    with desks(store_url, rules=[(WIDE, "طائرة"), (SHAHED, "شاهد")]) as (desk,):
        desk.take("a", "إسقاط طائرة شاهد فوق كييف", STRIKE)
        desk.take("b", "إسقاط طائرة فوق كييف", STRIKE)
        assert codes(desk) == ["new_story", "told_by_other", "told_by_other"]
        assert desk.split(1, off).alerts == 1  # the alert of shahed goes with its article
        told = "select alerts.rule_id, article_id from alerts join hits on hits.id = hit_id order by alerts.id"
        assert desk.rows(told) == [("shahed", 1), ("wide", 2)]
        assert [row.fate for row in desk.flow.store.hits(HitFilter()).items].count("muted") == 1


def test_what_another_rule_told_stays_muted_after_a_split_where_that_rule_tells_its_story(store_url: str) -> None:
    with desks(store_url, rules=[(WIDE, "طائرة"), (SHAHED, "شاهد")]) as (desk,):
        for outlet, name in zip("abcd", ("شاهد", "جديدة", "شاهد", "جديدة"), strict=True):
            desk.take(outlet, f"إسقاط طائرة {name} فوق كييف", STRIKE)
        desk.flow.rules = {"shahed": SHAHED, "wide": replace(WIDE, muted_by=())}  # is obeyed from the next article on
        assert desk.split(1, 4).alerts == 1
        desk.flow.rules = {"shahed": SHAHED, "wide": WIDE}
        desk.merge(1, 2)
        assert desk.split(1, 2, 3).alerts == 1
        assert desk.rows("select rule_id, story_id from alerts order by id") == [
            ("shahed", 1), ("wide", 1), ("shahed", 3),
        ]  # fmt: skip


def test_rules_that_mute_come_first_and_a_circle_ends() -> None:
    def rule(name: str, *muted_by: str) -> Rule:
        return Rule(name, name, name, muted_by=muted_by)

    chain = {one.id: one for one in (rule("a", "b"), rule("b", "c", "gone"), rule("c"))}
    assert ranks(chain, "abc") == {"a": 2, "b": 1, "c": 0}
    circle = {one.id: one for one in (rule("a", "b"), rule("b", "a"))}
    assert ranks(circle, "ab") == {"a": 2, "b": 1}


def test_a_rule_that_is_not_there_or_is_the_rule_itself_cannot_mute(tmp_path: Path) -> None:
    with living(tmp_path, f"sqlite:///{tmp_path / 'rasid.db'}") as here:
        here.outlets("anba")
        for named in ("shahd", "caucasus"):
            here.write("rules.yaml", RULES.replace("min_outlets: 2", f"muted_by: [{named}]"))
            told = here.rasid("check", check=False)
            assert told.returncode == 2
            assert f"rules.yaml:10:16: rules.1.muted_by.0: there is no rule {named} in the rules, other" in told.stdout
        assert "did you mean" not in told.stdout
        here.write("rules.yaml", RULES.replace("min_outlets: 2", "muted_by: [shahed]"))
        here.rasid("check")


# ── escalation ──

GROWING = replace(SHAHED, escalate=3)


def test_a_story_that_enough_outlets_carry_is_told_once_more_as_high(store_url: str) -> None:
    with desks(store_url, rules=[(GROWING, "شاهد")]) as (desk,):
        for outlet in "aab":
            desk.take(outlet, *EVENTS[0])
        desk.deliver()
        assert desk.take("c", *EVENTS[0]).alerts == 1
        for outlet in "cdef":
            assert desk.take(outlet, *EVENTS[0]).alerts == 0
        assert codes(desk).count("escalated") == 1 and codes(desk)[3] == "escalated"
        alerts = desk.flow.store.alerts(HitFilter()).items
        assert [(one.severity, one.change) for one in alerts] == [(Severity.HIGH, "escalated"), (Severity.NORMAL, "")]
        sends = "select messages.kind, priority from deliveries join messages on messages.id = message_id"
        assert desk.rows(f"{sends} where operation = 'send' order by messages.id") == [("story", 1), ("development", 0)]
        assert {row.hit.code: row.fate for row in desk.flow.store.hits(HitFilter()).items} == {
            "new_story": "delivered", "joined_story": "grouped", "escalated": "queued",
        }  # fmt: skip
        view = desk.flow.store.message_rows(2).view()
        told = render(view, desk.flow.rules, language="en", timezone="UTC", now=NOW)
        assert told.text.splitlines()[:2] == ["🔴 Shahed drones", "The story spreads: 6 outlets"]
        assert told.data["severity"] == "high"
        arabic = render(view, desk.flow.rules, language="ar", timezone="UTC", now=NOW).text
        assert arabic.splitlines()[1] == "خبر يتّسع انتشاره: 6 وسائل"
        first = render(desk.flow.store.message_rows(1).view(), desk.flow.rules, language="en", timezone="UTC", now=NOW)
        assert first.text.startswith("🟠")


def test_outlets_that_the_rule_does_not_hit_raise_the_story_too(store_url: str) -> None:
    """The alert is then ascribed to the hit that told the story, whose own fate stays its own."""
    with desks(store_url, rules=[(GROWING, "شاهد")]) as (desk,):
        desk.take("a", *EVENTS[0])
        desk.deliver()
        desk.take("b", "إسقاط طائرة", STRIKE)
        assert desk.take("c", "إسقاط طائرة", STRIKE).alerts == 1
        assert desk.rows("select hit_id, change from alerts order by id") == [(1, ""), (1, "escalated")]
        (row,) = desk.flow.store.hits(HitFilter()).items
        assert (row.hit.code, row.fate, [post.kind for post in row.posts]) == ("new_story", "delivered", ["story"])


def test_a_story_that_is_wide_when_it_is_first_told_is_told_as_high_and_no_more(store_url: str) -> None:
    with desks(store_url, rules=[(replace(GROWING, min_outlets=3, severity=Severity.LOW), "شاهد")]) as (desk,):
        for outlet in "abcde":
            desk.take(outlet, *EVENTS[0])
        alerts = desk.flow.store.alerts(HitFilter()).items
        assert [(one.severity, one.change) for one in alerts] == [(Severity.HIGH, "")]
        desk.deliver()
        assert [rendered.silent for _, rendered in desk.posted] == [False]


def test_what_a_cooldown_holds_comes_out_when_its_story_spreads(store_url: str) -> None:
    with desks(store_url, rules=[(replace(GROWING, cooldown=9 * HOUR), "شاهد")]) as (desk,):
        tell(desk, 0)
        for outlet in "bc":
            assert desk.take(outlet, *EVENTS[1]).alerts == 0
        assert desk.take("d", *EVENTS[1]).alerts == 1
        assert codes(desk) == ["new_story", "joined_story", "joined_story", "new_story"]
        desk.take("e", *EVENTS[2])
        for outlet in "fg":
            report = desk.take(outlet, "حريق في الحقول", EVENTS[2][1])  # which the rule does not hit
        assert (report.hits, report.alerts) == (0, 1)
        (row,) = desk.rows("select code, detail from hits where id = 5")
        assert row == ("escalated", "3 outlets")


def test_a_silenced_story_is_raised_by_the_next_article_after_the_silence(store_url: str) -> None:
    with desks(store_url, rules=[(GROWING, "شاهد")]) as (desk,):
        desk.take("a", *EVENTS[0])
        silence(desk, lasts=timedelta(minutes=3), story_id=1)
        for outlet in "bc":
            assert desk.take(outlet, *EVENTS[0]).alerts == 0
        desk.at += 3
        assert desk.take("c", *EVENTS[0]).alerts == 1


@pytest.mark.parametrize("state", [RuleState.OFF, RuleState.TRIAL])
def test_a_rule_that_may_not_alert_raises_nothing(store_url: str, state: RuleState) -> None:
    with desks(store_url, rules=[(GROWING, "شاهد")]) as (desk,):
        desk.take("a", *EVENTS[0])
        desk.flow.rules = {"shahed": replace(GROWING, state=state)}
        assert [desk.take(outlet, *EVENTS[0]).alerts for outlet in "bcd"] == [0, 0, 0]


def test_stories_that_an_analyst_merges_are_raised_by_that(store_url: str) -> None:
    with desks(store_url, rules=[(GROWING, "شاهد"), (PORT, "ميناء")]) as (desk,):
        for outlet in "ab":
            desk.take(outlet, *EVENTS[0])
        desk.take("c", *EVENTS[1])
        assert desk.merge(1, 2).alerts == 1
        assert desk.rows("select change, severity from alerts order by id") == [("", "normal"), ("escalated", "high")]


def test_that_a_story_spread_stays_said_of_it_when_the_article_is_split_off(store_url: str) -> None:
    with desks(store_url, rules=[(GROWING, "شاهد")]) as (desk,):
        for outlet in "abc":
            desk.take(outlet, *EVENTS[0])
        desk.deliver()
        assert desk.split(1, 3).alerts == 1  # the article that had spread it is a story of its own, told anew
        alerts = desk.rows("select story_id, hit_id, change from alerts order by id")
        assert alerts == [(1, 1, ""), (1, 1, "escalated"), (2, 3, "")]
        assert desk.take("d", *EVENTS[0]).alerts == 0
    with desks(store_url, rules=[(replace(GROWING, id="other"), "شاهد")]) as (desk,):
        desk.at = 9
        for outlet in "abc":
            desk.take(outlet, *EVENTS[1])
        story = desk.rows("select max(story_id) from articles")[0][0]
        ids = [int(str(one)) for (one,) in desk.rows(f"select id from articles where story_id = {story} order by id")]
        desk.split(int(str(story)), ids[0], ids[2])
        told = desk.rows(f"select change from alerts where story_id = {story} order by change")
        assert told == [("",), ("escalated",)]  # the second article is the heir of the first


def test_a_story_that_is_wide_when_a_split_or_a_backfill_tells_it_is_told_as_high_and_no_more(store_url: str) -> None:
    with desks(store_url, rules=[(GROWING, "شاهد")]) as (desk,):
        for outlet in "abcdefg":
            desk.take(outlet, *EVENTS[0])
        assert desk.split(1, 4, 5, 6, 7).alerts == 1
        assert desk.rows("select severity, change from alerts where story_id = 2") == [("high", "")]
        late = replace(GROWING, id="late")
        desk.flow.rules = {"shahed": GROWING, "late": late}
        watch = WatchRule(late, parse("شاهد"), "شاهد", (), (), "rules.yaml", 1)
        assert backfill(desk.flow, watch, NOW - HOUR, NOW + HOUR, alert=True).alerts == 2
        assert desk.rows("select severity, change from alerts where rule_id = 'late'") == [("high", "")] * 2
        assert desk.take("h", *EVENTS[0]).alerts == 0


def test_a_backfill_that_alerts_comes_as_one_digest_whatever_the_limits(store_url: str) -> None:
    rule = replace(SHAHED, max_per_hour=1, cooldown=HOUR)
    with desks(store_url, rules=[(rule, "شاهد")]) as (desk,):
        tell(desk, 0)
        late = replace(rule, id="late")
        desk.flow.rules = {"shahed": rule, "late": late}
        for number in (1, 2, 3):
            desk.take("b", EVENTS[number][0], EVENTS[number][1])
        watch = WatchRule(late, parse("شاهد"), "شاهد", (), (), "rules.yaml", 1)
        report = backfill(desk.flow, watch, NOW - HOUR, NOW + HOUR, alert=True)
        assert (report.hits, report.alerts) == (4, 4)
        assert desk.rows("select kind from messages order by id")[-1] == ("digest",)
