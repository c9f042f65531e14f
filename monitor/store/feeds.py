"""Feeds in the store: what is configured, what is due, who polls it, and which entries are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from monitor.model import Article, Feed, FeedState
from monitor.store import dialect
from monitor.store.connection import Database
from monitor.store.tables import articles, entry_hashes, feeds, gone_keys, other_keys, outlets, revisions

CHUNK = 400  # bound parameters a statement; SQLite's oldest limit is 999
CLOCK_SLACK = timedelta(seconds=10)  # clocks of several machines may differ by this much
TOUCH = timedelta(days=1)  # how exactly last_seen is kept

T = TypeVar("T")

_STATE = tuple(field.name for field in fields(FeedState))


def chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in pieces that fit into one statement."""
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def feed_values(state: FeedState) -> dict[str, Any]:
    """The columns to write when a poll has ended; this also ends its claim."""
    values = {name: getattr(state, name) for name in _STATE if name != "feed_id"}
    return {**values, "claimed_by": None, "claimed_until": None}


def write_feed(connection: sa.Connection, state: FeedState) -> None:
    connection.execute(sa.update(feeds).where(feeds.c.feed_id == state.feed_id).values(feed_values(state)))


class Feeds(Database):
    """The store's part that polling needs."""

    def sync_feeds(self, configured: Sequence[Feed], now: datetime) -> None:
        """Make the store know the catalogue: new feeds are due at once, a changed URL starts afresh, others rest."""
        with self._writing() as connection:
            dialect.upsert(
                connection,
                outlets,
                [
                    {column.name: getattr(outlet, column.name) for column in outlets.c}
                    for outlet in {feed.outlet.id: feed.outlet for feed in configured}.values()
                ],
                columns=["id"],
                update=["name_ar", "name_en", "country", "language"],
            )
            present = dict(connection.execute(sa.select(feeds.c.feed_id, feeds.c.configured_url)).tuples().all())
            wanted = {dialect.bounded(feed.id): feed for feed in configured}
            fresh = [_fresh(feed, now) for feed_id, feed in wanted.items() if feed_id not in present]
            if fresh:
                connection.execute(sa.insert(feeds), fresh)
            for feed_id, feed in wanted.items():
                if feed_id in present and present[feed_id] != dialect.clean(feed.url):
                    connection.execute(sa.update(feeds).where(feeds.c.feed_id == feed_id).values(_fresh(feed, now)))
            _activate(connection, wanted)

    def feed_states(self) -> dict[str, FeedState]:
        """What is remembered of every feed that was ever configured, by id."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(*_columns()).order_by(feeds.c.feed_id))
            return {row.feed_id: _state(row) for row in rows}

    def claim_feeds(
        self,
        now: datetime,
        *,
        limit: int,
        lease: timedelta,
        only: Sequence[str] | None = None,
        force: bool = False,
    ) -> list[FeedState]:
        """Take up to `limit` due feeds, the longest due first; nobody else gets them until save_feed or `lease`.

        only: of these feeds. force: also those that are not due or were stopped. Where the clock was put back, a feed
        that was polled in what is now the future is due, and a claim that reaches too far into it counts for nothing.
        """
        too_far = feeds.c.claimed_until > now + lease + CLOCK_SLACK
        free = sa.or_(feeds.c.claimed_until.is_(None), feeds.c.claimed_until <= now, too_far)
        put_back = sa.or_(feeds.c.last_polled.is_(None), feeds.c.last_polled > now + CLOCK_SLACK)
        statement = (
            sa.select(*_columns()).where(feeds.c.active, free).order_by(feeds.c.next_due, feeds.c.feed_id).limit(limit)
        )
        if not force:
            statement = statement.where(sa.or_(feeds.c.next_due <= now, put_back), feeds.c.stopped.is_(None))
        if only is not None:
            statement = statement.where(feeds.c.feed_id.in_(only))
        with self._writing() as connection:
            claimed = [_state(row) for row in connection.execute(dialect.lock_rows(statement, skip_locked=True))]
            if claimed:
                connection.execute(
                    sa.update(feeds)
                    .where(feeds.c.feed_id.in_([state.feed_id for state in claimed]))
                    .values(claimed_by=self.owner, claimed_until=now + lease)
                )
            return claimed

    def release_feeds(self, *, only: Sequence[str] | None = None, everyones: bool = False) -> None:
        """Give up this process's claims (everyones: all), so that what was not polled is due at once."""
        mine = sa.true() if everyones else feeds.c.claimed_by == self.owner
        chosen = mine if only is None else sa.and_(mine, feeds.c.feed_id.in_(only))
        with self._writing() as connection:
            connection.execute(sa.update(feeds).where(chosen).values(claimed_by=None, claimed_until=None))

    def save_feed(self, state: FeedState) -> None:
        """Remember what a poll found out, and end its claim."""
        with self._writing() as connection:
            write_feed(connection, state)

    def known_hashes(self, feed_id: str, hashes: Iterable[str]) -> set[str]:
        """Those of the entry hashes that were taken in before."""
        now = self._now()
        wanted = list(dict.fromkeys(hashes))
        known: set[str] = set()
        stale: list[str] = []
        with self._reading() as connection:
            for chunk in chunks(wanted):
                statement = sa.select(entry_hashes.c.hash, entry_hashes.c.last_seen).where(
                    entry_hashes.c.feed_id == feed_id, entry_hashes.c.hash.in_(chunk)
                )
                for row in connection.execute(statement):
                    known.add(row.hash)
                    if row.last_seen < now - TOUCH:
                        stale.append(row.hash)
        if stale and not self.read_only:
            self._touch(entry_hashes, entry_hashes.c.hash, feed_id, stale, now)
        return known

    def unseen(self, found: Sequence[Article]) -> list[Article]:
        """Those that are new, or whose content is: an unknown key, or a known one with content not seen under it."""
        by_feed: dict[str, list[Article]] = {}
        for article in found:
            by_feed.setdefault(article.feed_id, []).append(article)
        contents: dict[tuple[str, str], set[str] | None] = {}
        for feed_id, group in by_feed.items():
            contents.update(self._contents(feed_id, [dialect.bounded(article.key) for article in group]))
        return [article for article in found if not _is_known(article, contents)]

    def _contents(self, feed_id: str, keys: Sequence[str]) -> Mapping[tuple[str, str], set[str] | None]:
        """By (feed, key): the content hashes seen; None for a key whose article was pruned."""
        now = self._now()
        contents: dict[tuple[str, str], set[str] | None] = {}
        stale: list[str] = []
        with self._reading() as connection:
            for chunk in chunks(keys):
                for row in connection.execute(_hashes_of(feed_id, chunk)):
                    seen = contents.setdefault((feed_id, row.key), set())
                    if seen is not None:
                        seen.update(value for value in (row.content_hash, row.revised) if value is not None)
                gone = sa.select(gone_keys.c.key, gone_keys.c.last_seen).where(
                    gone_keys.c.feed_id == feed_id, gone_keys.c.key.in_(chunk)
                )
                for row in connection.execute(gone):
                    contents[feed_id, row.key] = None
                    if row.last_seen < now - TOUCH:
                        stale.append(row.key)
        if stale and not self.read_only:
            self._touch(gone_keys, gone_keys.c.key, feed_id, stale, now)
        return contents

    def _touch(
        self, table: sa.Table, column: sa.Column[Any], feed_id: str, values: Sequence[str], now: datetime
    ) -> None:
        with self._writing() as connection:
            for chunk in chunks(values):
                connection.execute(
                    sa.update(table).where(table.c.feed_id == feed_id, column.in_(chunk)).values(last_seen=now)
                )


