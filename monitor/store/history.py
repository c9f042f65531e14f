"""Stored articles, read in order: to fill the story index at a start, and to look again at what is there."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from monitor.store.connection import Database
from monitor.store.records import Placed
from monitor.store.rows import article_columns, placed_of
from monitor.store.tables import articles


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

    def newest_article(self) -> int:
        """The largest article id; 0 where there is none."""
        with self._reading() as connection:
            return int(connection.execute(sa.select(sa.func.max(articles.c.id))).scalar() or 0)
