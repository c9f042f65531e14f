"""Attempts are settled while another daemon takes in more of their stories, on Postgres: neither ends the other, and no
alert is lost between them."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.errors import StoreError
from monitor.model import Decision, Placement, RuleMatch, Span, Verdict
from monitor.model_delivery import ChatPace, DeliveryClaim, Operation, Outcome, OutcomeKind
from monitor.store import claiming, dialect, outbox, posting, retention
from monitor.store.intake import Intake
from monitor.store.records import HitFilter
from monitor.store.settling import Settling
from tests.desk import desks
from tests.postgres import PostgresServer
from tests.test_store_outbox import NOW, PACES, SECOND, SENT, Desk, article, seconds

BUSY = Outcome(OutcomeKind.RETRY, "429", retry_after=5)
DELETED = Outcome(OutcomeKind.GONE, "message to edit not found")


@pytest.fixture
def url(postgres: PostgresServer, postgres_template: str) -> str:
    return postgres.new_database(postgres_template)


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    desk = Desk(url)
    yield desk
    desk.store.close()
    desk.other.close()


def edit_under_way(desk: Desk) -> tuple[int, DeliveryClaim]:
    """A story whose message is being edited."""
    story, _ = desk.alert(1)
    desk.deliver(NOW)
    desk.grow(story, 3, "sada", NOW + seconds(5))
    (edit,) = desk.claim(NOW + seconds(6))
    return story, edit


def second_rule_alerts(tx: Intake, story: int) -> None:
    now = NOW + seconds(8)
    id_ = tx.add_article(article(2, "alquds"), story, Placement(story, "body"), False)
    match = RuleMatch(SECOND.id, (Span("title", 6, 7, "شاهد"),))
    hit = tx.add_hit(SECOND, id_, story, match, Verdict(Decision.ALERT, "new_story"), now)
    alert = tx.add_alert(SECOND, story, hit, now)
    assert alert is not None
    tx.post(alert, story, ("main",), now, priority=1)


def until_it_waits(work: Future[Any]) -> None:
    """Give the other thread time to reach the lock."""
    time.sleep(0.5)
    assert not work.done()


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("ends", ["gone", "sent"])
def test_an_alert_that_joins_while_an_edit_goes_back_to_waiting_is_told(desk: Desk, ends: str, waits: bool) -> None:
    """waits: whether another edit of the message waits already, which the alert joins."""
    story, edit = edit_under_way(desk)
    if waits:
        desk.grow(story, 4, "nida", NOW + seconds(7))
    with ThreadPoolExecutor(1) as pool:
        with desk.other.intake(NOW + seconds(8)) as tx:
            second_rule_alerts(tx, story)
            settlement = desk.settlement(edit, BUSY, NOW + seconds(8))
            settled = pool.submit(desk.store.settle, edit, settlement, NOW + seconds(8))
            until_it_waits(settled)
        assert settled.result()
    (again,) = desk.claim(NOW + seconds(60))
    if ends == "gone":
        desk.store.settle(again, desk.settlement(again, DELETED, NOW + seconds(61)), NOW + seconds(61))
        (send,) = desk.deliver(NOW + seconds(90))
        assert send.operation is Operation.SEND
    else:
        sent = Outcome(OutcomeKind.SENT, external_id="77")
        desk.store.settle(again, desk.settlement(again, sent, NOW + seconds(61)), NOW + seconds(61))
    assert {row.hit.rule_id: row.fate for row in desk.store.hits(HitFilter()).items}["port"] == "delivered"


def test_a_story_grows_while_an_edit_goes_back_to_waiting(desk: Desk) -> None:
    story, edit = edit_under_way(desk)
    settlement = desk.settlement(edit, BUSY, NOW + seconds(8))

    def grow() -> int:
        with desk.other.intake(NOW + seconds(8)) as tx:
            return tx.grew(story, NOW + seconds(8))

    with ThreadPoolExecutor(1) as pool:
        with desk.store._writing() as connection:
            Settling(connection, "one", None).write([(edit, settlement, NOW + seconds(8))])
            grown = pool.submit(grow)
            until_it_waits(grown)
        assert grown.result() == 0, "the edit that waits again shows it"
    assert [one.operation for one in desk.deliver(NOW + seconds(60))] == [Operation.EDIT]
    assert desk.claim(NOW + seconds(200)) == []


async def test_two_that_wait_for_each_other_are_both_done_and_nobody_hears_of_it(desk: Desk, url: str) -> None:
    paces = {"main": PACES["main"], "second": ChatPace("telegram:2")}
    one, _ = desk.alert(1, channels=("main",))
    two, _ = desk.alert(2, channels=("second",))
    claims = desk.claim(NOW, paces)
    now = NOW + seconds(1)
    sent = [(claim, desk.settlement(claim, SENT, now), now) for claim in claims]
    begun, runs = threading.Event(), []

    def take_in() -> None:
        runs.append("intake")
        with desk.other.intake(now) as tx:
            tx.grew(two, now)
            begun.set()
            time.sleep(0.5)
            tx.grew(one, now)

    def settle() -> list[bool]:
        runs.append("settlement")
        begun.wait()
        return desk.store.settle_all(sent)

    with desks(url, 2) as (here, there):
        _, answers = await asyncio.gather(here.flow.write(take_in), there.flow.write(settle))
    assert answers == [True, True] and len(runs) == 3, runs
    assert desk.store.count_deliveries("send", "sent") == desk.store.count_deliveries("edit", "pending") == 2


def test_a_failed_edit_is_made_again_while_its_story_grows(desk: Desk) -> None:
    """Each would wait for the other; whoever asks for it by hand is not told to ask again."""
    story, edit = edit_under_way(desk)
    desk.join(story, 4, NOW + seconds(7))
    refused = Outcome(OutcomeKind.REJECTED, "not liked")
    desk.store.settle(edit, desk.settlement(edit, refused, NOW + seconds(8)), NOW + seconds(8))
    (second,) = desk.claim(NOW + seconds(70))
    desk.store.settle(second, desk.settlement(second, refused, NOW + seconds(70)), NOW + seconds(70))
    now = NOW + seconds(80)
    with ThreadPoolExecutor(1) as pool:
        with desk.other.intake(now) as tx:
            posting.latest_send(tx._connection, second.message_id)
            again = pool.submit(desk.store.retry_deliveries, [second.id], now)
            until_it_waits(again)
            tx.grew(story, now)
        assert [one.again for one in again.result()] == [True]
    assert [one.id for one in desk.deliver(now)] == [second.id]
    assert {row.hit.rule_id: row.fate for row in desk.store.hits(HitFilter()).items}["port"] == "delivered"


def test_what_is_to_be_sent_again_is_not_removed_at_that_moment(desk: Desk) -> None:
    desk.alert(1)
    (send,) = desk.claim(NOW)
    refused = Outcome(OutcomeKind.REJECTED, "not liked")
    desk.store.settle(send, desk.settlement(send, refused, NOW), NOW)
    later, keep = NOW + timedelta(days=400), timedelta(days=180)
    with ThreadPoolExecutor(1) as pool:
        with desk.other._writing() as connection:
            dialect.exclude_others(connection, dialect.INTAKE_LOCK)
            old = retention._old_stories(connection, later - keep, 9)
            again = pool.submit(desk.store.retry_deliveries, [send.id], later)
            time.sleep(0.5)
            retention._remove(connection, old, later)
        assert again.result()[0].again == (desk.claim(later) != [])


@pytest.mark.parametrize(
    ("place", "name", "kind"),
    [(outbox, "assign", OutcomeKind.UNSENT), (claiming.Claiming, "_not_held", OutcomeKind.HOLD_CHANNEL)],
)
def test_what_goes_back_to_waiting_while_another_claims_is_not_passed_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, place: object, name: str, kind: OutcomeKind
) -> None:
    """It ends when the other one has just done the step `name` of its claim."""
    _, first = desk.alert(1)
    desk.alert(2)
    (claim,) = desk.claim(NOW)
    waits = desk.settlement(claim, Outcome(kind, "as it goes"), NOW + seconds(1))
    step, settled = getattr(place, name), []

    def done(*given: Any) -> Any:
        found = step(*given)
        settled.append(pool.submit(desk.other.settle_all, [(claim, waits, NOW + seconds(1))]))
        with suppress(TimeoutError):
            settled[0].result(timeout=0.5)
        return found

    desk.other.owner = desk.store.owner  # the one whose attempt it was
    with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patched:
        patched.setattr(place, name, done)
        taken = desk.claim(NOW + seconds(5))
        settled[0].result()
    taken += desk.claim(NOW + seconds(6))
    assert [one.message_id for one in taken] == ([first] if kind is OutcomeKind.UNSENT else [])


def test_a_daemon_whose_machine_died_in_the_middle_of_its_work_stops_no_other(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To Postgres its session goes on for hours, with all that it had locked."""
    monkeypatch.setattr(dialect, "_IDLE_S", 1)
    desk = Desk(url)
    desk.alert(1)
    with ThreadPoolExecutor(1) as pool, pytest.raises(StoreError), desk.other._writing() as connection:
        dialect.exclude_others(connection, dialect.CLAIM_LOCK)
        claimed = pool.submit(desk.claim, NOW)
        with suppress(TimeoutError):
            claimed.result(timeout=20)
    assert len(claimed.result()) == 1
    assert desk.other.count_deliveries("send", "sending") == 1, "one that was only asleep goes on"
    desk.store.close()
    desk.other.close()


async def test_pruning_goes_on_where_a_step_of_it_was_undone(desk: Desk, url: str) -> None:
    desk.alert(1)
    desk.deliver(NOW)
    later = NOW + timedelta(days=400)
    with desks(url) as (here,):
        steps = here.flow.store.prune_steps(later, timedelta(days=180))
        with ThreadPoolExecutor(1) as pool, desk.other._writing() as connection:
            connection.execute(sa.text("select id from messages for update"))
            step = asyncio.ensure_future(here.flow.write(next, steps, None))
            await asyncio.sleep(0.5)
            await asyncio.wrap_future(pool.submit(connection.execute, sa.text("update deliveries set reason = ''")))
            connection.rollback()
        assert (await step).articles == 1
