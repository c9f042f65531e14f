"""Claiming: which delivery goes next in each chat, as far as its pace, its hold and what is in flight allow.

The law: one in flight a chat; an edit waits until its message's send is at an end, and never goes to another chat than
the one the message is in, where its id may be that of another post. Where the channel has moved away from there, an
edit that brings an alert becomes a send, which posts the message anew: nobody was told of it yet. Any other edit ends.
What goes back to waiting forgets its chat and learns it here anew, for its channel may have moved meanwhile; it does so
between two claims (see settling), so that all that a claim reads is of one moment.
A digest that is still open is not claimed: digests.close_digests says when its time has come.
A channel whose topic is closed is held alone, by a row of its own among the chats; the others of its chat go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from xxhash import xxh3_64_hexdigest

from monitor.model_delivery import ChatPace, DeliveryClaim, Operation
from monitor.store import dialect
from monitor.store.feeds import CLOCK_SLACK, chunks
from monitor.store.tables import chats, deliveries, messages

OWN = "channel:"  # begins the key of a channel's own hold
MINUTE = 60.0  # seconds that a chat's pace looks back on
_WAITING, _IN_FLIGHT = ("pending", "unknown"), ("sending", "unknown")
NEW_CHAT: Mapping[str, Any] = {"channels": [], "hold_reason": "", "firm": False, "recent": []}
AHEAD = CLOCK_SLACK.total_seconds()
_is_open = sa.exists().where(messages.c.id == deliveries.c.message_id, messages.c.open)
_CHAT = (chats.c.chat_key, chats.c.chat_id, chats.c.hold_until, chats.c.firm, chats.c.recent)


@dataclass(slots=True)
class Claiming:
    connection: sa.Connection
    owner: str
    now: datetime
    paces: Mapping[str, ChatPace]
    lease: timedelta

    def take(self, limit: int) -> list[DeliveryClaim]:
        """All in a fixed number of statements, however many chats there are."""
        paces = {pace.chat_key: pace for pace in self.paces.values()}
        recent = self._recent({pace.shared_key for pace in paces.values()} - {""})
        ours = self._not_held()
        chosen: list[tuple[Any, Any]] = []
        again = list(paces)
        while again:
            found, again = self._locked(self._ready(again, ours, paces, recent, limit - len(chosen)))
            chosen += found
        if chosen:
            self._begin(chosen)
            self._stamp(recent | {row.chat_key: [*chat.recent, self.now.timestamp()] for row, chat in chosen})
        return [self._claim(row, chat.chat_id) for row, chat in chosen]

    def _not_held(self) -> list[str]:
        """The channels that no hold of their own keeps from being written to."""
        holds = sa.select(*_CHAT).where(chats.c.chat_key.startswith(OWN), chats.c.hold_until > self.now)
        held = {row.chat_key for row in self.connection.execute(holds) if _is_held(row, self.now)}
        return [channel for channel in self.paces if own(channel) not in held]

    def _ready(
        self,
        keys: Sequence[str],
        ours: Sequence[str],
        paces: Mapping[str, ChatPace],
        recent: dict[str, list[float]],
        limit: int,
    ) -> list[Any]:
        """What goes next in the chats that may be written to now, as far as the pace that they share allows.

        ours: the channels that are asked for. recent: the stamps of that pace, towards which these count.
        """
        found: list[Any] = []
        values = {"keys": keys, "ours": ours, "now": self.now, "ahead": self.now + CLOCK_SLACK}
        with self.connection.execute(dialect.prepared(self.connection, _next), values) as rows:
            for row in rows:  # the more urgent first: most need not be looked at
                if len(found) >= limit:
                    break
                pace = paces[row.chat_key]
                stamps = recent.setdefault(pace.shared_key, []) if pace.shared_key else []
                if self._is_free(row, pace) and _shared_pace_allows(pace, stamps, self.now):
                    stamps.append(self.now.timestamp())
                    found.append(row)
        return found

    def _locked(self, ready: Sequence[Any]) -> tuple[list[tuple[Any, Any]], list[str]]:
        """(those that are ours now, each with its chat; the chats in which another is next after all)."""
        rows = [row for chunk in chunks([one.next_id for one in ready]) for row in self._with_messages(chunk)]
        of_key = {chat.chat_key: chat for chat in ready}
        gone = {row.id: row for row in rows if self._is_elsewhere(row, of_key[row.chat_key])}
        self._follow(gone.values())
        ours = [(row, of_key[row.chat_key]) for row in rows if row.id not in gone]
        return ours, [row.chat_key for row in gone.values()]

    def _follow(self, edits: Iterable[Any]) -> None:
        """The channels of these edits have moved away from the messages that they change."""
        run, by_id = self.connection.execute, deliveries.c.id
        anew = [row.id for row in edits if row.operation == Operation.EDIT.value and row.brings_alert]
        ended = [row.id for row in edits if row.id not in anew]
        if anew:
            run(sa.update(deliveries).where(by_id.in_(anew)).values(operation=Operation.SEND.value, brings_alert=False))
        if ended:
            dead = {"state": "dead", "reason": "the channel has moved: its message is in another chat"}
            run(sa.update(deliveries).where(by_id.in_(ended)).values(settled=self.now, **dead))

    def _begin(self, chosen: Sequence[tuple[Any, Any]]) -> None:
        begun = {"state": "sending", "owner": self.owner, "started": self.now, "lease_until": self.now + self.lease}
        for chunk in chunks(sorted(row.id for row, _ in chosen)):
            taken = sa.update(deliveries).where(deliveries.c.id.in_(chunk), deliveries.c.state.in_(_WAITING))
            self.connection.execute(taken.values(**begun, attempt=deliveries.c.attempt + 1))

    def _is_free(self, chat: Any, pace: ChatPace) -> bool:
        return not _is_held(chat, self.now) and _pace_allows(pace, chat.recent, self.now)

    def _with_messages(self, ids: Sequence[int]) -> Sequence[Any]:
        about = (messages.c.external_id, messages.c.plain.label("was_plain"), messages.c.chat.label("posted"))
        joined = deliveries.join(messages, messages.c.id == deliveries.c.message_id)
        statement = sa.select(deliveries, *about, messages.c.created.label("made")).select_from(joined)
        waits = (deliveries.c.id.in_(ids), deliveries.c.state.in_(_WAITING))
        statement = statement.where(*waits).order_by(deliveries.c.id)
        return self.connection.execute(dialect.lock_rows(statement, of=deliveries)).all()

    def _is_elsewhere(self, row: Any, chat: Any) -> bool:
        """Whether the message to change was posted in another chat, where its id may be that of another post."""
        edits = row.operation != Operation.SEND.value
        return edits and row.posted is not None and row.posted != place(row.chat_key, chat.chat_id)

    def _claim(self, row: Any, chat_id: str | None) -> DeliveryClaim:
        return DeliveryClaim(
            id=row.id,
            message_id=row.message_id,
            channel=row.channel,
            operation=Operation(row.operation),
            chat_key=row.chat_key,
            attempt=row.attempt + 1,
            plain=row.plain or row.was_plain,
            external_id=row.external_id,
            chat_id=chat_id,
            created=row.created,
            started=self.now,
            unknowns=row.unknowns,
            lost=row.state == "unknown",
            marker=_marker(row.message_id, row.made),
            service=self.paces[row.channel].shared_key or row.channel,
        )

    def _chats(self, keys: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for chunk in chunks(keys):
            rows = self.connection.execute(sa.select(*_CHAT).where(chats.c.chat_key.in_(chunk)))
            found.update((row.chat_key, row) for row in rows)
        return found

    def _recent(self, keys: Iterable[str]) -> dict[str, list[float]]:
        return {key: list(row.recent) for key, row in self._chats(sorted(set(keys))).items()}

    def _stamp(self, rows: Mapping[str, Sequence[float]]) -> None:
        end = self.now.timestamp()
        written = [
            {
                "chat_key": key,
                **NEW_CHAT,
                "recent": sorted(stamp for stamp in stamps if end - MINUTE < stamp <= end + AHEAD),
            }
            for key, stamps in sorted(rows.items())
        ]
        dialect.upsert(self.connection, chats, written, columns=["chat_key"], update=["recent"])

    def is_paced(self) -> bool:
        """Whether a send is due that nothing but the pace of its chat holds back."""
        sends = sa.select(deliveries.c.channel, deliveries.c.chat_key).where(
            deliveries.c.state == "pending",
            deliveries.c.operation == Operation.SEND.value,
            deliveries.c.channel.in_(self._not_held()),
            _due(self.now, self.now + CLOCK_SLACK),
            ~_is_open,
        )
        flying = sa.select(deliveries.c.chat_key).where(deliveries.c.state.in_(("sending", "unknown")))
        rows = self.connection.execute(sends.distinct())
        due = {row.chat_key or self.paces[row.channel].chat_key for row in rows}
        due -= set(self.connection.scalars(flying.distinct()))
        states = self._chats(sorted(due & {pace.chat_key for pace in self.paces.values()}))
        return any(not _is_held(chat, self.now) for chat in states.values())


def _next(connection: sa.Connection) -> sa.Select[Any]:
    """Of each of the chats `keys`: the lost delivery whose quarantine is over, or the first that waits if none is in
    flight; of the channels `ours`, at the moment `now`, with clocks that may be as late as `ahead`.

    The more urgent first; before all of them what was lost, for it bars its chat, also to what is urgent there.
    """
    now, ahead = sa.bindparam("now", type_=dialect.Utc), sa.bindparam("ahead", type_=dialect.Utc)
    ours = dialect.one_of(connection, deliveries.c.channel, "ours")
    flying = sa.exists().where(deliveries.c.chat_key == chats.c.chat_key, deliveries.c.state.in_(_IN_FLIGHT))
    lost = (deliveries.c.state == "unknown", deliveries.c.due_at <= now, ours)
    again = sa.select(deliveries.c.id).where(deliveries.c.chat_key == chats.c.chat_key, *lost)
    sends = deliveries.alias()
    unsent = sa.exists().where(
        sends.c.message_id == deliveries.c.message_id,
        sends.c.operation == Operation.SEND.value,
        sends.c.state.in_(("pending", "sending", "unknown")),
    )
    first = (
        sa.select(deliveries.c.id)
        .where(
            deliveries.c.chat_key == chats.c.chat_key,
            deliveries.c.state == "pending",
            _due(now, ahead),
            ours,
            sa.or_(deliveries.c.operation == Operation.SEND.value, ~unsent),
            ~_is_open,
        )
        .order_by(deliveries.c.priority, deliveries.c.id)
        .limit(1)
    )
    pick = sa.case(
        (flying.correlate(chats), again.correlate(chats).scalar_subquery()),
        else_=first.correlate(chats).scalar_subquery(),
    )
    one = deliveries.alias()
    return (
        sa.select(*_CHAT, one.c.id.label("next_id"))
        .select_from(chats.join(one, one.c.id == pick))
        .where(dialect.one_of(connection, chats.c.chat_key, "keys"))
        .order_by(sa.case((one.c.state == "unknown", 0), else_=1), one.c.priority, one.c.id)
    )


@dataclass(slots=True)
class Turn:
    """One message more, outside the outbox, to a chat that has a pace."""

    claiming: Claiming
    pace: ChatPace
    recent: Mapping[str, list[float]]

    @classmethod
    def ask(cls, connection: sa.Connection, pace: ChatPace, now: datetime) -> Turn:
        claiming = Claiming(connection, "", now, {}, timedelta(0))
        return cls(claiming, pace, claiming._recent([key for key in (pace.chat_key, pace.shared_key) if key]))

    def wait(self) -> float:
        """Seconds until it may go, as far as can be told; 0: now."""
        pace, now = self.pace, self.claiming.now
        ours, shared = self.recent.get(pace.chat_key, []), self.recent.get(pace.shared_key, [])
        if not _shared_pace_allows(pace, shared, now):
            return 1 / 3
        if _pace_allows(pace, ours, now):
            return 0.0
        full = ours[-pace.per_minute] + MINUTE if 0 < pace.per_minute <= len(ours) else 0.0
        return max(full, ours[-1] + pace.min_gap) - now.timestamp() + 0.01

    def take(self) -> None:
        """Let it count towards the pace of the chat and of its bot."""
        stamps = {key: [*self.recent.get(key, []), self.claiming.now.timestamp()] for key in self.recent}
        for key in (self.pace.chat_key, self.pace.shared_key):
            if key:
                stamps.setdefault(key, [self.claiming.now.timestamp()])
        self.claiming._stamp(stamps)


def _marker(message_id: int, created: datetime) -> str:
    """The same at each attempt; of another message, or in another database, another one."""
    return xxh3_64_hexdigest(f"{message_id} {created.timestamp():.6f}".encode())


def waiting(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return deliveries.c.state.in_(("pending", "unknown")), _due(now, now + CLOCK_SLACK)


def _due(now: Any, ahead: Any) -> sa.ColumnElement[bool]:
    """Its time has come, or it was set by a clock that has been put back since."""
    put_back = sa.and_(deliveries.c.state == "pending", sa.or_(deliveries.c.created > ahead, started_after(ahead)))
    return sa.or_(deliveries.c.due_at <= now, put_back)


def started_after(moment: Any) -> sa.ColumnElement[bool]:
    return sa.and_(deliveries.c.started.is_not(None), deliveries.c.started > moment)


_LOST = (
    sa.select(deliveries.c.channel, deliveries.c.chat_key, chats.c.channels, deliveries.c.due_at)
    .select_from(deliveries.join(chats, chats.c.chat_key == deliveries.c.chat_key))
    .where(deliveries.c.state == "unknown")
)
_NO_CHAT = (sa.null().label("chat_key"), sa.null().label("channels"), sa.cast(sa.null(), dialect.Utc).label("due_at"))
_NEW = sa.select(deliveries.c.channel, *_NO_CHAT)
_NEW = _NEW.where(deliveries.c.state == "pending", deliveries.c.chat_key.is_(None))
_HOMELESS = sa.union_all(_LOST, _NEW.distinct())


def assign(connection: sa.Connection, paces: Mapping[str, ChatPace], now: datetime) -> None:
    """What waits learns its chat. What was lost in a chat that its channel has left since follows the channel; where
    that is configured no more, it bars the chat until its quarantine is over, and then waits as all else of it does."""
    found = connection.execute(_HOMELESS).all()
    _leave(connection, [row for row in found if row.channel not in paces], now)
    rows = [row for row in found if row.channel in paces]
    new = {row.channel for row in rows if row.chat_key is None}
    waits = (deliveries.c.state == "pending", deliveries.c.chat_key.is_(None))
    _send_to(connection, {one: paces[one].chat_key for one in sorted(new)}, *waits)
    left = [row for row in rows if row.chat_key is not None and row.channel not in row.channels]
    moved = {row.channel for row in left if row.chat_key != paces[row.channel].chat_key}
    if moved:
        follow(connection, {one: paces[one] for one in moved})


def _leave(connection: sa.Connection, rows: Iterable[Any], now: datetime) -> None:
    left = [row for row in rows if row.chat_key is not None and row.channel not in row.channels]
    over = [row.chat_key for row in left if row.due_at <= now]
    if over:
        lost = (deliveries.c.chat_key.in_(over), deliveries.c.state == "unknown")
        connection.execute(sa.update(deliveries).where(*lost).values(state="pending", chat_key=None))


def follow(connection: sa.Connection, paces: Mapping[str, ChatPace]) -> None:
    """What waits follows its channel to another chat; also a send that may be in the old one."""
    waits = sa.or_(*(deliveries.c.state == state for state in _WAITING))
    rows = connection.execute(sa.select(deliveries.c.channel, deliveries.c.chat_key).where(waits).distinct())
    wrong = {row.channel for row in rows if row.channel in paces and row.chat_key != paces[row.channel].chat_key}
    elsewhere = deliveries.c.chat_key.is_distinct_from(sa.bindparam("key"))
    _send_to(connection, {one: paces[one].chat_key for one in sorted(wrong)}, waits, elsewhere)


def _send_to(connection: sa.Connection, keys: Mapping[str, str], *which: sa.ColumnElement[bool]) -> None:
    """keys: chats by channel."""
    if not keys:
        return
    known = [{"chat_key": one, **NEW_CHAT} for one in sorted(set(keys.values()))]
    dialect.insert_new(connection, chats, known, columns=["chat_key"])
    change = sa.update(deliveries).where(deliveries.c.channel == sa.bindparam("of"), *which)
    moves = [{"of": channel, "key": key} for channel, key in keys.items()]
    connection.execute(change.values(chat_key=sa.bindparam("key"), state="pending"), moves)


def place(chat_key: str, chat_id: str | None) -> str:
    """A chat as messages remember it; a group that became a supergroup is another one, with ids of its own."""
    return f"{chat_key} {chat_id}" if chat_id else chat_key


def own(channel: str) -> str:
    """The key of a channel's own hold."""
    return OWN + channel


