"""Controls on random histories, held to a simple model: every hit is what the model says, and none waits for ever.

The model knows no database and no messages: lists of hits, alerts and silences, and the order of reasons from
docs/how-it-works.md. The real thing is fed by hand on SQLite and on Postgres; it is restarted in between, stories are
merged, the clock is put back.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from monitor.alerts.decide import DECISION_OF
from monitor.arrivals import release_held
from monitor.model import Decision, Rule, Severity, Silence
from monitor.store.records import HitFilter, HitRow
from monitor.store.store import Store
from tests.desk import NOW, desks
from tests.postgres import PostgresServer
from tests.test_controls import EVENTS

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WINDOW = timedelta(days=7)
RULES = (
    Rule("wide", "", "", muted_by=("narrow",), min_outlets=2),
    Rule("narrow", "", "", cooldown=HOUR),
    Rule("busy", "", "", max_per_hour=2),
    Rule("slow", "", "", min_outlets=2, cooldown=HOUR / 2, escalate=3),
    Rule("grave", "", "", severity=Severity.HIGH, cooldown=HOUR / 6, cooldown_high=True, max_per_hour=1),
    Rule("grows", "", "", severity=Severity.LOW, max_per_hour=1, escalate=2),
)
BY_ID = {one.id: one for one in RULES}
ORDER = ("narrow", "busy", "slow", "grave", "grows", "wide")  # what mutes comes first
EVENT, OUTLET = st.integers(1, 5), st.sampled_from("abc")
GIVEN = st.sampled_from(({"rule_id"}, {"outlet_id"}, {"story_id"}, {"rule_id", "outlet_id"}))  # criteria of a silence
OVER = {"cooldown": "cooldown_over", "hour_full": "hour_over"}


@dataclass
class Waiting:
    """A hit as the model has it."""

    rule: Rule
    event: int
    outlet: str
    created: datetime
    code: str
    until: datetime | None = None
    decided: datetime = NOW

    @property
    def held(self) -> bool:
        return DECISION_OF[self.code] is Decision.HELD


@dataclass
class Told:
    """An alert as the model has it."""

    rule: str
    event: int
    when: datetime
    high: bool
    hit: Waiting
    digest: bool = False
    again: bool = False  # that its story spread


@dataclass
class Model:
    """What should be. outlets: of each event's story; seen: when its last article came."""

    hits: list[Waiting] = field(default_factory=list)
    alerts: list[Told] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    outlets: dict[int, list[str]] = field(default_factory=dict)
    seen: dict[int, datetime] = field(default_factory=dict)

    def arrive(self, event: int, outlet: str, now: datetime) -> None:
        joins = event in self.outlets
        carried = self.outlets.setdefault(event, [])
        carried += [outlet] if outlet not in carried else []
        self.seen[event] = max(now, self.seen.get(event, now))
        for rule_id in ORDER:
            hit = Waiting(BY_ID[rule_id], event, outlet, now, "")
            self.hits.append(hit)
            hit.code, hit.until = self.first(hit, now)
            hit.decided = now
            self.tell(hit, now)
        if joins:
            for hit in self.waiting(lambda one: one.event == event):
                self.again(hit, now)
            self.escalate(event, now)

    def merge(self, kept: int, gone: int, now: datetime) -> None:
        self.outlets[kept] += [one for one in self.outlets.pop(gone) if one not in self.outlets[kept]]
        self.seen[kept] = max(self.seen[kept], self.seen.pop(gone))
        for hit in self.hits:
            hit.event = kept if hit.event == gone else hit.event
        self.silences = [replace(one, story_id=kept) if one.story_id == gone else one for one in self.silences]
        for told in [one for one in self.alerts if one.event == gone]:
            same = [one for one in self.alerts if (one.rule, one.event, one.again) == (told.rule, kept, told.again)]
            for stays in same:
                alone = [one.when for one in (stays, told) if not one.digest] or [stays.when, told.when]
                stays.when, stays.high = max(alone), stays.high or told.high
                stays.digest = stays.digest and told.digest
                self.alerts.remove(told)
            told.event = kept
        for hit in self.waiting(lambda one: one.event == kept):
            self.again(hit, now)
        self.escalate(kept, now)

    def first(self, hit: Waiting, now: datetime) -> tuple[str, datetime | None]:
        if self.alerted(hit.rule.id, hit.event):
            return "joined_story", None
        if self.silenced(hit, now):
            return "silenced", None
        if self.told_by(hit):
            return "told_by_other", None
        found = self.stopped(hit, now)
        return found or ("new_story" if hit.rule.min_outlets == 1 else "outlets_reached", None)

    def again(self, hit: Waiting, now: datetime, over: bool = False) -> None:
        """Look once more at a hit that waits. over: its time has come, if it is held to one."""
        before = hit.code, hit.until
        self.look_again(hit, now, early=hit.until is not None and now < hit.until and not over)
        hit.decided = hit.decided if (hit.code, hit.until) == before else now

    def look_again(self, hit: Waiting, now: datetime, early: bool) -> None:
        if self.alerted(hit.rule.id, hit.event):
            hit.code, hit.until = "joined_story", None
            return
        if self.told_by(hit):
            hit.code, hit.until = "told_by_other", None
            return
        stopped = self.stopped(hit, now)
        if stopped and stopped[0] == "too_few_outlets":
            hit.code = "outlets_missed" if self.seen[hit.event] < now - WINDOW else hit.code
        elif stopped and (early or hit.until is None):
            hit.code, hit.until = (hit.code, hit.until) if early else stopped
        else:
            raised = early and 0 < hit.rule.escalate <= len(self.outlets[hit.event])
            over = "escalated" if raised else OVER.get(hit.code, "outlets_reached")
            hit.code, hit.until = ("silenced" if self.silenced(hit, now) else over), None
            self.tell(hit, now)

    def release(self, now: datetime, everything: bool) -> None:
        before = len(self.alerts)
        for hit in self.waiting(lambda one: everything or self.due(one, now)):
            self.again(hit, now, over=self.due(hit, now))
        made = self.alerts[before:]
        for told in made:
            told.digest = sum(one.rule == told.rule for one in made) > 1

    def due(self, hit: Waiting, now: datetime) -> bool:
        if hit.until:
            return hit.until <= now or hit.decided > now
        return hit.created < now - WINDOW and self.seen[hit.event] < now - WINDOW

    def waiting(self, which: Callable[[Waiting], bool]) -> list[Waiting]:
        found = [hit for hit in self.hits if hit.held and which(hit)]
        return sorted(found, key=lambda hit: hit.rule.id == "wide")

    def escalate(self, event: int, now: datetime) -> None:
        for told in [one for one in self.alerts if one.event == event]:
            rule_ = BY_ID[told.rule]
            ours = [one for one in self.alerts if (one.rule, one.event) == (told.rule, event)]
            many = rule_.escalate and len(self.outlets[event]) >= rule_.escalate
            if not many or rule_.severity is Severity.HIGH or any(one.high for one in ours):
                continue
            hits = [hit for hit in self.hits if (hit.rule, hit.event) == (rule_, event)]
            joined = [hit for hit in hits if hit.code == "joined_story"]
            bearer = joined[-1] if joined else ours[0].hit
            if not self.silenced(bearer, now):
                bearer.code = "escalated" if joined else bearer.code
                self.alerts.append(Told(told.rule, event, now, True, bearer, again=True))

    def tell(self, hit: Waiting, now: datetime) -> None:
        if DECISION_OF[hit.code] is Decision.ALERT:
            self.alerts.append(Told(hit.rule.id, hit.event, now, self.high(hit), hit))

    def stopped(self, hit: Waiting, now: datetime) -> tuple[str, datetime | None] | None:
        rule_, own = hit.rule, sorted(self.counted(hit.rule.id, now))
        if len(self.outlets[hit.event]) < rule_.min_outlets:
            return "too_few_outlets", None
        if own and now < own[-1] + rule_.cooldown and (rule_.cooldown_high or not self.high(hit)):
            return "cooldown", own[-1] + rule_.cooldown
        full = rule_.max_per_hour and len(own) >= rule_.max_per_hour and own[-rule_.max_per_hour] + HOUR
        return ("hour_full", full) if full and now < full and not self.high(hit) else None

    def counted(self, rule_id: str, now: datetime) -> list[datetime]:
        """When the rule alerted outside digests, as far as the clock was not put back since."""
        return [one.when for one in self.alerts if one.rule == rule_id and not one.digest and one.when <= now]

    def high(self, hit: Waiting) -> bool:
        many = bool(hit.rule.escalate) and len(self.outlets[hit.event]) >= hit.rule.escalate
        return hit.rule.severity is Severity.HIGH or many

    def alerted(self, rule_id: str, event: int) -> bool:
        return any((one.rule, one.event) == (rule_id, event) for one in self.alerts)

    def told_by(self, hit: Waiting) -> bool:
        return any(self.alerted(other, hit.event) for other in hit.rule.muted_by)

    def silenced(self, hit: Waiting, now: datetime) -> bool:
        there = {"rule_id": hit.rule.id, "outlet_id": hit.outlet, "story_id": hit.event}
        return any(
            one.ended is None
            and one.until > now
            and all(getattr(one, name) in (None, value) for name, value in there.items())
            for one in self.silences
        )


