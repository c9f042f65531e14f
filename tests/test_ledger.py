"""The ledger leaves no hit out: whatever happens to stories, messages and old rows, the sum is the number of hits."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import datetime, time, timedelta
from itertools import count
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from monitor.arrivals import release_held
from monitor.delivery import retry
from monitor.delivery.links import link
from monitor.errors import RasidError
from monitor.model import Decision, Rule, RuleState
from monitor.model_delivery import Channel, ChatPace, DeliveryClaim, Mode, Operation, Outcome, OutcomeKind, Schedule
from monitor.store.fates import fate
from monitor.store.records import HitFilter
from monitor.store.store import Store
from monitor.store.tables import hits
from tests.desk import NOW, Desk, desks
from tests.postgres import PostgresServer

RULES = [
    (Rule("shahed", "مسيّرات شاهد", "Shahed drones"), "شاهد"),
    (Rule("port", "الميناء", "The port", min_outlets=2), "ميناء"),
    (Rule("city", "المدينة", "The city", cooldown=timedelta(minutes=30)), "مدينة"),
    (Rule("trial", "تجربة", "On trial", state=RuleState.TRIAL), "روسيا"),
    (Rule("toll", "الحصيلة", "The toll", developments=True), "طائرة"),
    (Rule("calm", "حصيلة", "In digests", channels=("calm",)), "شاهد OR البلدية"),
    (Rule("both", "كلاهما", "In both", channels=("calm", "main")), "البحر"),
    (Rule("grows", "تتسع", "Grows", channels=("each",), escalate=3), "شاهد OR البلدية OR ميناء"),
    (Rule("muted", "مكتومة", "Muted", muted_by=("grows", "port"), max_per_hour=1), "أعلنت OR ميناء OR شوارع"),
]
CHANNELS = (
    Channel("main", "console"),
    Channel("calm", "console", mode=Mode.DIGEST, digest=Schedule(every=timedelta(minutes=30))),
    Channel("each", "console", mode=Mode.EACH, burst=1, quiet=(time(13), time(7))),
)
TEXTS = (
    (
        "إسقاط {n} طائرة شاهد فوق كييف",
        "أعلنت القوات الجوية الأوكرانية صباح اليوم أنها أسقطت {n} طائرة من طراز شاهد أطلقتها روسيا خلال الليل على "
        "العاصمة كييف ومدينة أوديسا وأضافت في بيان أن حطام الطائرات سقط على رصيف في ميناء المدينة من دون إصابات",
    ),
    (
        "الأمطار تغمر المدينة القديمة",
        "غمرت مياه الأمطار شوارع المدينة القديمة وتعطلت حركة السير ساعات طويلة فيما دعت البلدية السكان إلى البقاء في "
        "منازلهم حتى تنتهي فرقها من سحب المياه وفتح الطرق الرئيسية أمام سيارات الإسعاف",
    ),
    (
        "افتتاح ميناء جديد على البحر الأسود",
        "افتتحت روسيا ميناء جديدا على ساحل البحر الأسود بعد أعوام من أعمال البناء وقالت وزارة النقل إن الرصيف يستقبل "
        "سفن الحبوب والوقود وإن مدينة صغيرة نشأت حوله لسكن العمال وعائلاتهم",
    ),
)
OUTCOMES = [
    OutcomeKind.SENT, OutcomeKind.SENT, OutcomeKind.REJECTED, OutcomeKind.RETRY, OutcomeKind.UNKNOWN, OutcomeKind.GONE,
]  # fmt: skip
steps = st.one_of(
    st.tuples(st.just("take"), st.sampled_from("abcd"), st.integers(0, len(TEXTS) - 1), st.integers(20, 24)),
    st.tuples(st.just("take"), st.sampled_from("abcd"), st.integers(0, len(TEXTS) - 1), st.integers(20, 24)),
    st.tuples(st.just("deliver"), st.sampled_from(OUTCOMES)),
    st.tuples(st.just("begin")),
    st.tuples(st.just("wait"), st.sampled_from([1, 40, 60 * 24 * 8])),
    st.tuples(st.just("merge"), st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.just("split"), st.integers(1, 5), st.integers(1, 9)),
    st.tuples(st.just("retry")),
    st.tuples(st.just("prune")),
)


class History:
    """One desk to which things happen; made: how many hits its polls reported. begun: deliveries that are under way,
    each with the alerts that its message carried as it began. shown: (message, alert) told so. again: messages
    whose send began more than once: it may show what joined in between, which counts as told with its edit only."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.flow.channels = {one.name: one for one in CHANNELS}
        self.made = 0
        self.begun: list[tuple[DeliveryClaim, set[object]]] = []
        self.shown: set[tuple[object, object]] = set()
        self.again: set[object] = set()
        self.overruled = False
        self.store: Store = desk.flow.store

    def do(self, what: str, *given: object) -> None:
        getattr(self, what)(*given)
        self.desk.at += 1

    @property
    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.desk.at)

    def take(self, outlet: str, which: int, number: int) -> None:
        title, text = TEXTS[which]
        self.made += self.desk.take(outlet, title.format(n=number), text.format(n=number)).hits

    def wait(self, minutes: int) -> None:
        self.desk.at += minutes
        release_held(self.desk.flow, self.now)

    def merge(self, kept: int, gone: int) -> None:
        self._overrule(lambda: self.desk.merge(kept, gone))

    def split(self, story: int, article: int) -> None:
        self._overrule(lambda: self.desk.split(story, article))

    def _overrule(self, work: Callable[[], object]) -> None:
        with contextlib.suppress(RasidError):  # no such story, or nothing to split off
            work()
            self.overruled = True

    def begin(self) -> None:
        now = self.now
        self.store.release_expired(now, retry.QUARANTINE)
        self.store.close_digests(now)
        paces = {one.name: ChatPace(one.name) for one in CHANNELS}
        for claim in self.store.claim_deliveries(now, paces=paces, limit=9):
            carried = self.desk.rows(f"select alert_id from message_alerts where message_id = {claim.message_id}")
            self.again |= {claim.message_id} if claim.operation is Operation.SEND and claim.attempt > 1 else set()
            self.begun.append((claim, {row[0] for row in carried}))

    def deliver(self, kind: OutcomeKind) -> None:
        """End what is under way, or what begins now."""
        if not self.begun:
            self.begin()
        for claim, carried in self.begun:
            outcome = Outcome(kind, external_id=str(claim.message_id), detail=f"{kind.value} by chance")
            settlement = retry.settle(claim, outcome, self.now, Random(1))
            ours = self.store.settle(claim, settlement, self.now)
            if settlement.state == "sent" and (ours or self._is_sent(claim)):
                self.shown |= {(claim.message_id, alert) for alert in carried}
        self.begun = []

    def _is_sent(self, claim: DeliveryClaim) -> bool:
        return self.desk.rows(f"select state from deliveries where id = {claim.id}") == [("sent",)]

    def retry(self) -> None:
        self.store.retry_deliveries(self.store.dead_deliveries(), self.now)

    def prune(self) -> None:
        self.store.prune(self.now, self.desk.flow.index.window)

    def fates_by_hand(self) -> Counter[str]:
        """What became of each hit, from the bare rows: the slow and obvious way."""
        hits = self.desk.rows("select id, rule_id, story_id, decision from hits")
        alerts = self.desk.rows("select id, rule_id, story_id, hit_id, change from alerts")
        carried = self.desk.rows("select alert_id, message_id, told_by from message_alerts")
        kinds = {row[0]: row[1] for row in self.desk.rows("select id, kind from messages")}
        open_ = {row[0] for row in self.desk.rows("select id from messages where open")}
        made = self.desk.rows("select message_id, state, id, operation from deliveries")
        found: Counter[str] = Counter()
        for hit, rule, story, decision in hits:
            if decision in ("held", "muted"):
                found[str(decision)] += 1
                continue
            own = [one[0] for one in alerts if one[3] == hit and one[4]]
            told = own or [one[0] for one in alerts if one[1:3] == (rule, story) and not one[4]]
            states = [
                (kinds[message], "collected" if state == "pending" and message in open_ else state)
                for alert, message, told_by in carried
                if alert in told
                for sent, state, number, operation in made
                if sent == message and (number == told_by or (told_by is None and operation == "send"))
            ]
            out = {kind for kind, state in states if state == "sent"}
            if out:
                found["grouped" if decision == "joined" else "digested" if out == {"digest"} else "delivered"] += 1
            elif not told and decision == "joined":
                found["grouped"] += 1
            elif states and all(state == "dead" for _, state in states):
                found["failed"] += 1
            elif states and all(state in ("dead", "collected") for _, state in states):
                found["held"] += 1
            else:
                found["queued"] += 1
        return found

    def told(self) -> set[tuple[object, object]]:
        """(message, alert) of all that was told, as the database has it."""
        by = "d.id = a.told_by or (a.told_by is null and d.message_id = a.message_id and d.operation = 'send')"
        told = f"select a.message_id, a.alert_id from message_alerts a join deliveries d on {by} where d.state = 'sent'"
        return {(message, alert) for message, alert in self.desk.rows(told)}

    def carried(self) -> set[tuple[object, object]]:
        return {
            (message, alert) for message, alert in self.desk.rows("select message_id, alert_id from message_alerts")
        }


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """URLs of databases with all tables, another one each time."""
    numbers = count(1)
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        template: str = request.getfixturevalue("postgres_template")
        return lambda: server.new_database(template)
    made = tmp_path / "template.db"
    Store.open(f"sqlite:///{made}", owner="template").close()
    return lambda: f"sqlite:///{shutil.copy(made, tmp_path / f'{next(numbers)}.db')}"


