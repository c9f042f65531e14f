"""A channel that is given another chat while its deliveries are on their way, lost, or failed: none stays behind."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import pipeline
from monitor.delivery import retry
from monitor.delivery.transports import Transport, build
from monitor.model_delivery import Channel, DeliveryClaim, Operation, Outcome, OutcomeKind
from tests.desk import desks
from tests.test_store_outbox import NOW, PACES, SENT, Desk, desk, seconds

__all__ = ["desk"]

MOVED = {"main": replace(PACES["main"], chat_key="telegram:new")}
NO_WAY, NO_ANSWER = Outcome(OutcomeKind.RETRY, "no connection"), Outcome(OutcomeKind.UNKNOWN, "timeout")
KICKED = Outcome(OutcomeKind.HOLD_CHAT, "the bot was kicked")


def settle(desk: Desk, claim: DeliveryClaim, outcome: Outcome, now_seconds: float) -> None:
    now = NOW + seconds(now_seconds)
    assert desk.store.settle(claim, desk.settlement(claim, outcome, now), now)


def claimed_in_time(desk: Desk) -> list[DeliveryClaim]:
    """What is claimed for the new chat within a day."""
    for hour in range(1, 25):
        now = NOW + timedelta(hours=hour)
        desk.store.release_expired(now, retry.QUARANTINE)
        if claims := desk.claim(now, MOVED):
            return claims
    return []


@pytest.mark.parametrize("outcome", [NO_WAY, NO_ANSWER, KICKED])
def test_a_send_under_way_when_its_channel_moves_follows_it(desk: Desk, outcome: Outcome) -> None:
    desk.store.open_chats(PACES, NOW)
    desk.alert(1)
    (claim,) = desk.claim(NOW)
    desk.store.open_chats(MOVED, NOW + seconds(1))
    settle(desk, claim, outcome, 5)
    (again,) = claimed_in_time(desk)
    assert (again.message_id, again.chat_key, again.lost) == (claim.message_id, "telegram:new", False)


def test_what_a_crash_cut_off_follows_a_channel_that_was_moved_before_the_start(desk: Desk) -> None:
    desk.store.open_chats(PACES, NOW)
    _, message = desk.alert(1)
    desk.claim(NOW)
    desk.store.open_chats(MOVED, NOW + seconds(60))
    assert desk.store.take_over(NOW + seconds(60), retry.QUARANTINE) == 1
    assert desk.claim(NOW + seconds(70), MOVED) == [], "it may still arrive in the old chat"
    (again,) = claimed_in_time(desk)
    assert (again.message_id, again.chat_key) == (message, "telegram:new")


def test_what_was_lost_of_a_channel_that_is_renamed_bars_its_chat_for_the_quarantine_alone(desk: Desk) -> None:
    desk.store.open_chats(PACES, NOW)
    _, lost = desk.alert(1)
    (claim,) = desk.claim(NOW)
    renamed = {"news": PACES["main"]}
    desk.store.open_chats(renamed, NOW + seconds(1))
    settle(desk, claim, NO_ANSWER, 5)
    _, message = desk.alert(2, ("news",), NOW + seconds(6))
    assert desk.claim(NOW + seconds(60), renamed) == [], "it may still arrive"
    (next_,) = desk.claim(NOW + seconds(200), renamed)
    assert (next_.message_id, next_.channel) == (message, "news")
    settle(desk, next_, SENT, 201)
    assert desk.store.orphans(["news"]) == {"main": 1}
    (again,) = desk.claim(NOW + seconds(300), PACES)
    assert (again.message_id, again.chat_key) == (lost, PACES["main"].chat_key)


def test_a_daemon_that_has_not_read_the_edit_yet_takes_nothing_lost_back_to_the_old_chat(desk: Desk) -> None:
    desk.store.open_chats(MOVED, NOW)
    desk.alert(1)
    (claim,) = desk.claim(NOW, MOVED)
    settle(desk, claim, NO_ANSWER, 1)
    assert desk.other.claim_deliveries(NOW + timedelta(hours=1), paces=PACES, limit=9) == []
    (again,) = claimed_in_time(desk)
    assert again.lost and again.chat_key == "telegram:new"


def test_what_had_failed_in_the_old_chat_is_made_again_in_the_new_one(desk: Desk) -> None:
    desk.store.open_chats(PACES, NOW)
    desk.alert(1)
    desk.deliver(NOW, Outcome(OutcomeKind.REJECTED, "Bad Request: whatever"))
    desk.store.open_chats(MOVED, NOW + seconds(1))
    (done,) = desk.store.retry_deliveries(desk.store.dead_deliveries(), NOW + seconds(60))
    assert done.again
    assert [one.chat_key for one in desk.claim(NOW + seconds(61), MOVED)] == ["telegram:new"]


def test_a_chat_that_a_channel_has_left_is_no_longer_its_own(desk: Desk) -> None:
    desk.store.open_chats(PACES, NOW)
    desk.alert(1)
    desk.deliver(NOW, KICKED)
    desk.store.open_chats(MOVED, NOW + seconds(1))
    found = {chat.chat_key: chat for chat in desk.store.chats()}
    assert (found["telegram:1"].channels, found["telegram:new"].channels) == ((), ("main",))
    assert found["telegram:new"].queued == 1


def test_what_a_chat_is_tried_again_with_counts_as_its_queue_and_is_due_once_it_is_resumed(desk: Desk) -> None:
    desk.store.open_chats(PACES, NOW)
    desk.alert(1)
    desk.deliver(NOW, KICKED)
    assert {chat.chat_key: chat.queued for chat in desk.store.chats()}["telegram:1"] == 1
    assert desk.claim(NOW + seconds(60)) == []
    desk.store.resume_chat("main", NOW + seconds(61))
    assert [claim.operation for claim in desk.claim(NOW + seconds(62))] == [Operation.SEND]


def written(path: Path) -> list[tuple[str, int]]:
    if not path.exists():
        return []
    return [(one["event"], one["message_id"]) for one in map(json.loads, path.read_text("utf-8").splitlines())]


async def test_a_claim_from_before_the_move_is_not_sent_to_the_new_chat_in_the_old_ones_name(
    store_url: str, tmp_path: Path
) -> None:
    """Its message would count as one of the old chat, and its edits would end."""
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"

    def transport(path: Path) -> Transport:
        return build(Channel("main", "file", options={"path": str(path)}), {})

    with desks(store_url) as (here,):
        flow = here.flow
        flow.transports = {"main": transport(old)}
        await flow.write(flow.store.open_chats, flow.paces(), NOW)
        here.take("a", "إسقاط عشرين طائرة شاهد", "أعلن سلاح الجو إسقاط عشرين طائرة من طراز شاهد فوق أوديسا ليلا")
        now = NOW + timedelta(hours=1)
        (claim,) = await pipeline.claim_due(flow, now, 9)
        flow.transports = {"main": transport(new)}
        await flow.write(flow.store.open_chats, flow.paces(), now)
        await pipeline.deliver(flow, claim, lambda: now)
        assert written(old) == written(new) == []
        await pipeline.deliver_due(flow, lambda: now + seconds(2))
        here.take("b", "إسقاط عشرين طائرة شاهد", "أعلن سلاح الجو إسقاط عشرين طائرة من طراز شاهد فوق أوديسا ليلا")
        await pipeline.deliver_due(flow, lambda: now + timedelta(hours=1))
        assert written(new) == [("send", claim.message_id), ("edit", claim.message_id)] and written(old) == []


def test_what_waits_for_another_attempt_is_sent_at_the_pace_of_its_chat(desk: Desk) -> None:
    desk.store.open_chats(PACES, NOW)
    desk.alert(1)
    desk.deliver(NOW, Outcome(OutcomeKind.PLAIN, "can't parse entities"))
    assert desk.store.is_paced(NOW + seconds(0.1), PACES), "it may go within a second, though it has no chat yet"
    assert [claim.message_id for claim in desk.deliver(NOW + seconds(1.1))] and not desk.store.is_paced(NOW, PACES)


def test_a_message_is_looked_for_in_the_chat_that_its_claim_was_for(desk: Desk) -> None:
    desk.store.open_chats(PACES, NOW)
    desk.alert(1)
    desk.alert(2)
    desk.deliver(NOW, SENT)
    (claim,) = desk.claim(NOW + seconds(2))
    assert desk.store.last_confirmed(claim) == 77
