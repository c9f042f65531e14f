"""A further rule's alert on a story whose message is out: an edit tells it, and the ledger says when that was done."""

from datetime import datetime, timedelta

from monitor.model import Rule
from monitor.model_delivery import Operation, Outcome, OutcomeKind
from monitor.store.delivery_records import DeliveryFilter
from monitor.store.records import HitFilter, HitRow
from tests.test_store_outbox import NOW, PACES, SENT, Desk, desk, seconds

__all__ = ["desk"]

DELETED = Outcome(OutcomeKind.GONE, "message to edit not found")
REFUSED = Outcome(OutcomeKind.REJECTED, "Bad Request: this message is not liked")
BUSY = Outcome(OutcomeKind.RETRY, "429", retry_after=5)
THIRD = Rule("toll", "الحصيلة", "The toll")


def row(desk: Desk, rule: str) -> HitRow:
    return next(one for one in desk.store.hits(HitFilter()).items if one.hit.rule_id == rule)


def fates(desk: Desk) -> dict[str, str]:
    return {one.hit.rule_id: one.fate for one in desk.store.hits(HitFilter()).items}


def waiting(desk: Desk) -> list[str]:
    return [one.operation for one in desk.store.deliveries(DeliveryFilter(("pending",))).items]


def told(desk: Desk) -> tuple[int, int]:
    """A story whose message is out, and that message."""
    story, message = desk.alert(1)
    desk.deliver(NOW)
    return story, message


def settle(desk: Desk, now: datetime, outcome: Outcome) -> None:
    desk.deliver(now, outcome)


# ── a message that is gone ──


def test_an_alert_whose_edit_found_its_message_deleted_is_sent(desk: Desk) -> None:
    story, message = told(desk)
    desk.join(story, 2, NOW + seconds(5))
    settle(desk, NOW + seconds(6), DELETED)
    assert fates(desk) == {"shahed": "delivered", "port": "queued"}
    (claim,) = desk.deliver(NOW + seconds(8))
    assert (claim.operation, claim.message_id) == (Operation.SEND, message)
    assert fates(desk) == {"shahed": "delivered", "port": "delivered"}
    desk.grow(story, 3, "sada", NOW + seconds(10))
    assert waiting(desk) == ["edit"], "it lives on where it was sent anew"


def test_an_edit_that_only_shows_further_outlets_ends_with_its_message(desk: Desk) -> None:
    story, _ = told(desk)
    desk.grow(story, 3, "sada", NOW + seconds(5))
    settle(desk, NOW + seconds(6), DELETED)
    assert waiting(desk) == [] and fates(desk) == {"shahed": "delivered"}


def test_the_send_that_follows_takes_the_urgency_and_the_alert_of_the_edit_behind(desk: Desk) -> None:
    story, message = told(desk)
    desk.join(story, 2, NOW + seconds(5))
    (edit,) = desk.claim(NOW + seconds(6))
    with desk.store.intake(NOW + seconds(7)) as tx:
        alert = tx.add_alert(THIRD, story, tx.hits_of(story)[0].id, NOW + seconds(7))
        assert alert is not None
        assert tx.post(alert, story, ("main",), NOW + seconds(7), priority=0) == [message]
    desk.store.settle(edit, desk.settlement(edit, DELETED, NOW + seconds(8)), NOW + seconds(8))
    assert waiting(desk) == ["send"]
    with desk.store._reading() as connection:
        priority = connection.exec_driver_sql("select priority from deliveries where state = 'pending'").scalar()
    assert priority == 0
    desk.deliver(NOW + seconds(10))
    assert fates(desk)["port"] == "delivered"


def test_what_was_sent_anew_is_not_sent_once_more_by_a_retry_of_its_edit(desk: Desk) -> None:
    story, _ = told(desk)
    desk.join(story, 2, NOW + seconds(5))
    settle(desk, NOW + seconds(6), DELETED)
    desk.deliver(NOW + seconds(8))
    (edit,) = (one.id for one in desk.store.deliveries(DeliveryFilter(states=("dead",))).items)
    assert desk.store.dead_deliveries() == [], "an edit of what was deleted can only fail again"
    assert desk.store.retry_deliveries([edit], NOW + seconds(9))[0].again
    settle(desk, NOW + seconds(12), DELETED)
    assert waiting(desk) == [] and fates(desk)["port"] == "delivered"


# ── what the ledger says meanwhile ──


def test_until_the_edit_is_made_its_alert_is_queued_and_then_delivered_at_that_moment(desk: Desk) -> None:
    story, _ = told(desk)
    desk.join(story, 2, NOW + seconds(5))
    assert fates(desk) == {"shahed": "delivered", "port": "queued"}
    (post,) = row(desk, "port").posts
    assert (post.state, post.sent_at, post.external_id) == ("pending", None, None), "no link to what does not tell it"
    (edit,) = desk.claim(NOW + seconds(6))
    assert fates(desk)["port"] == "queued"
    desk.store.settle(edit, desk.settlement(edit, SENT, NOW + seconds(7)), NOW + seconds(7))
    hit = row(desk, "port")
    assert (hit.fate, hit.at) == ("delivered", NOW + seconds(7))
    assert hit.posts[0].external_id == "77" and row(desk, "shahed").at == NOW