_fresh_each = [HealthCheck.function_scoped_fixture]
histories = given(history=st.lists(steps, min_size=5, max_size=40))


@settings(max_examples=8, deadline=None, suppress_health_check=_fresh_each)
@histories
def test_whatever_happens_the_ledger_adds_up_to_every_hit(
    fresh: Callable[[], str], history: list[tuple[str, object]]
) -> None:
    _adds_up(fresh, history)


@pytest.mark.soak
@settings(max_examples=300, deadline=None, suppress_health_check=_fresh_each)
@histories
def test_at_length_the_ledger_adds_up_to_every_hit(fresh: Callable[[], str], history: list[tuple[str, object]]) -> None:
    _adds_up(fresh, history)


def _adds_up(fresh: Callable[[], str], history: list[tuple[str, object]]) -> None:
    with desks(fresh(), rules=RULES) as (desk,):
        told = History(desk)
        for step in history:
            told.do(*step)
            if not told.overruled:  # which may let a message carry an alert that tells what it told before
                assert told.told() <= told.shown
                assert {message for message, _ in told.shown & told.carried() - told.told()} <= told.again
        store = desk.flow.store
        sums = store.ledger(HitFilter())
        assert sums.total == told.made
        assert sums.fates == dict(told.fates_by_hand())
        assert {fate: sum(codes.values()) for fate, codes in sums.reasons.items()} == sums.fates
        rows = store.hits(HitFilter(limit=1000)).items
        assert Counter(row.fate for row in rows) == sums.fates
        assert all(row.at >= row.hit.created and row.why for row in rows)
        collected = [row for row in rows if row.fate == "held" and row.hit.decision is not Decision.HELD]
        assert all(row.why.startswith(("digest at ", "burst: ", "quiet hours ")) for row in collected)
        assert all(row.until is not None for row in collected)
        kinds = ("digest", "burst", "quiet")
        assert sum(sums.reasons.get("held", {}).get(kind, 0) for kind in kinds) == len(collected)
        for fate, number in sums.fates.items():
            assert len(store.hits(HitFilter(limit=1000, fate=fate)).items) == number
        midnight = NOW.replace(hour=0) + timedelta(days=1)
        parts = [store.ledger(HitFilter(until=midnight)), store.ledger(HitFilter(since=midnight))]
        assert sum(one.total for one in parts) == told.made
        assert sum(store.ledger(HitFilter(rule=rule.id)).total for rule, _ in RULES) == told.made


