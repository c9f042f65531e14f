"""What follows an attempt: (claim, outcome, now) → Settlement. Pure; the table of the delivery states, as code.

The law: a delivery that surely was not made is tried again without end, one that may have been made waits out the
server's longest delay first, and nothing ends without a reason that a person can read. What goes at once is due since
it was made: due "now", another daemon whose claim began a moment before would pass it over for the one behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from monitor.model_delivery import GONE, PERSON, DeliveryClaim, Operation, Outcome, OutcomeKind, Settlement

QUARANTINE = timedelta(seconds=75)  # no server was seen to deliver later than this after the attempt began
RETRY_BASE, RETRY_CAP = timedelta(seconds=5), timedelta(minutes=10)
UNKNOWN_CAP = timedelta(hours=1)
UNKNOWN_ATTEMPTS = 24  # with the waits above: about a day
HOLD_BASE, HOLD_CAP = timedelta(minutes=15), timedelta(hours=6)
TELL_AFTER, TELL_AFTER_UNKNOWN = 6, 3  # attempts that failed in a row, after which the operator hears of it
LOOK_BASE, LOOK_CAP = timedelta(seconds=5), timedelta(minutes=5)  # between looks for a lost message
BEGIN_WITHIN = timedelta(seconds=5)  # after its claim: a send begun later could arrive after the quarantine
LONGEST_WAIT = timedelta(hours=24)  # a server that asks for more is not believed


def backoff(attempt: int, base: timedelta, cap: timedelta, rng: Random) -> timedelta:
    """base, doubled with each attempt after the first, at most cap, plus up to a quarter of jitter."""
    doubled = base * 2.0 ** min(max(attempt, 1) - 1, 30)
    return min(doubled, cap) * (1 + rng.random() / 4)


def settle(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    """Decide what is written after an attempt.

    Args:
        claim: the delivery that was attempted.
        outcome: what the transport says of it.
        now: the time at which the attempt ended, aware.
        rng: the source of jitter.

    Returns:
        state "sent", "pending", "unknown" or "dead", with the due time, a hold of the chat, and a notice where the
        operator should hear of it. A notice never names attempts or times, so the same trouble has the same words.
    """
    return _TABLE[outcome.kind](claim, outcome, now, rng)


def _sent(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    return Settlement("sent", external_id=outcome.external_id or claim.external_id, reason=outcome.detail)


def _retry(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    if outcome.retry_after is None:
        wait = backoff(claim.attempt, RETRY_BASE, RETRY_CAP, rng)
    else:
        asked = _asked(max(outcome.retry_after, 1.0))
        wait = asked + timedelta(seconds=rng.random())  # never before the second the server named
    notice = None
    if outcome.retry_after is None and claim.attempt >= TELL_AFTER:
        notice = _notice(claim, outcome.detail, "Its messages wait and are tried again; nothing is lost.")
    return Settlement(
        "pending",
        due_at=now + wait,
        reason=outcome.detail,
        hold_until=now + wait,
        hold_reason=outcome.detail,
        firm=outcome.retry_after is not None,
        notice=notice,
        trouble="unreachable" if notice else "",
        shared=True,
    )


def _unknown(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    if claim.unknowns + 1 >= UNKNOWN_ATTEMPTS:
        reason = f"given up after {UNKNOWN_ATTEMPTS} attempts without a clear answer: {outcome.detail}"
        return Settlement("dead", reason=reason, notice=_notice(claim, reason, "It may have arrived; look there."))
    if claim.operation is not Operation.SEND:  # an edit done twice harms nobody
        state, due = "pending", now + backoff(claim.unknowns + 1, RETRY_BASE, UNKNOWN_CAP, rng)
    else:
        quarantine = backoff(claim.unknowns + 1, QUARANTINE, UNKNOWN_CAP, rng)
        state, due = "unknown", max((claim.started or now) + quarantine, now + timedelta(seconds=1))
    lost = Settlement(state, due_at=due, reason=outcome.detail, unknown=True)
    if claim.unknowns + 1 < TELL_AFTER_UNKNOWN:
        return lost
    mend = "Its messages are tried again; one may arrive twice."
    notice = _notice(claim, f"no clear answer: {outcome.detail}", mend)
    return replace(lost, notice=notice, trouble="unreachable", shared=True)


def _unsent(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    return Settlement("pending", due_at=claim.created, reason=outcome.detail)


def _unseen(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    wait = max(_asked(outcome.retry_after or 0), backoff(claim.attempt, LOOK_BASE, LOOK_CAP, rng))
    waits = Settlement("unknown", due_at=now + wait, reason=outcome.detail)
    if claim.attempt < TELL_AFTER:
        return waits
    mend = "A message may have been lost; it is looked for again until that is known."
    return replace(waits, notice=_notice(claim, outcome.detail, mend), trouble="unreachable", shared=True)


def _asked(seconds: float) -> timedelta:
    """What a server asks to wait, as far as it is believed."""
    return timedelta(seconds=min(seconds, LONGEST_WAIT.total_seconds()))


def begins_late(claim: DeliveryClaim, now: datetime) -> bool:
    """Whether the claim of a send is so old that its quarantine would end too early: it must be renewed first."""
    return claim.operation is Operation.SEND and claim.started is not None and now - claim.started > BEGIN_WITHIN


def _plain(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    if claim.plain:
        reason = f"refused even as plain text: {outcome.detail}"
        return Settlement("dead", reason=reason, plain=True, notice=_notice(claim, reason, _ended(claim)))
    return Settlement("pending", due_at=claim.created, reason=f"once more as plain text: {outcome.detail}", plain=True)


def _hold_chat(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    until = now + backoff(claim.attempt, HOLD_BASE, HOLD_CAP, rng)
    mend = "Its messages wait and are tried again; nothing is lost."
    if not claim.channel.startswith(PERSON):
        mend += f" Try at once: rasid channels test {claim.channel}"
    return _held(outcome, until, _notice(claim, outcome.detail, mend), "held")


def _hold_channel(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    return replace(_hold_chat(claim, outcome, now, rng), own=True)


def _held(outcome: Outcome, until: datetime, notice: str, trouble: str) -> Settlement:
    reason = outcome.detail
    return Settlement(
        "pending",
        due_at=until,
        reason=reason,
        hold_until=until,
        hold_reason=reason,
        notice=notice,
        trouble=f"{trouble}/{reason[:100]}",
    )


def _migrated(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    if not outcome.chat_id:
        return _unknown(claim, outcome, now, rng)
    mend = f"Messages go there from now on; write chat: {outcome.chat_id} into channels.yaml."
    notice = _notice(claim, f"the group became a supergroup with the id {outcome.chat_id}", mend)
    return Settlement("pending", due_at=claim.created, reason=outcome.detail, chat_id=outcome.chat_id, notice=notice)


def _stop(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    until = now + backoff(claim.attempt, HOLD_BASE, HOLD_CAP, rng)
    mend = "Sending is stopped and the queue is kept; mend the credentials in .env (taken over at once), or restart."
    return replace(_held(outcome, until, _notice(claim, outcome.detail, mend), "stopped"), shared=True)


def _gone(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    if claim.operation is Operation.EDIT:  # someone deleted the post: their decision, and nobody's trouble
        return Settlement("dead", reason=f"{GONE}: {outcome.detail}")
    return _rejected(claim, outcome, now, rng)


def _rejected(claim: DeliveryClaim, outcome: Outcome, now: datetime, rng: Random) -> Settlement:
    return Settlement("dead", reason=outcome.detail, notice=_notice(claim, outcome.detail, _ended(claim)))


def _ended(claim: DeliveryClaim) -> str:
    """What the operator may do about a delivery that ended: the same words for all, so that many are told once."""
    if claim.operation is not Operation.SEND:
        return ""
    return "A message was not sent; see rasid ledger --fate failed, mend it, then: rasid deliveries retry --all-failed"


def _notice(claim: DeliveryClaim, what: str, mend: str = "") -> str:
    sentence = f"Channel {claim.channel}: {what.rstrip('.')}."
    return f"{sentence} {mend}" if mend else sentence


_TABLE: Mapping[OutcomeKind, Callable[[DeliveryClaim, Outcome, datetime, Random], Settlement]] = {
    OutcomeKind.SENT: _sent,
    OutcomeKind.NOT_MODIFIED: _sent,
    OutcomeKind.RETRY: _retry,
    OutcomeKind.UNKNOWN: _unknown,
    OutcomeKind.UNSENT: _unsent,
    OutcomeKind.UNSEEN: _unseen,
    OutcomeKind.PLAIN: _plain,
    OutcomeKind.HOLD_CHAT: _hold_chat,
    OutcomeKind.HOLD_CHANNEL: _hold_channel,
    OutcomeKind.MIGRATED: _migrated,
    OutcomeKind.STOP: _stop,
    OutcomeKind.GONE: _gone,
    OutcomeKind.REJECTED: _rejected,
}
