"""Claiming: which delivery goes next in each chat, as far as its pace, its hold and what is in flight allow.

The law: one in flight a chat; an edit waits until its message's send is at an end, and never goes to another chat than
the one the message is in, where its id may be that of another post.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import ChatPace, DeliveryClaim, Operation
from monitor.store import dialect
from monitor.store.feeds import CLOCK_SLACK, chunks
from monitor.store.tables import chats, deliveries, messages

MEMORY = 60.0  # seconds of sends that a chat's pace looks back on


@dataclass(slots=True)
class Claiming:
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
        keys = sa.select(deliveries.c.chat_key).where(*waiting(self.now), deliveries.c.chat_key.is_not(None))
        due = {key for (key,) in self.connection.execute(keys.distinct()) if key in paces}
        states = self._chats(sorted(due))
        ready = []
        for key in sorted(due):
            chat = states.get(key)
            if chat is not None and _is_held(chat, self.now):
                continue
            if chat is not None and not _pace_allows(paces[key], chat.recent, self.now):
                continue
            row = self._next(key, chat.chat_id if chat is not None else None)
            if row is not None:
                ready.append(row)
        return ready

    def _next(self, chat_key: str, chat_id: str | None) -> Any:
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
                _due(self.now),
                deliveries.c.channel.in_(list(self.paces)),
                sa.or_(deliveries.c.operation == Operation.SEND.value, ~unsent),
            )
            .order_by(deliveries.c.priority, deliveries.c.id)
            .limit(1)
        )
        while (row := self.connection.execute(dialect.lock_rows(statement, skip_locked=True)).first()) is not None:
            if row.operation == Operation.SEND.value or not self._is_elsewhere(row.message_id, chat_key, chat_id):
                break
            dead = {"state": "dead", "reason": "the channel has moved: its message is in another chat"}
            self.connection.execute(
                sa.update(deliveries).where(deliveries.c.id == row.id).values(settled=self.now, **dead)
            )
        return row

    def _is_elsewhere(self, message_id: int, chat_key: str, chat_id: str | None) -> bool:
        """Whether the message was posted in another chat, where its id may be that of another post."""
        posted = self.connection.execute(sa.select(messages.c.chat).where(messages.c.id == message_id)).scalar()
        return posted is not None and posted != place(chat_key, chat_id)

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
                "firm": False,
                "recent": [stamp for stamp in stamps if end - MEMORY < stamp <= end],
            }
            for key, stamps in rows.items()
        ]
        dialect.upsert(self.connection, chats, written, columns=["chat_key"], update=["recent"])

    def is_paced(self) -> bool:
        """Whether a send is due that nothing but the pace of its chat holds back."""
        sends = sa.select(deliveries.c.chat_key).where(
            deliveries.c.state == "pending",
            deliveries.c.operation == Operation.SEND.value,
            deliveries.c.channel.in_(list(self.paces)),
            _due(self.now),
        )
        flying = sa.select(deliveries.c.chat_key).where(deliveries.c.state.in_(("sending", "unknown")))
        due = set(self.connection.scalars(sends.distinct())) - set(self.connection.scalars(flying.distinct()))
        states = self._chats(sorted(due & {pace.chat_key for pace in self.paces.values()}))
        return any(not _is_held(chat, self.now) for chat in states.values())


def waiting(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return deliveries.c.state.in_(("pending", "unknown")), _due(now)


def _due(now: datetime) -> sa.ColumnElement[bool]:
    """Its time has come, or it was set by a clock that has been put back since."""
    ahead = now + CLOCK_SLACK
    put_back = sa.and_(deliveries.c.state == "pending", sa.or_(deliveries.c.created > ahead, started_after(ahead)))
    return sa.or_(deliveries.c.due_at <= now, put_back)


def started_after(moment: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(deliveries.c.started.is_not(None), deliveries.c.started > moment)


def assign(connection: sa.Connection, paces: Mapping[str, ChatPace]) -> None:
    """What waits learns its chat, and follows its channel to another one; also a send that may be in the old one."""
    waits = deliveries.c.state.in_(("pending", "unknown"))
    for channel, pace in paces.items():
        elsewhere = (deliveries.c.channel == channel, waits, deliveries.c.chat_key.is_distinct_from(pace.chat_key))
        connection.execute(sa.update(deliveries).where(*elsewhere).values(chat_key=pace.chat_key, state="pending"))


def place(chat_key: str, chat_id: str | None) -> str:
    """A chat as messages remember it; a group that became a supergroup is another one, with ids of its own."""
    return f"{chat_key} {chat_id}" if chat_id else chat_key


def _is_held(chat: Any, now: datetime) -> bool:
    if chat.hold_until is None or chat.hold_until <= now:
        return False
    put_back = any(stamp > (now + CLOCK_SLACK).timestamp() for stamp in chat.recent)
    return chat.firm or not put_back


def _pace_allows(pace: ChatPace, recent: Sequence[float], now: datetime) -> bool:
    if pace.min_gap and _count(recent, now, pace.min_gap):
        return False
    return not pace.per_minute or _count(recent, now, 60.0) < pace.per_minute


def _count(stamps: Sequence[float], now: datetime, seconds: float) -> int:
    """How many lie in the last `seconds`. Those of a future that a corrected clock took back do not count."""
    end = now.timestamp()
    return sum(end - seconds < stamp <= end for stamp in stamps)
