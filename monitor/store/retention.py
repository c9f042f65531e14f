"""Retention: removing what is older than the setting says, a batch at a time, so that no intake waits long for it.

The law: nothing that may still be sent is removed, and what was once taken in never comes back as new: the keys of
removed articles are kept for as long as a feed still carries them, and a while longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.model import Decision
from monitor.store import dialect, silences
from monitor.store.connection import Database, undisturbed
from monitor.store.fates import fate
from monitor.store.records import PruneReport
from monitor.store.tables import (
    actions,
    alerts,
    articles,
    deliveries,
    entry_hashes,
    gone_keys,
    hits,
    message_alerts,
    messages,
    notices,
    other_keys,
    overrules,
    removed_hits,
    revisions,
    signatures,
    stories,
)

BATCH = 200  # stories in one transaction
REMEMBER = timedelta(days=180)  # after a feed last carried an entry, its key is forgotten


class Retention(Database):
    """The store's part that forgets."""

    def prune(
        self,
        now: datetime,
        keep: timedelta,
        *,
        batch: int = BATCH,
        progress: Callable[[PruneReport], None] | None = None,
    ) -> PruneReport:
        """Go through all of prune_steps; what was removed. progress: told after each step what was removed so far."""
        total = PruneReport()
        for total in self.prune_steps(now, keep, batch=batch):
            if progress:
                progress(total)
        return total

    def prune_steps(self, now: datetime, keep: timedelta, *, batch: int = BATCH) -> Iterator[PruneReport]:
        """Remove the stories whose articles are all older than `keep`, with everything about them, a batch a step.

        Stories with a message that may still be sent or edited, or with a held hit, stay. Each step is a transaction
        of its own and yields what was removed so far.
        """
        total = PruneReport()
        while (gone := undisturbed(self._remove_some, now, keep, batch)) is not None:
            total = _sum(total, gone)
            yield total
        total = _sum(total, undisturbed(self._forget, now, keep))
        dialect.give_back_space(self._engine)
        yield total

    def _remove_some(self, now: datetime, keep: timedelta, batch: int) -> PruneReport | None:
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.INTAKE_LOCK)
            gone = _old_stories(connection, now - keep, batch)
            return _remove(connection, gone, now) if gone else None

    def _forget(self, now: datetime, keep: timedelta) -> PruneReport:
        with self._writing() as connection:
            return _forget(connection, now, keep)


def _old_stories(connection: sa.Connection, before: datetime, limit: int) -> list[int]:
    fresh = sa.exists().where(articles.c.story_id == stories.c.id, articles.c.first_seen >= before)
    held = sa.exists().where(hits.c.story_id == stories.c.id, hits.c.decision == Decision.HELD.value)
    waiting = (
        sa.select(sa.literal(1))
        .select_from(
            alerts.join(message_alerts, message_alerts.c.alert_id == alerts.c.id).join(
                deliveries, deliveries.c.message_id == message_alerts.c.message_id
            )
        )
        .where(alerts.c.story_id == stories.c.id, deliveries.c.state.not_in(("sent", "dead")))
        .exists()
    )
    statement = (
        sa.select(stories.c.id)
        .where(stories.c.opened < before, ~fresh, ~held, ~waiting)
        .order_by(stories.c.id)
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())


def _remove(connection: sa.Connection, story_ids: list[int], now: datetime) -> PruneReport:
    run = connection.execute
    old = run(
        sa.select(articles.c.id, articles.c.feed_id, articles.c.key, articles.c.entry_hash).where(
            articles.c.story_id.in_(story_ids)
        )
    ).all()
    ids = [row.id for row in old]
    known = [{"feed_id": row.feed_id, "key": row.key, "entry_hash": row.entry_hash, "last_seen": now} for row in old]
    also = run(
        sa.select(other_keys.c.feed_id, other_keys.c.key)
        .join(articles, articles.c.id == other_keys.c.article_id)
        .where(articles.c.story_id.in_(story_ids))
    )
    known += [{"feed_id": row.feed_id, "key": row.key, "entry_hash": "", "last_seen": now} for row in also]
    dialect.insert_new(connection, gone_keys, known, columns=["feed_id", "key"])
    _count_removed(connection, story_ids)
    alert_ids = list(run(sa.select(alerts.c.id).where(alerts.c.story_id.in_(story_ids))).scalars())
    shown = sa.select(message_alerts.c.message_id).where(message_alerts.c.alert_id.in_(alert_ids))
    message_ids = sorted({*run(shown).scalars(), *run(_story_messages(story_ids)).scalars()})
    run(sa.delete(message_alerts).where(message_alerts.c.alert_id.in_(alert_ids)))
    still = set(
        run(sa.select(message_alerts.c.message_id).where(message_alerts.c.message_id.in_(message_ids))).scalars()
    )
    messages_gone = remove_messages(connection, [one for one in message_ids if one not in still])
    _hand_over(connection, story_ids)
    run(sa.delete(alerts).where(alerts.c.id.in_(alert_ids)))
    hits_gone = run(sa.delete(hits).where(hits.c.story_id.in_(story_ids))).rowcount
    for chunk in (ids[at : at + 400] for at in range(0, len(ids), 400)):
        dialect.remove_from_index(connection, chunk)
        run(sa.delete(revisions).where(revisions.c.article_id.in_(chunk)))
        run(sa.delete(other_keys).where(other_keys.c.article_id.in_(chunk)))
        run(sa.delete(signatures).where(signatures.c.article_id.in_(chunk)))
        run(sa.delete(articles).where(articles.c.id.in_(chunk)))
    run(sa.delete(stories).where(stories.c.id.in_(story_ids)))
    return PruneReport(len(ids), len(story_ids), hits_gone, len(alert_ids), messages_gone)


