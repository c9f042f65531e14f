"""The outbox: which delivery goes next, who makes it, and what came of it.

The law: one delivery in flight a chat (an index enforces it); an edit waits until its message's send is at an end; a
claim is a lease, and a lease that runs out leaves its delivery unknown, for nobody can say whether it was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model_delivery import ChatPace, DeliveryClaim, Operation, Settlement
from monitor.store import dialect
from monitor.store.claiming import (
    NEW_CHAT,
    OWN,
    Claiming,
    Turn,
    ahead,
    assign,
    follow,
    own,
    place,
    rewind,
    started_after,
    waiting,
)
from monitor.store.connection import Database
from monitor.store.feeds import CLOCK_SLACK
from monitor.store.records import ChatState
from monitor.store.settling import FREE, Ended, Settling, write_deliveries
from monitor.store.tables import chats, deliveries, messages

LEASE = timedelta(seconds=80)
_LOST = "the attempt was cut off; whether it arrived is not known"


class Outbox(Database):
    """The store's part that delivers."""

    def open_chats(self, paces: Mapping[str, ChatPace], now: datetime) -> None:
        """Make known which chat each channel writes to; what waits for a channel follows it to another chat."""
        by_chat: dict[str, list[str]] = {}
        for channel, pace in paces.items():
            by_chat.setdefault(pace.chat_key, []).append(channel)
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            follow(connection, paces)
            for row in connection.execute(sa.select(chats.c.chat_key, chats.c.channels)):
                stayed = [one for one in row.channels if one not in paces]
                if row.chat_key not in by_chat and stayed != row.channels and not row.chat_key.startswith(OWN):
                    by_chat[row.chat_key] = stayed
            rows = [{"chat_key": key, **NEW_CHAT, "channels": sorted(names)} for key, names in sorted(by_chat.items())]
            dialect.upsert(connection, chats, rows, columns=["chat_key"], update=["channels"])

    def claim_deliveries(
        self,
        now: datetime,
        *,
        paces: Mapping[str, ChatPace],
        limit: int,
        lease: timedelta = LEASE,
    ) -> list[DeliveryClaim]:
        """Take up to `limit` deliveries that may go now, at most one a chat; settle each of them before `lease` ends.

        paces: of the channels this process serves, by name. Within a chat the more urgent goes first, then the older.
        """
        with self._reading() as connection:
            due = sa.select(deliveries.c.id).where(*waiting(now)).limit(1)
            if connection.execute(due).first() is None:
                return []
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            assign(connection, paces, now)
            return Claiming(connection, self.owner, now, paces, lease).take(limit)

    def is_paced(self, now: datetime, paces: Mapping[str, ChatPace]) -> bool:
        """Whether a send is due that nothing but the pace of its chat holds back; it may go a moment later."""
        with self._reading() as connection:
            return Claiming(connection, self.owner, now, paces, LEASE).is_paced()

    def settle(
        self, claim: DeliveryClaim, settlement: Settlement, now: datetime, *, operator: str | None = None
    ) -> bool:
        """Write what came of an attempt. operator: the channel that hears of its notice, if there is one.

        False where the delivery is no longer ours: its lease ran out. That it was sent is written all the same, unless
        another attempt has begun.
        """
        return self.settle_all([(claim, settlement, now)], operator=operator)[0]

    def settle_all(self, ended: Sequence[Ended], *, operator: str | None = None) -> list[bool]:
        """As settle, of several attempts in one transaction: a disk takes few of them a second."""
        with self._writing() as connection:
            return Settling(connection, self.owner, operator).write(ended)

    def release_expired(self, now: datetime, quarantine: timedelta) -> int:
        """Give up the claims whose lease ran out; how many there were. quarantine: see take_over."""
        begun = deliveries.c.state.in_(("sending", "unknown"))
        wrong = sa.or_(deliveries.c.lease_until <= now, started_after(now + CLOCK_SLACK))
        with self._reading() as connection:  # nearly always there is nothing to do, and nothing to lock
            cut_off = connection.execute(sa.select(deliveries.c.id).where(begun, wrong).limit(1)).first()
            if cut_off is None and not ahead(connection, now):
                return 0
        with self._writing() as connection:
            _rewind(connection, now, quarantine)
        return self._lose(deliveries.c.lease_until <= now, now, quarantine)

    def take_over(self, now: datetime, quarantine: timedelta) -> int:
        """Give up every claim, when a daemon that has the database to itself starts; how many there were.

        A send is unknown until `quarantine` after its start, and is then made again; edits are made again at once.
        """
        return self._lose(sa.true(), now, quarantine)

    def _lose(self, condition: sa.ColumnElement[bool], now: datetime, quarantine: timedelta) -> int:
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            statement = sa.select(deliveries).where(deliveries.c.state == "sending", condition)
            rows = connection.execute(dialect.lock_rows(statement, skip_locked=True)).all()
            write_deliveries(connection, [(row, _lost(row, now, quarantine), now) for row in rows])
            return len(rows)

    def take_turn(self, pace: ChatPace, now: datetime) -> float:
        """0.0 if one message more may go to a chat now, which then counts towards its pace; else seconds to wait."""
        with self._reading() as connection:
            if (wait := Turn.ask(connection, pace, now).wait()) > 0:
                return wait
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            turn = Turn.ask(connection, pace, now)
            if (wait := turn.wait()) <= 0:
                turn.take()
            return wait

    def renew(self, claim: DeliveryClaim, now: datetime, lease: timedelta = LEASE) -> DeliveryClaim | None:
        """The claim as if it began now; None where it is no longer ours."""
        ours = (deliveries.c.state == "sending", deliveries.c.owner == self.owner, deliveries.c.id == claim.id)
        renewed = sa.update(deliveries).where(*ours, deliveries.c.started == claim.started)
        with self._writing() as connection:
            done = connection.execute(renewed.values(started=now, lease_until=now + lease))
            return replace(claim, started=now) if done.rowcount else None

    def last_confirmed(self, claim: DeliveryClaim) -> int:
        """The highest id known of the last messages in the chat that a claim is for; 0 where none has a number."""
        ours = (messages.c.chat == place(claim.chat_key, claim.chat_id), messages.c.sent_at.is_not(None))
        newest = sa.select(messages.c.external_id).where(*ours).order_by(messages.c.sent_at.desc()).limit(5)
        with self._reading() as connection:
            return max((int(one) for one in connection.scalars(newest) if str(one).isdecimal()), default=0)

    def resume_chat(self, channel: str, now: datetime) -> None:
        """Try a channel's chat again at once: its hold ends, and what waits for a retry is due."""
        with self._writing() as connection:
            rows = connection.execute(sa.select(chats)).all()
            _free(connection, [row for row in rows if channel in row.channels], now)

    def resume_chats(self, now: datetime) -> None:
        """Try every chat again at once, as at a start, except those whose server said how long to wait."""
        with self._writing() as connection:
            held = sa.select(chats).where(chats.c.hold_until > now, ~chats.c.firm)
            _free(connection, connection.execute(held).all(), now)

    def chats(self) -> list[ChatState]:
        """Every chat that a channel writes to or ever wrote to, and every channel that is held alone, by key.

        Nothing is written.
        """
        queued = (
            sa.select(deliveries.c.chat_key, deliveries.c.channel, deliveries.c.state, sa.func.count().label("number"))
            .where(deliveries.c.state.in_(("pending", "sending", "unknown")))
            .group_by(deliveries.c.chat_key, deliveries.c.channel, deliveries.c.state)
        )
        with self._reading() as connection:
            there = sa.or_(~chats.c.chat_key.startswith(OWN), chats.c.hold_until.is_not(None))
            rows = connection.execute(sa.select(chats).where(there).order_by(chats.c.chat_key)).all()
            of_channel = {one: row.chat_key for row in rows if not row.chat_key.startswith(OWN) for one in row.channels}
            counts = Counter[tuple[str, str]]()
            for row in connection.execute(queued):  # what nobody has looked at yet knows its channel only
                counts[row.chat_key or of_channel.get(row.channel, ""), row.state] += row.number
                counts[own(row.channel), row.state] += row.number
        return [
            ChatState(
                chat_key=row.chat_key,
                channels=tuple(row.channels),
                chat_id=row.chat_id,
                hold_until=row.hold_until,
                hold_reason=row.hold_reason,
                queued=counts[row.chat_key, "pending"],
                in_flight=next((s for s in ("sending", "unknown") if (row.chat_key, s) in counts), None),
            )
            for row in rows
        ]

    def count_deliveries(self, operation: str, state: str) -> int:
        """How many deliveries of an operation are in a state."""
        statement = sa.select(sa.func.count()).where(deliveries.c.operation == operation, deliveries.c.state == state)
        with self._reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def orphans(self, channels: Sequence[str]) -> dict[str, int]:
        """How many deliveries wait for channels that are not among these, by channel."""
        statement = (
            sa.select(deliveries.c.channel, sa.func.count())
            .where(deliveries.c.state.in_(("pending", "unknown")), deliveries.c.channel.not_in(list(channels)))
            .group_by(deliveries.c.channel)
        )
        with self._reading() as connection:
            return dict(connection.execute(statement).tuples().all())