def _is_known(article: Article, contents: Mapping[tuple[str, str], set[str] | None]) -> bool:
    place = (article.feed_id, dialect.bounded(article.key))
    if place not in contents:
        return False
    seen = contents[place]
    return seen is None or dialect.bounded(article.content_hash) in seen


def _hashes_of(feed_id: str, keys: Sequence[str]) -> sa.CompoundSelect[Any]:
    """(key, content hash, a later version's content hash) of the articles known under these keys."""
    seen = articles.outerjoin(revisions, revisions.c.article_id == articles.c.id)
    contents = articles.c.content_hash, revisions.c.content_hash.label("revised")
    also = sa.select(other_keys.c.key, *contents).select_from(
        seen.join(other_keys, other_keys.c.article_id == articles.c.id)
    )
    return sa.union_all(
        sa.select(articles.c.key, *contents)
        .select_from(seen)
        .where(articles.c.feed_id == feed_id, articles.c.key.in_(keys)),
        also.where(other_keys.c.feed_id == feed_id, other_keys.c.key.in_(keys)),
    )


def _columns() -> list[sa.Column[Any]]:
    return [feeds.c[name] for name in _STATE]


def _state(row: Any) -> FeedState:
    return FeedState(**{name: getattr(row, name) for name in _STATE})


def _fresh(feed: Feed, now: datetime) -> dict[str, Any]:
    state = FeedState(feed_id=feed.id, next_due=now)
    return {**feed_values(state), "feed_id": feed.id, "configured_url": feed.url, "active": feed.enabled}


def _activate(connection: sa.Connection, wanted: Mapping[str, Feed]) -> None:
    present = connection.execute(sa.select(feeds.c.feed_id, feeds.c.active)).tuples().all()
    for active in (True, False):
        changed = [
            feed_id
            for feed_id, was in present
            if was != active and (feed_id in wanted and wanted[feed_id].enabled) == active
        ]
        for chunk in chunks(changed):
            connection.execute(sa.update(feeds).where(feeds.c.feed_id.in_(chunk)).values(active=active))
