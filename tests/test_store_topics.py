"""Channels that share a group, each with a topic: a topic that refuses messages holds its own channel alone."""

from datetime import datetime, timedelta

import pytest

from monitor.model_delivery import ChatPace, DeliveryClaim, Outcome, OutcomeKind
from tests.test_store_outbox import NOW, PACES, SENT, Desk, desk, seconds

__all__ = ["desk"]

GROUP = {"five": PACES["main"], "seven": PACES["main"]}
CLOSED = Outcome(OutcomeKind.HOLD_CHANNEL, "Bad Request: TOPIC_CLOSED")


@pytest.fixture(autouse=True)
def group(desk: Desk) -> None:
    desk.store.open_chats(GROUP, NOW)


def deliver(desk: Desk, now: datetime, *, closed: bool = True, paces: dict[str, ChatPace] = GROUP) -> list[str]:
    """Let the topic five be closed or not; the channels that were tried."""
    claims = desk.claim(now, paces)
    for claim in claims:
        settle(desk, claim, CLOSED if closed and claim.channel == "five" else SENT, now)
    return [claim.channel for claim in claims]


def settle(desk: Desk, claim: DeliveryClaim, outcome: Outcome, now: datetime) -> None:
    assert desk.store.settle(claim, desk.settlement(claim, outcome, now), now, operator="seven")


def test_the_others_of_the_group_go_on_at_its_pace(desk: Desk) -> None:
    for number in range(3):
        desk.alert(number, channels=("five",), priority=0)
        desk.alert(number + 10, channels=("seven",))
    assert deliver(desk, NOW) == ["five"]
    assert deliver(desk, NOW + seconds(0.5)) == [], "one chat, one pace"
    assert [deliver(desk, NOW + seconds(2 * at)) for at in range(1, 4)] == [["seven"]] * 3
    operator = NOW + seconds(8)
    assert deliver(desk, operator) == ["seven"], "which is the operator's too: told once"
    assert deliver(desk, operator + seconds(2)) == [] and not desk.store.is_paced(operator + seconds(2), GROUP)
    (held,) = [chat for chat in desk.store.chats() if chat.hold_until]
    assert (held.channels, held.queued, held.hold_reason) == (("five",), 3, CLOSED.detail)


def test_a_held_channel_is_tried_again_at_length_and_told_once(desk: Desk) -> None:
    for number in range(3):
        desk.alert(number, channels=("five",))
    tried = [at for at in range(0, 24 * 60, 5) if "five" in deliver(desk, NOW + timedelta(minutes=at))]
    assert 6 <= len(tried) <= 9 and tried[1] >= 15
    assert len([one for one in desk.store.notices() if "channel/five/" in one.key]) == 1


@pytest.mark.parametrize("how", ["restart", "test or edit"])
def test_a_held_channel_is_tried_again_at_once_when_it_is_told_to(desk: Desk, how: str) -> None:
    desk.alert(1, channels=("five",))
    desk.alert(2, channels=("five",))
    deliver(desk, NOW)
    assert deliver(desk, NOW + seconds(60)) == ["seven"]  # the operator's
    desk.store.open_chats(GROUP, NOW + seconds(61))
    assert deliver(desk, NOW + seconds(62)) == []
    if how == "restart":
        desk.store.resume_chats(NOW + seconds(63))
    else:
        desk.store.resume_chat("five", NOW + seconds(63))
    assert [deliver(desk, NOW + seconds(at), closed=False) for at in (64, 66)] == [["five"], ["five"]]
    assert not any(chat.hold_until for chat in desk.store.chats())
    assert [one for one in desk.store.notices() if "channel/five/" in one.key] == []


def test_a_message_that_arrives_after_the_hold_ends_it_and_the_chat_is_not_held(desk: Desk) -> None:
    desk.alert(1, channels=("five",))
    deliver(desk, NOW)
    assert {chat.chat_key for chat in desk.store.chats() if chat.hold_until} == {"channel:five"}
    later = NOW + timedelta(hours=1)
    assert "five" in [*deliver(desk, later, closed=False), *deliver(desk, later + seconds(2), closed=False)]
    assert "channel:five" not in {chat.chat_key for chat in desk.store.chats()}


def test_a_held_channel_holds_its_queue_in_the_chat_that_it_moves_to_until_it_is_resumed(desk: Desk) -> None:
    desk.alert(1, channels=("five",))
    deliver(desk, NOW)
    moved = {**GROUP, "five": ChatPace("telegram:new")}
    desk.store.open_chats(moved, NOW + seconds(1))
    assert "five" not in deliver(desk, NOW + seconds(3), paces=moved)
    desk.store.resume_chat("five", NOW + seconds(4))  # as a reload does
    assert [one.chat_key for one in desk.claim(NOW + seconds(5), moved) if one.channel == "five"] == ["telegram:new"]


def test_a_clock_put_back_does_not_prolong_the_hold(desk: Desk) -> None:
    desk.alert(1, channels=("five",))
    deliver(desk, NOW)
    assert "five" in deliver(desk, NOW - timedelta(days=1), closed=False)
