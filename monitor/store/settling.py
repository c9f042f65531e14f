"""Settling: what came of attempts, written in a few statements however many there are.

The law: an answer counts only for the attempt it belongs to. Rows are locked deliveries first, then chats, each in
order, as claiming does it, and after the lock of claims: so two daemons never wait for each other. An intake locks them
in the order of its stories; where the two meet, one is undone and run again (Flow.write).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from monitor.model_delivery import GONE, DeliveryClaim, Operation, Settlement
from monitor.store import dialect, notices, posting
from monitor.store.claiming import NEW_CHAT, OWN, own, place
from monitor.store.feeds import chunks
from monitor.store.tables import chats, deliveries, messages

FREE: Mapping[str, Any] = {"hold_until": None, "hold_reason": "", "firm": False}
Ended = tuple[DeliveryClaim, Settlement, datetime]
Told = tuple[str | None, Settlement, datetime | None]  # chat key, what came of an attempt, when; None: there was none
_EVENT, _TROUBLE = "channel/{}/event/", "channel/{}/trouble/"  # keys of notices: told, or lasting
_NUMBERED = re.compile(r"[\w-]*\d[\w-]*")
_HOLD = (*FREE, "chat_id", "recent")


@dataclass(slots=True)
class Settling:
    """operator: the channel that hears of notices, if there is one."""

    connection: sa.Connection
    owner: str
    operator: str | None

    def write(self, ended: Sequence[Ended]) -> list[bool]:
        """Of each, whether it was still ours. That it was sent is written all the same, unless another has begun.

        What goes back to waiting does so between two claims: one that had looked already which waits without a chat
        would see this chat free, and pass it over for the one behind it.
        """
        if any(settlement.state == "pending" for _, settlement, _ in ended):
            dialect.exclude_others(self.connection, dialect.CLAIM_LOCK)
        rows = self._locked(sorted({claim.id for claim, _, _ in ended}))
        answers: list[bool] = []
        kept: list[tuple[Any, Ended]] = []
        for claim, settlement, now in ended:
            row = rows.get(claim.id)
            begun = row is not None and row.started == claim.started and row.state in ("sending", "unknown")
            ours = row is not None and begun and row.state == "sending" and row.owner == self.owner
            if begun and (ours or settlement.state == "sent"):
                kept.append((rows.pop(claim.id), (claim, settlement, now)))
            answers.append(ours)
        write_deliveries(self.connection, [(row, settlement, now) for row, (_, settlement, now) in kept])
        for row, (_, settlement, now) in kept:
            if settlement.state == "dead":
                _after_death(self.connection, row, settlement, now)
        told = [one for row, (_, settlement, now) in kept for one in _of_chats(row, settlement, now)]
        remember_chats(self.connection, told)
        self._messages(kept)
        self._tell([one for _, one in kept])
        return answers

    def _locked(self, ids: Sequence[int]) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for chunk in chunks(ids):
            statement = sa.select(deliveries).where(deliveries.c.id.in_(chunk)).order_by(deliveries.c.id)
            found.update((row.id, row) for row in self.connection.execute(dialect.lock_rows(statement)))
        return found

    def _messages(self, kept: Iterable[tuple[Any, Ended]]) -> None:
        sends: list[dict[str, Any]] = []
        edits: list[dict[str, Any]] = []
        for row, (claim, settlement, now) in kept:
            if settlement.state != "sent":
                continue
            of = {"of": claim.message_id}
            if claim.operation is Operation.SEND:
                chat = place(row.chat_key, claim.chat_id)
                values = {"external_id": settlement.external_id, "chat": chat, "sent_at": now, "plain": claim.plain}
                sends.append(of | values)
            elif claim.operation is Operation.EDIT:
                edits.append(of | {"last_edit": now})
        for changes in (sends, edits):
            if changes:
                self.connection.execute(sa.update(messages).where(messages.c.id == sa.bindparam("of")), changes)

    def _tell(self, ended: Sequence[Ended]) -> None:
        """What the operator should hear, and what is over. Some channels only feign to edit and delete."""
        sends = [
            (claim.channel, now)
            for claim, settlement, now in ended
            if settlement.state == "sent" and claim.operation is Operation.SEND
        ]
        if sends and notices.stand(self.connection, "channel/"):  # hardly ever
            for channel, now in sends:
                self._works_again(channel, now)
        for claim, settlement, now in ended:
            if settlement.notice:
                lasting = _TROUBLE if settlement.trouble else _EVENT
                key = lasting.format(claim.channel) + _alike(settlement.trouble or settlement.notice)[:100]
                scope = f"{claim.service}/{settlement.trouble}" if settlement.shared else ""
                notices.tell(self.connection, key, settlement.notice, self.operator, now, scope=scope)

    def _works_again(self, channel: str, now: datetime) -> None:
        notices.clear(self.connection, _EVENT.format(channel), now)
        over = f"Channel {channel} works again; what waited is being sent."
        notices.clear(self.connection, _TROUBLE.format(channel), now, over=over, channel=self.operator)


def _alike(words: str) -> str:
    """The same for two refusals that differ in a request's number, a time, a place in the text."""
    return _NUMBERED.sub("#", words)