def _is_held(chat: Any, now: datetime) -> bool:
    if chat.hold_until is None or chat.hold_until <= now:
        return False
    return chat.firm or not _is_ahead(chat, now)


def _is_ahead(chat: Any, now: datetime) -> bool:
    """Whether the clock was put back since the chat was written to."""
    return any(stamp > (now + CLOCK_SLACK).timestamp() for stamp in chat.recent)


def ahead(connection: sa.Connection, now: datetime) -> list[Any]:
    """The chats whose server said how long to wait, by a clock that was put back since."""
    firm = sa.select(*_CHAT).where(chats.c.firm, chats.c.hold_until > now).order_by(chats.c.chat_key)
    return [row for row in connection.execute(firm) if _is_ahead(row, now)]


def rewind(connection: sa.Connection, now: datetime) -> None:
    """Let such chats wait from now on, for as long as they were asked to."""
    for chat in ahead(connection, now):
        lasts = chat.hold_until - datetime.fromtimestamp(max(chat.recent), UTC)
        held = {"hold_until": now + max(lasts, timedelta(0)), "recent": [now.timestamp()]}
        connection.execute(sa.update(chats).where(chats.c.chat_key == chat.chat_key).values(**held))


def _shared_pace_allows(pace: ChatPace, stamps: Sequence[float], now: datetime) -> bool:
    """Also within each third of a second: what is claimed in one go may reach the server later than the next is."""
    limit = pace.shared_per_second
    return not limit or (_count(stamps, now, 1.0) < limit and _count(stamps, now, 1 / 3) < max(limit / 3, 1))


def _pace_allows(pace: ChatPace, recent: Sequence[float], now: datetime) -> bool:
    if pace.min_gap and _count(recent, now, pace.min_gap):
        return False
    return not pace.per_minute or _count(recent, now, MINUTE) < pace.per_minute


def _count(stamps: Sequence[float], now: datetime, seconds: float) -> int:
    """How many lie in the last `seconds`, or just ahead: `now` may be older than what another daemon wrote meanwhile.

    Those of a future that a corrected clock took back do not count.
    """
    end = now.timestamp()
    return sum(end - seconds < stamp <= end + AHEAD for stamp in stamps)
