"""Stored articles, read in order: to fill the story index at a start, and to look again at what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from monitor.model import Article
from monitor.store import dialect
from monitor.store.connection import Database
from monitor.store.feeds import chunks
from monitor.store.records import Filed, Placed
from monitor.store.rows import article_columns, article_of, placed_of
from monitor.store.tables import articles, signatures


class History(Database):
    """The store's part that reads articles back."""

    def articles_since(self, since: datetime, *, after_id: int = 0, limit: int = 500) -> list[Placed]:
        """Articles first seen at `since` or later, with an id above `after_id`, by id: call again with the last id."""
        statement = (
            sa.select(*article_columns())
            .where(articles.c.id > after_id, articles.c.first_seen >= since)
            .order_by(articles.c.id)
            .limit(limit)
        )
        with self._reading() as connection:
            return [placed_of(row) for row in connection.execute(statement)]

    def count_since(self, since: datetime) -> int:
        """How many articles `articles_since` will bring in all."""
        statement = sa.select(sa.func.count()).select_from(articles).where(articles.c.first_seen >= since)
        with self._reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def filed_since(self, since: datetime, *, after_id: int = 0, limit: int = 500) -> list[Filed]:
        """What the story index needs of the articles that `articles_since` brings, without their texts."""
        columns = [articles.c[name] for name in ("id", "story_id", "part", "published", "first_seen")]
        statement = (
            sa.select(*columns, signatures.c.kept)
            .select_from(articles.outerjoin(signatures, signatures.c.article_id == articles.c.id))
            .where(articles.c.id > after_id, articles.c.first_seen >= since)
            .order_by(articles.c.id)
            .limit(limit)
        )
        with self._reading() as connection:
            return [
                Filed(
                    article_id=row.id,
                    story_id=row.story_id,
                    part=row.part or row.story_id,
                    when=min(row.published or row.first_seen, row.first_seen),
                    signature=row.kept,
                )
                for row in connection.execute(statement)
            ]

    def articles_by_id(self, ids: Sequence[int]) -> list[Article]:
        """These articles, by id."""
        found: list[Article] = []
        with self._reading() as connection:
            for chunk in chunks(ids):
                rows = connection.execute(sa.select(*article_columns()).where(articles.c.id.in_(chunk)))
                found += [article_of(row) for row in rows]
        return sorted(found, key=lambda one: one.id or 0)

    def keep_signatures(self, kept: Mapping[int, bytes]) -> None:
        """Keep the signatures of articles, by id, in place of what was kept before."""
        rows = [{"article_id": article_id, "kept": packed} for article_id, packed in kept.items()]
        with self._writing() as connection:
            dialect.upsert(connection, signatures, rows, columns=["article_id"], update=["kept"])

    def drop_signatures(self, before: datetime) -> int:
        """Drop those of articles first seen before that moment; how many."""
        oldest = sa.select(sa.func.min(articles.c.id)).where(articles.c.first_seen >= before)
        with self._writing() as connection:
            end = connection.execute(oldest).scalar()
            old = signatures.c.article_id < end if end is not None else sa.true()
            return connection.execute(sa.delete(signatures).where(old)).rowcount

    def oldest_since(self, since: datetime) -> int:
        """The smallest id of an article first seen at `since` or later; 0 where there is none."""
        with self._reading() as connection:
            oldest = sa.select(sa.func.min(articles.c.id)).where(articles.c.first_seen >= since)
            return int(connection.execute(oldest).scalar() or 0)

    def newest_article(self) -> int:
        """The largest article id; 0 where there is none."""
        with self._reading() as connection:
            return int(connection.execute(sa.select(sa.func.max(articles.c.id))).scalar() or 0)
