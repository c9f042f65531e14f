"""The delivery table: what follows each outcome."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from monitor.delivery import retry
from monitor.delivery.retry import settle
from monitor.model_delivery import DeliveryClaim, Operation, Outcome, OutcomeKind

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def claim(operation: Operation = Operation.SEND, **changes: object) -> DeliveryClaim:
    values: dict[str, object] = {
        **{"id": 1, "message_id": 7, "channel": "main", "operation": operation, "attempt": 1, "plain": False},
        **{"chat_key": "telegram:1", "external_id": None, "chat_id": None, "created": NOW},
    }
    return DeliveryClaim(**(values | changes))  # type: ignore[arg-type]


def test_a_sent_message_keeps_the_id_the_channel_gave_it() -> None:
    settled = settle(claim(), Outcome(OutcomeKind.SENT, external_id="41"), NOW, Random(1))
    assert (settled.state, settled.external_id, settled.notice) == ("sent", "41", None)


def test_an_edit_that_changes_nothing_is_as_good_as_sent_and_keeps_its_id() -> None:
    edit = claim(Operation.EDIT, external_id="41")
    settled = settle(edit, Outcome(OutcomeKind.NOT_MODIFIED), NOW, Random(1))
    assert (settled.state, settled.external_id) == ("sent", "41")


def test_a_429_holds_the_whole_chat_at_least_as_long_as_it_asks() -> None:
    settled = settle(claim(), Outcome(OutcomeKind.RETRY, "Too Many Requests", retry_after=17), NOW, Random(1))
    assert settled.state == "pending" and settled.due_at == settled.hold_until
    assert settled.due_at is not None and timedelta(seconds=17) <= settled.due_at - NOW <= timedelta(seconds=18)


@pytest.mark.parametrize("asked", [0.0, -5.0, 1e12])
def test_an_absurd_wait_is_brought_within_a_second_and_a_day(asked: float) -> None:
    settled = settle(claim(), Outcome(OutcomeKind.RETRY, retry_after=asked), NOW, Random(1))
    assert settled.due_at is not None
    assert timedelta(seconds=1) <= settled.due_at - NOW <= timedelta(hours=24, seconds=1)


def test_refused_connections_are_tried_again_without_end_but_ever_slower() -> None:
    waits = []
    for attempt in (1, 2, 5, 50, 5000):
        settled = settle(claim(attempt=attempt), Outcome(OutcomeKind.RETRY, "refused"), NOW, Random(attempt))
        assert settled.state == "pending" and settled.due_at is not None
        waits.append(settled.due_at - NOW)
    assert waits[0] < waits[1] < waits[2] < waits[3]
    assert max(waits) <= retry.RETRY_CAP * 1.25


def test_two_daemons_do_not_come_back_in_the_same_moment() -> None:
    dues = {settle(claim(), Outcome(OutcomeKind.RETRY), NOW, Random(seed)).due_at for seed in range(20)}
    assert len(dues) == 20


def test_an_unknown_send_is_quarantined_from_the_start_of_its_attempt() -> None:
    started = NOW - timedelta(seconds=30)
    settled = settle(claim(started=started), Outcome(OutcomeKind.UNKNOWN, "reset"), NOW, Random(1))
    assert settled.state == "unknown" and settled.due_at is not None
    assert settled.due_at - started >= retry.QUARANTINE


def test_an_unknown_send_without_a_known_start_waits_the_whole_quarantine() -> None:
    settled = settle(claim(), Outcome(OutcomeKind.UNKNOWN), NOW, Random(1))
    assert settled.due_at is not None and settled.due_at - NOW >= retry.QUARANTINE


def test_an_unknown_edit_is_simply_done_again() -> None:
    settled = settle(claim(Operation.EDIT), Outcome(OutcomeKind.UNKNOWN), NOW, Random(1))
    assert settled.state == "pending" and settled.due_at is not None
    assert settled.due_at - NOW < timedelta(seconds=10)


def test_a_send_that_never_gets_a_clear_answer_ends_after_a_day_with_a_reason() -> None:
    total = timedelta(0)
    for unknowns in range(retry.UNKNOWN_ATTEMPTS - 1):
        settled = settle(claim(unknowns=unknowns), Outcome(OutcomeKind.UNKNOWN), NOW, Random(unknowns))
        assert settled.state == "unknown" and settled.due_at is not None
        total += settled.due_at - NOW
    assert timedelta(hours=16) < total < timedelta(hours=30)
    last = settle(claim(unknowns=retry.UNKNOWN_ATTEMPTS - 1), Outcome(OutcomeKind.UNKNOWN, "502"), NOW, Random(1))
    assert last.state == "dead" and "502" in last.reason and last.notice is not None


def test_a_long_outage_of_sure_failures_does_not_count_towards_giving_up() -> None:
    assert settle(claim(attempt=900), Outcome(OutcomeKind.UNKNOWN), NOW, Random(1)).state == "unknown"


def test_refused_formatting_is_tried_once_as_plain_text_at_once_and_then_ends() -> None:
    first = settle(claim(), Outcome(OutcomeKind.PLAIN, "can't parse entities"), NOW, Random(1))
    assert (first.state, first.plain, first.due_at, first.notice) == ("pending", True, NOW, None)
    second = settle(claim(plain=True), Outcome(OutcomeKind.PLAIN, "message is too long"), NOW, Random(1))
    assert second.state == "dead" and "plain" in second.reason and "too long" in second.reason
    assert second.notice is not None


def test_a_chat_that_cannot_be_written_to_is_held_with_its_queue_and_the_operator_told() -> None:
    settled = settle(claim(), Outcome(OutcomeKind.HOLD_CHAT, "chat not found"), NOW, Random(1))
    assert settled.state == "pending" and settled.hold_until is not None
    assert settled.hold_until - NOW >= timedelta(minutes=15)
    assert settled.notice is not None and "main" in settled.notice and "chat not found" in settled.notice
    later = settle(claim(attempt=40), Outcome(OutcomeKind.HOLD_CHAT, "chat not found"), NOW, Random(1))
    assert later.hold_until is not None and later.hold_until - NOW <= retry.HOLD_CAP * 1.25
    assert later.notice == settled.notice  # same trouble, same words: told once


def test_a_migrated_group_is_written_to_at_its_new_id_at_once() -> None:
    settled = settle(claim(), Outcome(OutcomeKind.MIGRATED, chat_id="-1009"), NOW, Random(1))
    assert (settled.state, settled.due_at, settled.chat_id) == ("pending", NOW, "-1009")
    assert settled.notice is not None and "-1009" in settled.notice


def test_refused_credentials_stop_the_channel_and_keep_the_queue() -> None:
    settled = settle(claim(), Outcome(OutcomeKind.STOP, "Unauthorized"), NOW, Random(1))
    assert settled.state == "pending" and settled.hold_until is not None and settled.notice is not None


def test_an_edit_of_a_deleted_message_ends_quietly() -> None:
    edit = settle(claim(Operation.EDIT), Outcome(OutcomeKind.GONE, "message to edit not found"), NOW, Random(1))
    assert edit.state == "dead" and "no longer there" in edit.reason and edit.notice is None


def test_a_refused_message_ends_with_the_servers_words() -> None:
    settled = settle(claim(), Outcome(OutcomeKind.REJECTED, "message text is empty"), NOW, Random(1))
    assert settled.state == "dead" and settled.reason == "message text is empty"
    assert settled.notice is not None and settled.notice.startswith(
        "Channel main: message text is empty. A message was"
    )
    assert "rasid deliveries retry" in settled.notice
    edit = settle(claim(Operation.EDIT), Outcome(OutcomeKind.REJECTED, "message text is empty"), NOW, Random(1))
    assert edit.notice == "Channel main: message text is empty."


def test_every_kind_of_outcome_has_its_row() -> None:
    assert set(retry._TABLE) == set(OutcomeKind)
    for kind in OutcomeKind:
        for operation in Operation:
            settled = settle(claim(operation), Outcome(kind, "why", chat_id="9"), NOW, Random(1))
            assert settled.state in {"sent", "pending", "unknown", "dead"}
            assert (settled.due_at is not None) == (settled.state in {"pending", "unknown"})