def write_deliveries(connection: sa.Connection, ended: Sequence[tuple[Any, Settlement, datetime]]) -> None:
    """ended: (the delivery's locked row, what came of it, when)."""
    changes = []
    for row, settlement, now in ended:
        if settlement.state == "pending" and row.operation == Operation.EDIT.value:
            posting.absorb_edits(connection, row)
        change = {
            "of": row.id,
            "state": settlement.state,
            "chat_key": None if settlement.state == "pending" else row.chat_key,  # see claiming
            "due_at": settlement.due_at or row.due_at,
            "reason": settlement.reason,
            "plain": row.plain or settlement.plain,
            "unknowns": row.unknowns + settlement.unknown,
            "owner": None,
            "lease_until": None,
            "settled": now if settlement.state in ("sent", "dead") else None,
        }
        changes.append(change)
    if changes:
        connection.execute(sa.update(deliveries).where(deliveries.c.id == sa.bindparam("of")), changes)
    edited = [
        {"of": row.message_id, "next": now + posting.EDIT_GAP}
        for row, settlement, now in ended
        if settlement.state == "sent" and row.operation == Operation.EDIT.value
    ]
    if edited:
        posting.put_off_edits(connection, edited)


def remember_chats(connection: sa.Connection, told: Sequence[Told]) -> None:
    """What attempts tell of their chats."""
    keys = sorted({key for key, _, _ in told if key is not None})
    known: dict[str, Any] = {}
    for chunk in chunks(keys):
        statement = sa.select(chats).where(chats.c.chat_key.in_(chunk)).order_by(chats.c.chat_key)
        known.update((row.chat_key, row) for row in connection.execute(dialect.lock_rows(statement)))
    changed: dict[str, dict[str, Any]] = {}
    for key, settlement, ended in told:
        if key is None:
            continue
        before = changed.get(key) or _as_it_is(key, known.get(key))
        values = _of_the_chat(before, settlement, ended)
        if values:
            changed[key] = before | values
    rows = [changed[key] for key in sorted(changed)]
    dialect.upsert(connection, chats, rows, columns=["chat_key"], update=_HOLD)


def _of_chats(row: Any, settlement: Settlement, now: datetime) -> list[Told]:
    """What an attempt tells of its chat, and of its channel where that is held alone or may have been."""
    if settlement.own:
        of_chat = replace(settlement, hold_until=None, own=False)
        return [(row.chat_key, of_chat, now), (own(row.channel), settlement, now)]
    over: list[Told] = [(own(row.channel), settlement, None)] if settlement.state == "sent" else []
    return [(row.chat_key, settlement, now), *over]


def _as_it_is(key: str, row: Any) -> dict[str, Any]:
    if row is None:
        channels = [key.removeprefix(OWN)] if key.startswith(OWN) else []
        return {"chat_key": key, **NEW_CHAT, **FREE, "chat_id": None, "channels": channels}
    return {"chat_key": key, "channels": row.channels, **{name: getattr(row, name) for name in _HOLD}}


def _of_the_chat(chat: Mapping[str, Any], settlement: Settlement, ended: datetime | None) -> dict[str, Any]:
    """What changes of it."""
    values: dict[str, Any] = {}
    if settlement.hold_until is not None:
        until = settlement.hold_until.astimezone(UTC)
        values = {"hold_until": until, "hold_reason": settlement.hold_reason, "firm": settlement.firm}
    elif settlement.state == "sent" and (chat["hold_until"] is not None or chat["hold_reason"]):
        values = dict(FREE)
    if settlement.chat_id:
        values["chat_id"] = settlement.chat_id
    if ended is not None and chat["recent"] and chat["recent"][-1] < ended.timestamp():
        # The pace counts from the end of an attempt: the server may have got it that late. One is in flight at a
        # time, so the last is this one's.
        values["recent"] = [*chat["recent"][:-1], ended.timestamp()]
    elif ended is not None and settlement.own:
        values["recent"] = [ended.timestamp()]  # by which a clock that was put back since is seen
    return values


def _after_death(connection: sa.Connection, row: Any, settlement: Settlement, now: datetime) -> None:
    """What becomes of the other deliveries of its message, and of the alerts that it would have told."""
    if row.operation == Operation.SEND.value:
        _bury_edits(connection, row.message_id, now)
    elif row.brings_alert:
        posting.edit_died(connection, row, now, gone=settlement.reason.startswith(GONE))


def _bury_edits(connection: sa.Connection, message_id: int, now: datetime) -> None:
    edits = (deliveries.c.message_id == message_id, deliveries.c.operation != Operation.SEND.value)
    connection.execute(
        sa.update(deliveries)
        .where(*edits, deliveries.c.state == "pending")
        .values(state="dead", reason="the message it changes could not be sent", settled=now)
    )