class Controls(RuleBasedStateMachine):
    """One history. An event is told under a number of its own, by which the model calls its story: after a week the
    same words are another event."""

    fresh: Callable[[], str]  # the URL of a new database

    @initialize()
    def begin(self) -> None:
        self.url = type(self).fresh()
        self.model = Model()
        self.stories: dict[int, int] = {}  # by event
        self.became: dict[int, int] = {}  # by event: the one whose story its own was merged into
        self.now = self.week = NOW
        self.weeks = 0
        self.at_work = ExitStack()
        self.open()

    def open(self) -> None:
        (self.desk,) = self.at_work.enter_context(desks(self.url, rules=[(one, "شاهد") for one in RULES]))
        self.desk.at = (self.now - NOW) // MINUTE

    def teardown(self) -> None:
        if hasattr(self, "at_work"):
            self.at_work.close()

    @rule(event=EVENT, outlet=OUTLET)
    def another(self, event: int, outlet: str) -> None:
        self.arrive(event, outlet)

    @rule(event=EVENT, outlet=OUTLET)
    def arrive(self, event: int, outlet: str) -> None:
        self.desk.take(outlet, *EVENTS[event - 1], page=str(len(self.model.hits)))
        self.now = NOW + MINUTE * self.desk.at
        event = self.root(event)
        self.model.arrive(event, outlet, self.now)
        ((story,),) = self.desk.rows("select story_id from articles order by id desc limit 1")
        assert self.stories.setdefault(event, int(str(story))) == story

    def root(self, event: int) -> int:
        event += 10 * self.weeks
        while event in self.became:
            event = self.became[event]
        return event

    @rule(kept=EVENT, gone=EVENT)
    def merge(self, kept: int, gone: int) -> None:
        kept, gone = self.root(kept), self.root(gone)
        if kept != gone and {kept, gone} <= set(self.stories):
            self.desk.merge(self.stories[kept], self.stories[gone])
            self.became[gone] = kept
            self.model.merge(kept, gone, self.now)

    @rule(minutes=st.sampled_from((1, 9, 20, 60, 61)), everything=st.booleans())
    def wait(self, minutes: int, everything: bool) -> None:
        """Time passes until the next look at what waits. everything: the rules were read again."""
        if self.now - self.week < timedelta(days=5):
            self.look(timedelta(minutes=minutes), everything)

    def look(self, later: timedelta, everything: bool = False) -> None:
        self.now += later
        self.desk.at = (self.now - NOW) // MINUTE
        release_held(self.desk.flow, self.now, everything=everything)
        self.model.release(self.now, everything)

    @rule(what=st.sampled_from(("restart", "deliver", "deliver", "a week", "a week")))
    def now_and_then(self, what: str) -> None:
        if what == "restart":
            self.at_work.close()
            self.open()
        elif what == "deliver":
            self.deliver()
        else:
            self.a_week_goes_by_and_nothing_waits_any_more()

    @rule(minutes=st.sampled_from((5, 30, 61)))
    def the_clock_is_put_back(self, minutes: int) -> None:
        if self.now - self.week > MINUTE * minutes:
            self.look(-MINUTE * minutes)

    def a_week_goes_by_and_nothing_waits_any_more(self) -> None:
        self.look(WINDOW + timedelta(days=6))  # whatever the clock was put back by
        assert self.desk.rows("select id from hits where decision = 'held'") == []
        self.week, self.weeks = self.now, self.weeks + 1

    @rule(given=GIVEN, rule_id=st.sampled_from(ORDER), outlet=OUTLET, event=EVENT, minutes=st.sampled_from((5, 30, 90)))
    def silence(self, given: set[str], rule_id: str, outlet: str, event: int, minutes: int) -> None:
        event = self.root(event)
        if "story_id" in given and event not in self.stories:
            return
        there = {"rule_id": rule_id, "outlet_id": outlet, "story_id": event}
        asked = Silence(0, self.now, self.now + MINUTE * minutes, **{name: there[name] for name in given})  # type: ignore
        self.model.silences.append(asked)
        self.desk.flow.store.add_silence(replace(asked, story_id=self.stories[event] if asked.story_id else None))

    @precondition(lambda self: self.model.silences)
    @rule(data=st.data())
    def end_silence(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.model.silences) - 1))
        ended = self.desk.flow.store.end_silence(at + 1, self.now)
        ours = self.model.silences[at]
        if ours.ended is None and ours.until > self.now:
            self.model.silences[at] = replace(ours, ended=self.now)
        assert ended is not None and ended.end == self.model.silences[at].end

    def deliver(self) -> None:
        self.desk.deliver()
        self.now = NOW + MINUTE * self.desk.at
        assert {row.fate for row in self.rows()} <= {"delivered", "grouped", "digested", "held", "muted"}

    def rows(self) -> list[HitRow]:
        return list(self.desk.flow.store.hits(HitFilter(limit=10_000)).items[::-1])

    @invariant()
    def every_hit_and_alert_is_what_the_model_says(self) -> None:
        if not hasattr(self, "desk"):
            return
        hits = [(row.hit.rule_id, row.hit.decision, row.hit.code, row.hit.until) for row in self.rows()]
        assert hits == [(hit.rule.id, DECISION_OF[hit.code], hit.code, hit.until) for hit in self.model.hits]
        alerts = self.desk.flow.store.alerts(HitFilter(limit=10_000)).items[::-1]
        told = [(one.rule, self.stories[one.event], one.when, one.digest, one.high) for one in self.model.alerts]
        assert told == [
            (one.rule_id, one.story_id, one.created, one.digest, one.severity is Severity.HIGH) for one in alerts
        ]

    @invariant()
    def a_hit_that_waits_waits_for_something_and_an_alert_is_in_a_message_to_be_sent(self) -> None:
        if not hasattr(self, "desk"):
            return
        for hit in (row.hit for row in self.rows() if row.hit.decision is Decision.HELD):
            assert (hit.until is None) == (hit.code == "too_few_outlets")
            assert hit.until is None or hit.until <= self.now + 2 * HOUR
        lost = "select id from alerts where id not in (select alert_id from message_alerts)"
        unsent = "select id from messages where id not in (select message_id from deliveries where operation = 'send')"
        assert self.desk.rows(lost) == [] and self.desk.rows(unsent) == []


QUICK = settings(
    max_examples=3,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to make a failing history shorter takes minutes
)


@pytest.fixture
def machine(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> type[Controls]:
    """The machine, with a fresh copy of an empty database for each history."""
    numbers = count()

    def sqlite() -> str:
        path = tmp_path / f"{next(numbers)}.db"
        shutil.copy(tmp_path / "empty.db", path)
        return f"sqlite:///{path}"

    def postgres() -> str:
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.new_database(request.getfixturevalue("postgres_template"))

    if database == "sqlite":
        Store.open(f"sqlite:///{tmp_path / 'empty.db'}", owner="template").close()
    return type("Here", (Controls,), {"fresh": staticmethod(sqlite if database == "sqlite" else postgres)})


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_controls_on_random_histories_do_what_the_model_says(machine: type[Controls]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.soak
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_controls_on_many_random_histories_do_what_the_model_says(machine: type[Controls]) -> None:
    run_state_machine_as_test(machine, settings=settings(QUICK, max_examples=120, stateful_step_count=60))