def _count_removed(connection: sa.Connection, story_ids: list[int]) -> None:
    """Keep in numbers what became of the hits of stories that go: the ledger is of every hit there ever was."""
    gone = connection.execute(sa.select(hits.c.created, hits.c.rule_id, fate()).where(hits.c.story_id.in_(story_ids)))
    counts = Counter((row.created.date().isoformat(), row.rule_id, row.fate) for row in gone)
    table = removed_hits.c
    for (day, rule_id, one), number in counts.items():
        key = (table.day == day, table.rule_id == rule_id, table.fate == one)
        more = sa.update(removed_hits).where(*key).values(hits=table.hits + number)
        if not connection.execute(more).rowcount:
            row = {"day": day, "rule_id": rule_id, "fate": one, "hits": number}
            connection.execute(sa.insert(removed_hits).values(**row))


def _story_messages(story_ids: list[int]) -> sa.Select[tuple[int]]:
    return sa.select(messages.c.id).where(messages.c.story_id.in_(story_ids))


def _hand_over(connection: sa.Connection, story_ids: list[int]) -> None:
    """Let the messages that stay, since they tell of another story too (a split makes such), be that one's, unless its
    channel has a message of it already."""
    run = connection.execute
    ours = sa.select(messages.c.id, messages.c.kind, messages.c.channel).where(messages.c.story_id.in_(story_ids))
    for message in run(ours.order_by(messages.c.id)).all():
        told = sa.select(messages.c.story_id).where(
            messages.c.channel == message.channel, messages.c.kind == "story", messages.c.story_id.is_not(None)
        )
        carried = (
            sa.select(sa.func.min(alerts.c.story_id))
            .select_from(message_alerts.join(alerts, alerts.c.id == message_alerts.c.alert_id))
            .where(message_alerts.c.message_id == message.id)
        )
        free = carried.where(alerts.c.story_id.not_in(told)) if message.kind == "story" else carried
        run(sa.update(messages).where(messages.c.id == message.id).values(story_id=run(free).scalar()))


def remove_messages(connection: sa.Connection, ids: list[int]) -> int:
    """Remove messages with their deliveries; how many. Their alerts must have been taken off before."""
    run = connection.execute
    run(sa.update(notices).where(notices.c.message_id.in_(ids)).values(message_id=None))
    run(sa.delete(deliveries).where(deliveries.c.message_id.in_(ids)))
    return run(sa.delete(messages).where(messages.c.id.in_(ids))).rowcount


def _forget(connection: sa.Connection, now: datetime, keep: timedelta) -> PruneReport:
    """Old messages to the operator, old overrules and silences, and the keys of entries that no feed carries more."""
    run = connection.execute
    open_ = sa.exists().where(deliveries.c.message_id == messages.c.id, deliveries.c.state.not_in(("sent", "dead")))
    told = run(
        sa.select(messages.c.id)
        .where(messages.c.kind.in_(("operator", "test")), messages.c.created < now - keep, ~open_)
        .limit(500)
    ).scalars()
    messages_gone = remove_messages(connection, list(told))
    forgotten = max(keep, REMEMBER)
    hashes = run(sa.delete(entry_hashes).where(entry_hashes.c.last_seen < now - forgotten)).rowcount
    run(sa.delete(overrules).where(overrules.c.created < now - keep))
    run(sa.delete(actions).where(actions.c.at < now - keep))
    silences.forget(connection, now - keep)
    keys = run(sa.delete(gone_keys).where(gone_keys.c.last_seen < now - forgotten)).rowcount
    return PruneReport(messages=messages_gone, entry_hashes=hashes, keys=keys)


def _sum(one: PruneReport, other: PruneReport) -> PruneReport:
    return PruneReport(*(getattr(one, f.name) + getattr(other, f.name) for f in fields(PruneReport)))
