"""Deciding: the order of reasons, held hits, and that every verdict carries a code that fits it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.decide import DECISION_OF, TIMED, Backfill, Known, decide, no_channel, raised, redecide
from monitor.model import Article, Decision, Hit, Rule, RuleState, Severity, StoryView, Verdict
from monitor.reasons import REASONS, REASONS_AR

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAR = datetime(9999, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULE = Rule("bridge", "الجسر", "Bridge")
STORY = StoryView(5, NOW, ("alpha",), 1)
ARTICLE = Article(
    feed_id="alpha", outlet_id="alpha", key="k", url="", canonical_url="", title="افتتاح الجسر", summary="", body="",
    author="", tags=(), language="ar", published=NOW - HOUR, first_seen=NOW, content_hash="h",
)  # fmt: skip
FACTS = {one.name for one in fields(Known)}
HIT = Hit(1, "bridge", 2, 5, (), Decision.HELD, "cooldown", "", NOW, until=NOW + HOUR)


def verdict(rule: Rule = RULE, article: Article = ARTICLE, story: StoryView = STORY, **known: Any) -> Verdict:
    given_: dict[str, Any] = {"first_poll": False, "first_poll_age": 2 * HOUR, "max_age": 2 * DAY, "now": NOW}
    facts = {name: known.pop(name) for name in list(known) if name in FACTS}
    return decide(rule, article, story, Known(**facts), **{**given_, **known})


def test_the_first_hit_of_a_story_alerts() -> None:
    assert verdict() == Verdict(Decision.ALERT, "new_story")


def test_reasons_are_tried_in_the_promised_order() -> None:
    rule = replace(RULE, state=RuleState.OFF, min_outlets=3, cooldown=HOUR)
    old = replace(ARTICLE, published=NOW - 9 * DAY)
    everything: dict[str, Any] = {"alerted": True, "last_alert": NOW, "first_poll": True}
    assert verdict(rule, old, **everything).code == "rule_off"
    rule = replace(rule, state=RuleState.TRIAL)
    assert verdict(rule, old, **everything).code == "trial"
    rule = replace(rule, state=RuleState.ON)
    assert verdict(rule, old, **everything).code == "too_old"
    assert verdict(rule, replace(ARTICLE, published=NOW - DAY), **everything).code == "first_poll"
    assert verdict(rule, **everything).code == "joined_story"
    assert verdict(rule, **{**everything, "alerted": False}).code == "too_few_outlets"
    rule = replace(rule, min_outlets=1)
    assert verdict(rule, **{**everything, "alerted": False}).code == "cooldown"
    assert verdict(rule, first_poll=True).code == "new_story"


def test_the_rules_own_max_age_goes_before_the_feeds() -> None:
    two_hours = replace(ARTICLE, published=NOW - 2 * HOUR)
    assert verdict(replace(RULE, max_age=HOUR), two_hours).code == "too_old"
    assert verdict(replace(RULE, max_age=9 * DAY), replace(ARTICLE, published=NOW - 8 * DAY)).code == "new_story"


def test_a_missing_or_future_date_counts_as_first_seen() -> None:
    assert verdict(article=replace(ARTICLE, published=None, first_seen=NOW - 3 * DAY)).code == "too_old"
    assert verdict(article=replace(ARTICLE, published=None)).code == "new_story"
    assert verdict(article=replace(ARTICLE, published=NOW + DAY)).code == "new_story"


def test_min_outlets_counts_the_new_articles_outlet_once() -> None:
    two = replace(RULE, min_outlets=2)
    assert verdict(two) == Verdict(Decision.HELD, "too_few_outlets", "1 of 2 outlets")
    assert verdict(two, replace(ARTICLE, outlet_id="beta")).code == "outlets_reached"


def test_a_cooldown_holds_until_its_end_and_high_severity_passes() -> None:
    rule = replace(RULE, cooldown=HOUR)
    held = verdict(rule, last_alert=NOW - HOUR / 2)
    assert (held.decision, held.code, held.until) == (Decision.HELD, "cooldown", NOW + HOUR / 2)
    assert verdict(rule, last_alert=NOW - HOUR).code == "new_story"
    assert verdict(replace(rule, severity=Severity.HIGH), last_alert=NOW).code == "new_story"


def test_backfill_is_silent_unless_asked_to_alert() -> None:
    old = replace(ARTICLE, published=NOW - 90 * DAY)
    assert verdict(article=old, backfill="silent") == Verdict(Decision.MUTED, "backfill_silent")
    assert verdict(article=old, backfill="alert", first_poll=True) == Verdict(Decision.ALERT, "backfill")
    assert verdict(article=old, backfill="alert", alerted=True).code == "joined_story"
    assert verdict(replace(RULE, state=RuleState.OFF), old, backfill="alert").code == "rule_off"
    assert verdict(replace(RULE, cooldown=HOUR), old, backfill="alert", last_alert=NOW).code == "cooldown"


def again(rule: Rule | None, hit: Hit = HIT, story: StoryView = STORY, **known: Any) -> Verdict | None:
    facts = {"last_alert": NOW} | {name: known.pop(name) for name in list(known) if name in FACTS}
    return redecide(rule, hit, story, Known(**facts), **{"now": NOW + HOUR, **known})


def code(found: Verdict | None) -> str | None:
    return found.code if found else None


def test_a_held_hit_is_released_when_its_cooldown_ends_and_not_before() -> None:
    rule = replace(RULE, cooldown=HOUR)
    assert again(rule, now=NOW + HOUR / 2) is None
    assert code(again(rule)) == "cooldown_over"


def test_a_busy_rule_cannot_hold_a_hit_for_ever() -> None:
    rule = replace(RULE, cooldown=HOUR)
    assert code(again(rule, last_alert=NOW + HOUR * 0.9)) == "cooldown_over"


def test_a_held_hit_follows_its_rule_and_its_story() -> None:
    assert code(again(None)) == "rule_off"
    assert code(again(replace(RULE, state=RuleState.OFF))) == "rule_off"
    assert code(again(replace(RULE, state=RuleState.TRIAL))) == "trial"
    assert code(again(replace(RULE, cooldown=HOUR), alerted=True, now=NOW)) == "joined_story"


def test_a_hit_waiting_for_outlets_alerts_when_they_come() -> None:
    rule = replace(RULE, min_outlets=2)
    few = replace(HIT, code="too_few_outlets", until=None)
    both = replace(STORY, outlets=("alpha", "beta"))
    assert again(rule, few) is None
    assert code(again(rule, few, both)) == "outlets_reached"
    cooling = again(replace(rule, cooldown=HOUR), few, both, now=NOW)
    assert cooling == Verdict(Decision.HELD, "cooldown", "", NOW + HOUR)


def test_a_hit_whose_story_can_grow_no_more_waits_no_longer() -> None:
    rule = replace(RULE, min_outlets=3)
    hit = replace(HIT, code="too_few_outlets", until=None)
    later: dict[str, Any] = {"last_alert": None, "now": NOW + 8 * DAY}
    assert again(rule, hit, **later) is None
    ended = again(rule, hit, over=True, **later)
    assert ended is not None and (ended.decision, ended.code) == (Decision.MUTED, "outlets_missed")
    assert "1 of 3" in ended.detail
    lowered = again(replace(rule, min_outlets=1), hit, over=True, **later)
    assert lowered is not None and lowered.code == "outlets_reached"


def test_a_hit_that_is_not_held_stays_as_it_is() -> None:
    assert again(None, replace(HIT, decision=Decision.ALERT, code="new_story")) is None


def test_a_rule_without_any_channel_says_which_it_asked_for() -> None:
    assert "ghost" in no_channel(replace(RULE, channels=("ghost",))).detail


def test_every_reason_belongs_to_a_decision() -> None:
    assert set(DECISION_OF) == set(REASONS) == set(REASONS_AR)


def test_every_reason_is_told_in_the_docs() -> None:
    page = (Path(__file__).parent.parent / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    for code_, decision in DECISION_OF.items():
        assert any(f"| `{decision.value}` |" in line and f"`{code_}`" in line for line in page.splitlines()), code_


moments = st.datetimes(timezones=st.just(UTC))
spans = st.timedeltas(min_value=timedelta(0))
rules = st.builds(
    Rule, st.just("r"), st.just("ر"), st.just("r"), severity=st.sampled_from(Severity),
    state=st.sampled_from(RuleState),
    cooldown=spans, cooldown_high=st.booleans(), min_outlets=st.integers(-1, 4), max_age=st.none() | spans,
    escalate=st.integers(0, 3),
)  # fmt: skip
stories = st.builds(StoryView, st.just(1), moments, st.lists(st.sampled_from("abcd")).map(tuple), st.integers(0, 9))


@given(
    rules, stories, moments, st.none() | moments, moments, st.none() | moments, st.booleans(), st.booleans(), spans,
    spans, st.sampled_from(get_args(Backfill)), st.none() | moments, st.sampled_from(["", "silence 1"]),
    st.sampled_from(["", "other"]),
)  # fmt: skip
def test_deciding_never_raises_and_its_decision_fits_its_code(
    rule: Rule, story: StoryView, now: datetime, published: datetime | None, seen: datetime, last: datetime | None,
    alerted: bool, first_poll: bool, age: timedelta, first_age: timedelta, backfill: Backfill, full: datetime | None,
    silence: str, told_by: str,
) -> None:  # fmt: skip
    article = replace(ARTICLE, published=published, first_seen=seen)
    rule = raised(rule, len(story.outlets))
    known = Known(alerted, last, full, silence=silence, told_by=told_by)
    first = decide(
        rule, article, story, known, first_poll=first_poll, first_poll_age=first_age, max_age=age, now=now,
        backfill=backfill,
    )  # fmt: skip
    assert first.code in REASONS
    assert DECISION_OF[first.code] is first.decision
    assert (first.until is not None) == (first.code in TIMED)
    assert first.until is None or first.until > now
    assert not (alerted and first.decision in {Decision.ALERT, Decision.HELD})
    held = replace(HIT, code=first.code, decision=first.decision, until=first.until, created=seen)
    later = redecide(rule, held, story, known, now=now)
    if first.decision is not Decision.HELD:
        assert later is None
    elif later:
        assert DECISION_OF[later.code] is later.decision
    if first.until is not None:  # at that moment it waits no longer, whatever the rule did meanwhile
        busy = replace(known, last_alert=first.until, hour_full=first.until + HOUR if first.until < FAR else full)
        ended = redecide(rule, held, story, busy, now=first.until)
        assert ended is not None and (ended.decision is not Decision.HELD or ended.code == "too_few_outlets")


@pytest.mark.parametrize("severity", list(Severity))
def test_no_rule_alerts_a_story_twice(severity: Severity) -> None:
    assert verdict(replace(RULE, severity=severity), alerted=True).decision is Decision.JOINED


def test_a_number_that_changed_alerts_again_where_the_rule_asks_and_no_control_stops_it() -> None:
    asking = replace(RULE, developments=True, cooldown=HOUR, min_outlets=9)
    known: dict[str, Any] = {"alerted": True, "change": "4 → 7", "last_alert": NOW - HOUR}
    assert verdict(asking, **known) == Verdict(Decision.ALERT, "number_changed", "4 → 7", change="4 → 7")
    assert verdict(asking, **{**known, "change": ""}).code == "joined_story"
    assert verdict(replace(asking, developments=False), **known).code == "joined_story"
    assert verdict(replace(asking, state=RuleState.TRIAL), **known).code == "trial"
    assert (
        verdict(replace(asking, max_age=HOUR), article=replace(ARTICLE, published=NOW - DAY), **known).code == "too_old"
    )
    cooling = {**known, "last_alert": NOW}
    assert verdict(asking, **cooling) == Verdict(Decision.HELD, "number_waits", "4 → 7", NOW + HOUR)
    assert verdict(replace(asking, severity=Severity.HIGH), **cooling).code == "number_changed"


def test_a_number_that_waits_is_told_when_the_cooldown_ends_unless_it_was_told_meanwhile() -> None:
    asking = replace(RULE, developments=True, cooldown=HOUR)
    waits = replace(HIT, code="number_waits", detail="4 → 7")
    known: dict[str, Any] = {"alerted": True, "change": "4 → 7"}
    assert again(asking, waits, **known, now=NOW + HOUR / 2) is None
    busy = again(asking, waits, **known, last_alert=NOW + HOUR * 0.9)
    assert busy == Verdict(Decision.ALERT, "number_changed", "4 → 7", change="4 → 7")
    assert code(again(asking, waits, **{**known, "change": ""}, now=NOW)) == "joined_story"
    assert code(again(replace(asking, developments=False), waits, **known, now=NOW)) == "joined_story"
    silenced: dict[str, Any] = {**known, "silence": "silence 1"}
    assert again(asking, waits, **silenced, now=NOW + HOUR / 2) is None
    assert code(again(asking, waits, **silenced)) == "silenced"
    assert code(again(asking, HIT, **known)) == "joined_story"  # it waited as the story's first alert, which came
    assert code(again(asking, waits, **{**known, "alerted": False})) == "cooldown_over"  # split off meanwhile
