"""Deliveries as people see them: what waits, what failed and why, and letting what failed be made again.

The law: a message that is out, or whose send still waits, is never sent a second time by this. It takes its turn with
the intakes, which work on the same messages, and with retention, which removes what nobody wants to send any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model_delivery import GONE, Operation
from monitor.store import dialect, posting
from monitor.store.connection import Database
from monitor.store.delivery_records import DeliveryEnd, DeliveryFilter, DeliveryRow, Retried
from monitor.store.feeds import chunks
from monitor.store.records import Page
from monitor.store.tables import alerts, articles, deliveries, delivery_ends, hits, message_alerts, messages


class Failed(Database):
    """The store's part that lists deliveries, and lets dead ones live again."""

    def deliveries(self, wanted: DeliveryFilter) -> Page[DeliveryRow]:
        """Deliveries, the newest first."""
        statement = (
            sa.select(deliveries, messages.c.kind, messages.c.text, messages.c.chat, messages.c.external_id)
            .join(messages, messages.c.id == deliveries.c.message_id)
            .order_by(deliveries.c.id.desc())
            .limit(wanted.limit + 1)
        )
        if wanted.states:
            statement = statement.where(deliveries.c.state.in_(wanted.states))
        if wanted.channel is not None:
            statement = statement.where(deliveries.c.channel == wanted.channel)
        if wanted.before_id is not None:
            statement = statement.where(deliveries.c.id < wanted.before_id)
        with self._reading() as connection:
            rows = connection.execute(statement).all()
            found = rows[: wanted.limit]
            titles = _headlines(connection, [row.message_id for row in found])
            ends = _ends(connection, [row.id for row in found])
        made = [_row(row, titles.get(row.message_id, row.text), ends.get(row.id, ())) for row in found]
        return Page(tuple(made), found[-1].id if len(rows) > wanted.limit else None)

    def dead_deliveries(self, channel: str | None = None) -> list[int]:
        """The ids of all that failed, in a channel or everywhere, in order; without edits of what somebody deleted."""
        deleted = sa.and_(deliveries.c.operation == Operation.EDIT.value, deliveries.c.reason.startswith(GONE))
        failed = (deliveries.c.state == "dead", ~deleted)
        statement = sa.select(deliveries.c.id).where(*failed).order_by(deliveries.c.id)
        if channel is not None:
            statement = statement.where(deliveries.c.channel == channel)
        with self._reading() as connection:
            return list(connection.scalars(statement))

    def retry_deliveries(self, ids: Sequence[int], now: datetime) -> list[Retried]:
        """Let dead deliveries be made again, as if for the first time; what became of each, in the order of `ids`.

        How each had ended is kept. Edits that a dead send took with it go: the send shows what they would have.
        """
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.INTAKE_LOCK)
            dialect.exclude_others(connection, dialect.CLAIM_LOCK)
            return [_retry(connection, one, now) for one in dict.fromkeys(ids)]


def _retry(connection: sa.Connection, delivery_id: int, now: datetime) -> Retried:
    found = sa.select(deliveries).where(deliveries.c.id == delivery_id)
    row = connection.execute(dialect.lock_rows(found)).first()
    if row is None:
        return Retried(delivery_id, "", again=False, why="there is no such delivery")
    if row.state != "dead":
        return Retried(delivery_id, row.channel, again=False, why=f"it has not failed, it is {row.state}")
    others = deliveries.c.message_id == row.message_id
    sends = connection.execute(
        sa.select(deliveries.c.id, deliveries.c.state)
        .where(others, deliveries.c.operation == Operation.SEND.value)
        .order_by(deliveries.c.id)
    ).all()
    is_send = row.operation == Operation.SEND.value
    if is_send and sends[-1].id != row.id:
        return Retried(delivery_id, row.channel, again=False, why=f"delivery {sends[-1].id} sends its message")
    if not is_send and (not sends or sends[-1].state == "dead"):
        send = f": retry delivery {sends[-1].id}, its send" if sends else ""
        return Retried(delivery_id, row.channel, again=False, why=f"the message it changes was not sent{send}")
    edits = (others, deliveries.c.operation == Operation.EDIT.value, deliveries.c.id != row.id)
    if is_send:
        posting.take_over(connection, row.message_id, row.id)
        connection.execute(sa.delete(deliveries).where(*edits, deliveries.c.state == "dead"))
    elif row.operation == Operation.EDIT.value:
        posting.absorb_edits(connection, row)
        posting.take_over(connection, row.message_id, row.id)
    end = {"delivery_id": row.id, "ended": row.settled or now, "again": now, "reason": row.reason}
    connection.execute(sa.insert(delivery_ends).values(**end))
    fresh = {"state": "pending", "due_at": now, "attempt": 0, "unknowns": 0, "plain": False, "settled": None}
    fresh["chat_key"] = None  # its channel may have moved since
    connection.execute(sa.update(deliveries).where(deliveries.c.id == row.id).values(reason="", **fresh))
    return Retried(delivery_id, row.channel, again=True, why=row.reason)


def _headlines(connection: sa.Connection, message_ids: Sequence[int]) -> dict[int, str]:
    """The headline of the article that raised each message's first alert."""
    found: dict[int, str] = {}
    for chunk in chunks(message_ids):
        statement = (
            sa.select(message_alerts.c.message_id, articles.c.title)
            .select_from(
                message_alerts.join(alerts, alerts.c.id == message_alerts.c.alert_id)
                .join(hits, hits.c.id == alerts.c.hit_id)
                .join(articles, articles.c.id == hits.c.article_id)
            )
            .where(message_alerts.c.message_id.in_(chunk))
            .order_by(alerts.c.id)
        )
        for message_id, title in connection.execute(statement).tuples():
            found.setdefault(message_id, title)
    return found


def _ends(connection: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[DeliveryEnd, ...]]:
    found: dict[int, tuple[DeliveryEnd, ...]] = {}
    for chunk in chunks(ids):
        statement = sa.select(delivery_ends).where(delivery_ends.c.delivery_id.in_(chunk)).order_by(delivery_ends.c.id)
        for row in connection.execute(statement):
            end = DeliveryEnd(row.ended, row.again, row.reason)
            found[row.delivery_id] = (*found.get(row.delivery_id, ()), end)
    return found


def _row(row: Any, headline: str, ends: tuple[DeliveryEnd, ...]) -> DeliveryRow:
    return DeliveryRow(
        id=row.id,
        message_id=row.message_id,
        channel=row.channel,
        kind=row.kind,
        operation=row.operation,
        state=row.state,
        created=row.created,
        due_at=row.due_at,
        settled=row.settled,
        attempt=row.attempt,
        reason=row.reason,
        headline=headline,
        chat=row.chat,
        external_id=row.external_id,
        ends=ends,
    )