def test_the_histories_reach_every_fate(fresh: Callable[[], str]) -> None:
    """What the property rests on: these steps are able to bring every fate about."""
    with desks(fresh(), rules=RULES) as (desk,):
        told = History(desk)
        seen: set[str] = set()
        kinds: set[str] = set()
        for step in (
            ("take", "a", 0, 20), ("deliver", OutcomeKind.SENT), ("take", "b", 0, 20), ("take", "a", 1, 20),
            ("take", "c", 2, 20), ("wait", 40), ("deliver", OutcomeKind.SENT), ("deliver", OutcomeKind.SENT),
            ("take", "d", 1, 20), ("take", "b", 2, 20), ("deliver", OutcomeKind.REJECTED),
        ):  # fmt: skip
            told.do(*step)
            sums = desk.flow.store.ledger(HitFilter())
            seen |= set(sums.fates)
            kinds |= set(sums.reasons.get("held", {}))
        assert seen >= {"delivered", "grouped", "digested", "queued", "held", "muted", "failed"}
        assert "digest" in kinds
        before = desk.flow.store.ledger(HitFilter())
        told.do("wait", 60 * 24 * 30)
        told.do("deliver", OutcomeKind.SENT)
        told.do("prune")
        after = desk.flow.store.ledger(HitFilter())
        assert after.fates == {} and after.total == before.total == told.made
        assert after.removed["muted"] >= before.fates["muted"]


@pytest.mark.parametrize(
    ("chat", "message", "address"),
    [
        ("telegram:123456:-1001234567890", "17", "https://t.me/c/1234567890/17"),
        ("telegram:123456:@rasid_news", "17", "https://t.me/rasid_news/17"),
        ("telegram:123456:-5 -1009876543210", "3", "https://t.me/c/9876543210/3"),
        ("telegram:123456:-5", "3", None),
        ("telegram:123456:77001", "3", None),
        ("telegram:123456:@rasid_news", None, None),
        ("webhook:https://example.org/-1001", "3", None),
        ("telegram:123456:@a/../b?c", "3", None),
        (None, "3", None),
    ],
)
def test_a_message_has_a_link_where_telegram_gives_it_one(chat: str | None, message: str | None, address: str) -> None:
    assert link(chat, message) == address


def test_a_fate_is_looked_up_from_its_alert_whatever_else_was_sent(tmp_path: Path) -> None:
    """Begun with all that was sent, the ledger of a hundred thousand hits would take hours."""
    with desks(f"sqlite:///{tmp_path / 'rasid.db'}", rules=RULES) as (desk,):
        statement = sa.select(fate()).select_from(hits)
        asked = str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
        steps = [str(row[3]) for row in desk.rows(f"EXPLAIN QUERY PLAN {asked}")]
    assert "SCAN hits" in steps and not [one for one in steps if one.startswith("SCAN") and one != "SCAN hits"]
    searched = [one.partition(" USING ")[2] for one in steps if one.startswith("SEARCH deliveries")]
    assert searched and all(one.startswith("INDEX deliveries_message ") for one in searched)