def test_an_edit_under_way_does_not_tell_what_joined_after_it_began(desk: Desk) -> None:
    story, _ = told(desk)
    desk.grow(story, 3, "sada", NOW + seconds(5))
    (edit,) = desk.claim(NOW + seconds(6))
    desk.join(story, 2, NOW + seconds(7))
    desk.store.settle(edit, desk.settlement(edit, SENT, NOW + seconds(8)), NOW + seconds(8))
    assert fates(desk)["port"] == "queued"
    desk.deliver(NOW + seconds(90))
    assert fates(desk)["port"] == "delivered"


def test_an_edit_that_waits_again_tells_the_alert_of_the_one_it_absorbs(desk: Desk) -> None:
    story, _ = told(desk)
    desk.grow(story, 3, "sada", NOW + seconds(5))
    (edit,) = desk.claim(NOW + seconds(6))
    desk.join(story, 2, NOW + seconds(7))
    desk.store.settle(edit, desk.settlement(edit, BUSY, NOW + seconds(8)), NOW + seconds(8))
    assert waiting(desk) == ["edit"] and fates(desk)["port"] == "queued"
    (again,) = desk.deliver(NOW + seconds(60))
    assert again.id == edit.id and fates(desk)["port"] == "delivered"


def test_a_refused_edit_leaves_its_alert_failed_until_it_is_made_again(desk: Desk) -> None:
    story, _ = told(desk)
    desk.join(story, 2, NOW + seconds(5))
    settle(desk, NOW + seconds(6), REFUSED)
    hit = row(desk, "port")
    assert (hit.fate, hit.why, hit.at) == ("failed", REFUSED.detail, NOW + seconds(6))
    assert fates(desk)["shahed"] == "delivered" and waiting(desk) == []
    (dead,) = desk.store.dead_deliveries()
    assert desk.store.retry_deliveries([dead], NOW + seconds(9))[0].again
    assert fates(desk)["port"] == "queued"
    settle(desk, NOW + seconds(12), SENT)
    assert fates(desk)["port"] == "delivered"


def test_an_edit_made_again_does_not_count_as_made_for_what_joins_it(desk: Desk) -> None:
    story, _ = told(desk)
    desk.join(story, 2, NOW + seconds(5))
    settle(desk, NOW + seconds(6), REFUSED)
    desk.grow(story, 3, "sada", NOW + seconds(7))
    settle(desk, NOW + seconds(90), SENT)
    assert fates(desk)["port"] == "delivered", "the later edit showed it"
    desk.store.retry_deliveries(desk.store.dead_deliveries(), NOW + seconds(91))
    desk.join(story, 4, NOW + seconds(92), THIRD)
    assert fates(desk) == {"shahed": "delivered", "port": "delivered", "toll": "queued"}
    settle(desk, NOW + seconds(200), SENT)
    assert fates(desk)["toll"] == "delivered"


def test_an_edit_that_already_waits_takes_over_the_alert_of_one_that_is_refused(desk: Desk) -> None:
    story, _ = told(desk)
    desk.join(story, 2, NOW + seconds(5))
    (edit,) = desk.claim(NOW + seconds(6))
    desk.grow(story, 3, "sada", NOW + seconds(7))
    desk.store.settle(edit, desk.settlement(edit, REFUSED, NOW + seconds(8)), NOW + seconds(8))
    assert fates(desk)["port"] == "queued"
    settle(desk, NOW + seconds(90), DELETED)  # and brings it as its own
    assert waiting(desk) == ["send"] and fates(desk)["port"] == "queued"
    settle(desk, NOW + seconds(92), SENT)
    assert fates(desk)["port"] == "delivered"


def test_a_send_that_dies_takes_the_alerts_of_waiting_edits_with_it_and_tells_them_when_made_again(desk: Desk) -> None:
    story, _ = desk.alert(1)
    (send,) = desk.claim(NOW)
    desk.join(story, 2, NOW + seconds(1))
    desk.store.settle(send, desk.settlement(send, REFUSED, NOW + seconds(2)), NOW + seconds(2))
    assert fates(desk) == {"shahed": "failed", "port": "failed"}
    desk.store.retry_deliveries(desk.store.dead_deliveries(), NOW + seconds(5))
    assert waiting(desk) == ["send"] and set(fates(desk).values()) == {"queued"}
    settle(desk, NOW + seconds(9), SENT)
    assert set(fates(desk).values()) == {"delivered"}


def test_where_the_channel_moved_the_alert_is_delivered_once_its_message_is_posted_there(desk: Desk) -> None:
    story, _ = told(desk)
    desk.join(story, 2, NOW + seconds(5))
    paces = {"main": PACES["main"].__class__("telegram:new")}
    desk.store.open_chats(paces, NOW + seconds(6))
    (claim,) = desk.claim(NOW + seconds(8), paces)
    assert claim.operation is Operation.SEND and fates(desk)["port"] == "queued"
    desk.store.settle(claim, desk.settlement(claim, SENT, NOW + seconds(9)), NOW + seconds(9))
    assert fates(desk)["port"] == "delivered"


def test_a_clock_put_back_leaves_no_told_alert_untold(desk: Desk) -> None:
    story, _ = told(desk)
    desk.join(story, 2, NOW + seconds(5))
    back = NOW - timedelta(hours=1)
    desk.store.release_expired(back, timedelta(seconds=75))
    for minute in range(0, 65):
        desk.deliver(back + timedelta(minutes=minute))
    assert fates(desk)["port"] == "delivered"