def _lost(row: Any, now: datetime, quarantine: timedelta) -> Settlement:
    """What becomes of an attempt that was cut off. An edit can be made twice without harm."""
    if row.operation == Operation.SEND.value:
        return Settlement("unknown", due_at=max(row.started + quarantine, now), reason=_LOST, unknown=True)
    return Settlement("pending", due_at=now, reason=_LOST, unknown=True)


def _rewind(connection: sa.Connection, now: datetime, quarantine: timedelta) -> None:
    """Where the clock was put back, an attempt of the future waits no longer than one that begins now, nor does a chat
    that its server holds."""
    later = started_after(now + CLOCK_SLACK)
    values = {"sending": {"lease_until": now + LEASE}, "unknown": {"started": now, "due_at": now + quarantine}}
    for state, change in values.items():
        leased = (deliveries.c.lease_until > now + LEASE,) if state == "sending" else ()
        connection.execute(sa.update(deliveries).where(deliveries.c.state == state, later, *leased).values(**change))
    rewind(connection, now)


def _free(connection: sa.Connection, rows: Sequence[Any], now: datetime) -> None:
    """End the holds of chats; what waits for another attempt is due. Deliveries first, then chats: see settling."""
    if not rows:
        return
    dialect.exclude_others(connection, dialect.CLAIM_LOCK)
    channels = sorted({channel for row in rows for channel in row.channels})
    ours = dialect.one_of(connection, deliveries.c.channel, "channels")
    held = (ours, deliveries.c.state == "pending", deliveries.c.attempt > 0)
    since = deliveries.c.created  # and not now: see delivery.retry
    waits = sa.update(deliveries).where(*held, deliveries.c.due_at > now).values(due_at=since)
    connection.execute(waits, {"channels": channels})
    ended = sa.update(chats).where(chats.c.chat_key == sa.bindparam("of"))
    connection.execute(
        ended.values(**FREE), [{"of": row.chat_key} for row in sorted(rows, key=lambda row: row.chat_key)]
    )
