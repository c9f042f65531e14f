"""Deliveries that failed: listed with their reasons, and made again without ever sending a message twice."""

from datetime import timedelta

from monitor.model_delivery import Outcome, OutcomeKind
from monitor.store.delivery_records import DeliveryFilter, DeliveryRow
from monitor.store.records import HitFilter
from tests.test_store_outbox import NOW, RULE, SENT, Desk, desk, seconds

__all__ = ["desk"]

REFUSED = Outcome(OutcomeKind.REJECTED, "Bad Request: this message is not liked")
LATER = NOW + timedelta(hours=1)


def listed(desk: Desk, *states: str, channel: str | None = None) -> list[DeliveryRow]:
    return list(desk.store.deliveries(DeliveryFilter(states, channel)).items)


def fates(desk: Desk) -> dict[str, int]:
    return dict(desk.store.ledger(HitFilter()).fates)


def test_what_failed_is_listed_with_its_reason_and_its_headline(desk: Desk) -> None:
    desk.alert(1)
    desk.alert(2)
    desk.deliver(NOW, REFUSED)
    dead = listed(desk, "dead")
    assert [(one.state, one.reason, one.operation) for one in dead] == [("dead", REFUSED.detail, "send")]
    assert "إسقاط 1 من" in dead[0].headline and dead[0].settled == NOW
    assert [one.state for one in listed(desk)] == ["pending", "dead"]
    assert listed(desk, "dead", channel="other") == []
    first = desk.store.deliveries(DeliveryFilter(limit=1))
    rest = desk.store.deliveries(DeliveryFilter(limit=1, before_id=first.next_before))
    assert [one.id for one in (*first.items, *rest.items)] == [one.id for one in listed(desk)]


def test_a_failed_send_is_made_again_and_remembers_how_it_had_ended(desk: Desk) -> None:
    desk.alert(1)
    desk.deliver(NOW, REFUSED)
    assert fates(desk) == {"failed": 1}
    (dead,) = desk.store.dead_deliveries("main")
    (done,) = desk.store.retry_deliveries([dead], LATER)
    assert (done.again, done.why) == (True, REFUSED.detail)
    assert fates(desk) == {"queued": 1}
    assert desk.store.hits(HitFilter()).items[0].why == "new_story"
    (claim,) = desk.deliver(LATER)
    assert (claim.id, claim.attempt) == (dead, 1)
    (row,) = listed(desk)
    assert (row.state, row.reason) == ("sent", "")
    assert [(end.ended, end.again, end.reason) for end in row.ends] == [(NOW, LATER, REFUSED.detail)]
    assert fates(desk) == {"delivered": 1}
    assert desk.store.retry_deliveries([dead, 999], LATER + seconds(9)) == [
        type(done)(dead, "main", again=False, why="it has not failed, it is sent"),
        type(done)(999, "", again=False, why="there is no such delivery"),
    ]
    assert desk.deliver(LATER + seconds(9)) == []


def test_edits_that_a_dead_send_took_with_it_are_shown_by_the_send_made_again(desk: Desk) -> None:
    story, _ = desk.alert(1)
    (claim,) = desk.claim(NOW)
    desk.grow(story, 2, "anba", NOW)
    desk.deliver(NOW)  # nothing: the send is under way
    desk.store.settle(claim, desk.settlement(claim, REFUSED, NOW), NOW)
    assert sorted(one.operation for one in listed(desk, "dead")) == ["edit", "send"]
    buried = next(one.id for one in listed(desk, "dead") if one.operation == "edit")
    assert "retry delivery" in desk.store.retry_deliveries([buried], LATER)[0].why
    done = desk.store.retry_deliveries(desk.store.dead_deliveries(), LATER)
    assert [one.again for one in done] == [True, False]
    assert [(one.operation, one.state) for one in listed(desk)] == [("send", "pending")]
    desk.deliver(LATER)
    assert desk.deliver(LATER + timedelta(minutes=5)) == []
    assert len(desk.store.message_rows(claim.message_id).stories[0].articles) == 2


def test_a_message_whose_later_send_is_out_is_not_sent_by_the_earlier_one(desk: Desk) -> None:
    story, message = desk.alert(1)
    desk.deliver(NOW, REFUSED)
    (dead,) = desk.store.dead_deliveries()
    with desk.store.intake(LATER) as tx:  # another rule alerts the story: its message gets an attempt of its own
        rule = type(RULE)("other", "أخرى", "Other")
        hit = tx.hits_of(story)[0]
        alert = tx.add_alert(rule, story, hit.id, LATER)
        assert alert is not None
        assert tx.post(alert, story, ["main"], LATER, priority=1) == [message]
    for state in ("pending", "sent"):
        (refused,) = desk.store.retry_deliveries([dead], LATER)
        assert not refused.again and "sends its message" in refused.why
        assert [one.state for one in listed(desk)] == [state, "dead"]
        desk.deliver(LATER)


def test_a_failed_edit_made_again_takes_the_waiting_one_with_it(desk: Desk) -> None:
    story, _ = desk.alert(1)
    desk.deliver(NOW)
    desk.grow(story, 2, "anba", NOW)
    desk.deliver(NOW + seconds(2), REFUSED)
    (dead,) = desk.store.dead_deliveries()
    desk.grow(story, 3, "sada", NOW + seconds(4))
    assert sorted(one.state for one in listed(desk)) == ["dead", "pending", "sent"]
    assert [one.again for one in desk.store.retry_deliveries([dead], LATER)] == [True]
    assert [(one.id, one.operation) for one in listed(desk, "pending")] == [(dead, "edit")]
    desk.deliver(LATER, SENT)
    assert {one.state for one in listed(desk)} == {"sent"}
    desk.store.prune(NOW + timedelta(days=30), timedelta(days=7))
    assert listed(desk) == []
    assert desk.store.ledger(HitFilter()).removed == {"delivered": 1}
