"""The outbox: which delivery goes next, who makes it, and what came of it.

The law: one delivery in flight a chat (an index enforces it); an edit waits until its message's send is at an end; a
claim is a lease, and a lease that runs out leaves its delivery unknown, for nobody can say whether it was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import ChatPace, DeliveryClaim, Operation, Settlement
from monitor.store import dialect, notices
from monitor.store.connection import Database
from monitor.store.feeds import chunks
from monitor.store.records import ChatState
from monitor.store.tables import chats, deliveries, messages

LEASE = timedelta(seconds=80)
MEMORY = 60.0  # seconds of sends that a chat's pace looks back on
_LOST = "the attempt was cut off; whether it arrived is not known"


class Outbox(Database):
    """The store's part that delivers."""

    def open_chats(self, paces: Mapping[str, ChatPace], now: datetime) -> None:
        """Make known which chat each channel writes to; what waits for a channel follows it to another chat."""
        by_chat: dict[str, list[str]] = {}
        for channel, pace in paces.items():
            by_chat.setdefault(pace.chat_key, []).append(channel)
        rows = [
            {"chat_key": key, "channels": sorted(names), "hold_reason": "", "recent": []}
            for key, names in by_chat.items()
        ]
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            dialect.upsert(connection, chats, rows, columns=["chat_key"], update=["channels"])
            for channel, pace in paces.items():
                connection.execute(
                    sa.update(deliveries)
                    .where(
                        deliveries.c.channel == channel,
                        deliveries.c.state == "pending",
                        deliveries.c.chat_key.is_distinct_from(pace.chat_key),
                    )
                    .values(chat_key=pace.chat_key)
                )

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
            due = sa.select(deliveries.c.id).where(*_waiting(now)).limit(1)
            if connection.execute(due).first() is None:
                return []
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            _assign(connection, paces)
            return _Claiming(connection, self.owner, now, paces, lease).take(limit)

    def settle(
        self, claim: DeliveryClaim, settlement: Settlement, now: datetime, *, operator: str | None = None
    ) -> bool:
        """Write what came of an attempt. operator: the channel that hears of its notice, if there is one.

        False where the delivery is no longer ours: its lease ran out. That it was sent is written all the same, unless
        another attempt has begun.
        """
        with self._writing() as connection:
            row = connection.execute(
                dialect.lock_rows(sa.select(deliveries).where(deliveries.c.id == claim.id))
            ).first()
            if row is None or row.started != claim.started or row.state not in ("sending", "unknown"):
                return False
            ours = bool(row.state == "sending" and row.owner == self.owner)
            if not ours and settlement.state != "sent":
                return False
            _write(connection, row, settlement, now)
            _remember_chat(connection, row.chat_key, settlement)
            if settlement.state == "sent":
                _sent(connection, claim, settlement, now)
                notices.clear(connection, _about(claim.channel))
            if settlement.state == "dead" and claim.operation is Operation.SEND:
                _bury_edits(connection, claim.message_id, now)
            if settlement.notice:
                key = _about(claim.channel) + settlement.notice[:100]
                notices.tell(connection, key, settlement.notice, operator, now)
            return ours

    def release_expired(self, now: datetime, quarantine: timedelta) -> int:
        """Give up the claims whose lease ran out; how many there were. quarantine: see take_over."""
        return self._lose(deliveries.c.lease_until <= now, now, quarantine)

    def take_over(self, now: datetime, quarantine: timedelta) -> int:
        """Give up every claim, when a daemon that has the database to itself starts; how many there were.

        A send is unknown until `quarantine` after its start, and is then made again; edits are made again at once.
        """
        return self._lose(sa.true(), now, quarantine)

    def _lose(self, condition: sa.ColumnElement[bool], now: datetime, quarantine: timedelta) -> int:
        with self._writing() as connection:
            statement = sa.select(deliveries).where(deliveries.c.state == "sending", condition)
            rows = connection.execute(dialect.lock_rows(statement, skip_locked=True)).all()
            for row in rows:
                if row.operation == Operation.SEND.value:
                    due = max(row.started + quarantine, now)
                    lost = Settlement("unknown", due_at=due, reason=_LOST, unknown=True)
                else:
                    lost = Settlement("pending", due_at=now, reason=_LOST, unknown=True)
                _write(connection, row, lost, now)
            return len(rows)

    def hold_chat(self, chat_key: str, until: datetime, reason: str) -> None:
        """Let a chat take nothing before `until`."""
        with self._writing() as connection:
            _remember_chat(connection, chat_key, Settlement("pending", hold_until=until, hold_reason=reason))

    def resume_chat(self, channel: str, now: datetime) -> None:
        """Try a channel's chat again at once: its hold ends, and what waits for a retry is due."""
        with self._writing() as connection:
            keys = [row.chat_key for row in connection.execute(sa.select(chats)) if channel in row.channels]
            for key in keys:
                connection.execute(
                    sa.update(chats).where(chats.c.chat_key == key).values(hold_until=None, hold_reason="")
                )
                held = (deliveries.c.chat_key == key, deliveries.c.state == "pending", deliveries.c.attempt > 0)
                connection.execute(sa.update(deliveries).where(*held, deliveries.c.due_at > now).values(due_at=now))

    def chats(self) -> list[ChatState]:
        """Every chat that was ever written to, by key."""
        waiting = (
            sa.select(deliveries.c.chat_key, deliveries.c.state, sa.func.count().label("number"))
            .where(deliveries.c.state.in_(("pending", "sending", "unknown")))
            .group_by(deliveries.c.chat_key, deliveries.c.state)
        )
        with self._reading() as connection:
            counts = {(row.chat_key, row.state): row.number for row in connection.execute(waiting)}
            rows = connection.execute(sa.select(chats).order_by(chats.c.chat_key)).all()
        return [
            ChatState(
                chat_key=row.chat_key,
                channels=tuple(row.channels),
                chat_id=row.chat_id,
                hold_until=row.hold_until,
                hold_reason=row.hold_reason,
                queued=counts.get((row.chat_key, "pending"), 0),
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


# ── claiming ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Claiming:
    connection: sa.Connection
    owner: str
    now: datetime
    paces: Mapping[str, ChatPace]
    lease: timedelta

    def take(self, limit: int) -> list[DeliveryClaim]:
        paces = {pace.chat_key: pace for pace in self.paces.values()}
        rows = self._ready(paces)
        recent = self._recent([pace.shared_key for pace in paces.values() if pace.shared_key])
        claims: list[DeliveryClaim] = []
        for row in sorted(rows, key=lambda row: (row.priority, row.id)):
            if len(claims) >= limit:
                break
            pace = paces[row.chat_key]
            if pace.shared_key:
                stamps = recent.setdefault(pace.shared_key, [])
                if pace.shared_per_second and _count(stamps, self.now, 1.0) >= pace.shared_per_second:
                    continue
                stamps.append(self.now.timestamp())
            claims.append(self._claim(row))
        self._stamp(rows={key: stamps for key, stamps in recent.items() if claims})
        return claims

    def _ready(self, paces: Mapping[str, ChatPace]) -> list[Any]:
        """The delivery that goes next in each chat that may be written to now."""
        keys = sa.select(deliveries.c.chat_key).where(*_waiting(self.now), deliveries.c.chat_key.is_not(None))
        due = {key for (key,) in self.connection.execute(keys.distinct()) if key in paces}
        states = self._chats(sorted(due))
        ready = []
        for key in sorted(due):
            chat = states.get(key)
            if chat is not None and chat.hold_until is not None and chat.hold_until > self.now:
                continue
            if chat is not None and not _pace_allows(paces[key], chat.recent, self.now):
                continue
            row = self._next(key)
            if row is not None:
                ready.append(row)
        return ready

    def _next(self, chat_key: str) -> Any:
        flying = sa.select(deliveries).where(
            deliveries.c.chat_key == chat_key, deliveries.c.state.in_(("sending", "unknown"))
        )
        row = self.connection.execute(dialect.lock_rows(flying)).first()
        if row is not None:
            again = row.state == "unknown" and row.due_at <= self.now and row.channel in self.paces
            return row if again else None
        others = deliveries.alias()
        unsent = sa.exists().where(
            others.c.message_id == deliveries.c.message_id,
            others.c.operation == Operation.SEND.value,
            others.c.state.in_(("pending", "sending", "unknown")),
        )
        statement = (
            sa.select(deliveries)
            .where(
                deliveries.c.chat_key == chat_key,
                deliveries.c.state == "pending",
                deliveries.c.due_at <= self.now,
                deliveries.c.channel.in_(list(self.paces)),
                sa.or_(deliveries.c.operation == Operation.SEND.value, ~unsent),
            )
            .order_by(deliveries.c.priority, deliveries.c.id)
            .limit(1)
        )
        return self.connection.execute(dialect.lock_rows(statement, skip_locked=True)).first()

    def _claim(self, row: Any) -> DeliveryClaim:
        run = self.connection.execute
        run(
            sa.update(deliveries)
            .where(deliveries.c.id == row.id)
            .values(
                state="sending",
                owner=self.owner,
                attempt=row.attempt + 1,
                started=self.now,
                lease_until=self.now + self.lease,
            )
        )
        message = run(sa.select(messages.c.external_id, messages.c.plain).where(messages.c.id == row.message_id)).one()
        chat = self._chats([row.chat_key]).get(row.chat_key)
        self._stamp({row.chat_key: [*(chat.recent if chat else ()), self.now.timestamp()]})
        return DeliveryClaim(
            id=row.id,
            message_id=row.message_id,
            channel=row.channel,
            operation=Operation(row.operation),
            attempt=row.attempt + 1,
            plain=row.plain or message.plain,
            external_id=message.external_id,
            chat_id=chat.chat_id if chat else None,
            created=row.created,
            started=self.now,
            unknowns=row.unknowns,
        )

    def _chats(self, keys: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for chunk in chunks(keys):
            rows = self.connection.execute(sa.select(chats).where(chats.c.chat_key.in_(chunk)))
            found.update((row.chat_key, row) for row in rows)
        return found

    def _recent(self, keys: Sequence[str]) -> dict[str, list[float]]:
        return {key: list(row.recent) for key, row in self._chats(sorted(set(keys))).items()}

    def _stamp(self, rows: Mapping[str, Sequence[float]]) -> None:
        end = self.now.timestamp()
        written = [
            {
                "chat_key": key,
                "channels": [],
                "hold_reason": "",
                "recent": [stamp for stamp in stamps if end - MEMORY < stamp <= end],
            }
            for key, stamps in rows.items()
        ]
        dialect.upsert(self.connection, chats, written, columns=["chat_key"], update=["recent"])


def _waiting(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return deliveries.c.state.in_(("pending", "unknown")), deliveries.c.due_at <= now


def _assign(connection: sa.Connection, paces: Mapping[str, ChatPace]) -> None:
    """Deliveries made since the last claim learn their chat."""
    new = sa.select(deliveries.c.channel).where(deliveries.c.chat_key.is_(None), deliveries.c.state == "pending")
    for (channel,) in connection.execute(new.distinct()).all():
        if channel in paces:
            ours = (deliveries.c.channel == channel, deliveries.c.chat_key.is_(None), deliveries.c.state == "pending")
            connection.execute(sa.update(deliveries).where(*ours).values(chat_key=paces[channel].chat_key))


def _pace_allows(pace: ChatPace, recent: Sequence[float], now: datetime) -> bool:
    if pace.min_gap and _count(recent, now, pace.min_gap):
        return False
    return not pace.per_minute or _count(recent, now, 60.0) < pace.per_minute


def _count(stamps: Sequence[float], now: datetime, seconds: float) -> int:
    """How many lie in the last `seconds`. Those of a future that a corrected clock took back do not count."""
    end = now.timestamp()
    return sum(end - seconds < stamp <= end for stamp in stamps)


# ── settling ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _write(connection: sa.Connection, row: Any, settlement: Settlement, now: datetime) -> None:
    ended = settlement.state in ("sent", "dead")
    if settlement.state == "pending" and row.operation == Operation.EDIT.value:
        _absorb_edit(connection, row)
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(
            state=settlement.state,
            due_at=settlement.due_at or row.due_at,
            reason=settlement.reason,
            plain=row.plain or settlement.plain,
            unknowns=row.unknowns + settlement.unknown,
            owner=None,
            lease_until=None,
            settled=now if ended else None,
        )
    )


def _absorb_edit(connection: sa.Connection, row: Any) -> None:
    """An edit that waits again does what a later one would: both are rendered when they are claimed."""
    connection.execute(
        sa.delete(deliveries).where(
            deliveries.c.message_id == row.message_id,
            deliveries.c.operation == Operation.EDIT.value,
            deliveries.c.state == "pending",
            deliveries.c.id != row.id,
        )
    )


def _sent(connection: sa.Connection, claim: DeliveryClaim, settlement: Settlement, now: datetime) -> None:
    values: dict[str, Any] = {"last_edit": now} if claim.operation is Operation.EDIT else {}
    if claim.operation is Operation.SEND:
        values = {"external_id": settlement.external_id, "sent_at": now, "plain": claim.plain}
    if values:
        connection.execute(sa.update(messages).where(messages.c.id == claim.message_id).values(values))


def _bury_edits(connection: sa.Connection, message_id: int, now: datetime) -> None:
    waiting = (deliveries.c.message_id == message_id, deliveries.c.operation != Operation.SEND.value)
    connection.execute(
        sa.update(deliveries)
        .where(*waiting, deliveries.c.state == "pending")
        .values(state="dead", reason="the message it changes could not be sent", settled=now)
    )


def _remember_chat(connection: sa.Connection, chat_key: str | None, settlement: Settlement) -> None:
    if chat_key is None:
        return
    values: dict[str, Any] = {}
    if settlement.hold_until is not None:
        values = {"hold_until": settlement.hold_until.astimezone(UTC), "hold_reason": settlement.hold_reason}
    elif settlement.state == "sent":
        values = {"hold_until": None, "hold_reason": ""}
    if settlement.chat_id:
        values["chat_id"] = settlement.chat_id
    if values:
        row = {"chat_key": chat_key, "channels": [], "hold_reason": "", "recent": [], **values}
        dialect.upsert(connection, chats, [row], columns=["chat_key"], update=sorted(values))


def _about(channel: str) -> str:
    return f"channel/{channel}/"
