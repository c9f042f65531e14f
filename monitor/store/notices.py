"""What the operator was told: each thing once, until it is over; at most one message a minute, with all that waits."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.store import dialect, posting, tables
from monitor.store.connection import Database
from monitor.store.feeds import CLOCK_SLACK
from monitor.store.records import Notice

GAP = timedelta(seconds=60)
AGAIN = timedelta(minutes=10)
LONGEST = 3000  # code points of notices that go as one message


class Notices(Database):
    """The store's part that speaks to the operator."""

    def add_notice(self, key: str, text: str, channel: str | None, now: datetime) -> bool:
        """Tell the operator, if `key` does not stand already; True if it was new. channel None: only remember it."""
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            return tell(connection, key, text, channel, now)

    def clear_notices(self, prefix: str, now: datetime, *, over: str = "", channel: str | None = None) -> int:
        """The trouble is over: when it comes again, the operator hears of it again. How many stood.

        over: what `channel` is told, if it was told of the trouble.
        """
        with self._reading() as connection:
            if connection.execute(sa.select(tables.notices.c.key).where(_begins(prefix)).limit(1)).first() is None:
                return 0
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            return clear(connection, prefix, now, over=over, channel=channel)

    def tell_once(self, text: str, channel: str, now: datetime) -> bool:
        """Tell the operator of what is over already, unless the same was told a moment ago; whether it was new."""
        same = sa.select(tables.messages.c.id).where(
            tables.messages.c.kind == "operator",
            tables.messages.c.text.contains(text, autoescape=True),  # it may have gone with others
            tables.messages.c.created.between(now - AGAIN, now + CLOCK_SLACK),
        )
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            if connection.execute(same.limit(1)).first() is not None:  # by another daemon that saw the same
                return False
            _post(connection, text, channel, now)
            return True

    def notices(self) -> list[Notice]:
        """What stands, the newest first."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(tables.notices).order_by(tables.notices.c.created.desc())).all()
        return [Notice(row.key, row.text, row.created) for row in rows]


def tell(
    connection: sa.Connection, key: str, text: str, channel: str | None, now: datetime, *, scope: str = ""
) -> bool:
    """As Notices.add_notice, inside a transaction of the caller's.

    scope: what the trouble is of, if it is of more than this. Of a scope the first is told and the others stand untold;
    one of them is told where it is still seen after the first is over.
    """
    run, table = connection.execute, tables.notices
    known = run(sa.select(table.c.message_id).where(table.c.key == key)).first()
    if known is not None and (known.message_id is not None or not scope or channel is None):
        return False
    told = sa.select(table.c.key).where(table.c.scope == scope, table.c.message_id.is_not(None))
    quiet = channel is None or (scope and run(told.limit(1)).first() is not None)
    if known is not None and quiet:
        return False
    message_id = None if quiet or channel is None else _post(connection, text, channel, now)
    if known is not None:
        run(sa.update(table).where(table.c.key == key).values(message_id=message_id))
        return False
    row = {"key": key, "created": now, "text": text, "scope": scope, "message_id": message_id}
    dialect.insert_new(connection, table, [row], columns=["key"])
    return True


def clear(connection: sa.Connection, prefix: str, now: datetime, *, over: str = "", channel: str | None = None) -> int:
    """As Notices.clear_notices, inside a transaction of the caller's."""
    stood = connection.execute(sa.select(tables.notices.c.message_id).where(_begins(prefix))).scalars().all()
    if not stood:
        return 0
    connection.execute(sa.delete(tables.notices).where(_begins(prefix)))
    if over and channel and any(message_id is not None for message_id in stood):
        _post(connection, over, channel, now)
    return len(stood)


def stand(connection: sa.Connection, prefix: str) -> bool:
    """Whether any notice stands whose key begins so."""
    return connection.execute(sa.select(tables.notices.c.key).where(_begins(prefix)).limit(1)).first() is not None


def _post(connection: sa.Connection, text: str, channel: str, now: datetime) -> int:
    """A minute after the one before, in one message with what waits for that minute already: what is urgent is not to
    stand behind what is stale. But what a clock that was put back dated ahead is waited for by nobody."""
    known, run = now + CLOCK_SLACK, connection.execute
    ours = (tables.messages.c.kind == "operator", tables.messages.c.channel == channel)
    both = tables.deliveries.join(tables.messages, tables.messages.c.id == tables.deliveries.c.message_id)
    unsent = (tables.deliveries.c.attempt == 0, tables.deliveries.c.created <= known)
    waits = sa.select(tables.messages.c.id, tables.messages.c.text).select_from(both)
    waits = waits.where(*ours, *unsent, tables.deliveries.c.state == "pending", tables.deliveries.c.due_at > now)
    newest = waits.order_by(tables.messages.c.id.desc()).limit(1)
    other = run(dialect.lock_rows(newest, of=tables.deliveries)).first()  # nobody claims it meanwhile
    if other is not None and len(other.text) + len(text) < LONGEST:
        whole = f"{other.text}\n\n{text}"
        run(sa.update(tables.messages).where(tables.messages.c.id == other.id).values(text=whole))
        return int(other.id)
    latest = sa.select(sa.func.max(tables.deliveries.c.due_at)).select_from(both).where(*ours, *unsent)
    last = sa.select(sa.func.max(tables.messages.c.sent_at)).where(*ours, tables.messages.c.sent_at <= known)
    before = [when for when in (run(latest).scalar(), run(last).scalar()) if when]
    message_id = posting.add_message(connection, "operator", channel, now, text=text)
    due_at = max([now, *(when + GAP for when in before)])
    posting.add_delivery(connection, message_id, channel, "send", now, priority=1, due_at=due_at)
    return message_id


def _begins(prefix: str) -> sa.ColumnElement[bool]:
    """By no LIKE, to which main and Main are the same on SQLite."""
    return sa.func.substr(tables.notices.c.key, 1, len(prefix)) == prefix
