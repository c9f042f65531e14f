"""The search index: words of articles, added outside the intake, so that no alert waits for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from monitor.store import dialect
from monitor.store.connection import Database
from monitor.store.tables import articles

TURN = 100_000
_INDEXED = sa.table("article_words", sa.column("article_id", sa.Integer))


class Search(Database):
    """The store's part that indexes."""

    def index_pending(self, index_text: Callable[[str], str], limit: int = 200) -> int:
        """Index some articles that search does not find yet, the oldest first; how many that were.

        They are `limit` at most, and no more than holds TURN code points, so that nobody waits long for the database.
        index_text: a text → its words as they are looked up, separated by spaces.
        """
        newest = sa.select(sa.func.coalesce(sa.func.max(_INDEXED.c.article_id), 0)).scalar_subquery()
        statement = (
            sa.select(articles.c.id, articles.c.title, articles.c.summary, articles.c.body)
            .where(articles.c.id > newest)
            .order_by(articles.c.id)
            .limit(limit)
        )
        with self._reading() as connection:
            found = _turn(connection.execute(statement).all())
        rows = [
            {"id": row.id, "words": dialect.index_words(index_text("\n".join((row.title, row.summary, row.body))))}
            for row in found
        ]
        if rows:
            with self._writing() as connection:
                dialect.exclude_others(connection, dialect.INDEX_LOCK)
                done = {
                    one
                    for (one,) in connection.execute(
                        sa.select(_INDEXED.c.article_id).where(_INDEXED.c.article_id >= rows[0]["id"])
                    )
                }
                dialect.add_to_index(connection, [row for row in rows if row["id"] not in done])
        return len(rows)


def _turn(rows: Sequence[Any]) -> Sequence[Any]:
    """The first of the articles: at least one, and no more than hold TURN code points."""
    total = 0
    for number, row in enumerate(rows):
        total += len(row.summary) + len(row.body)
        if total > TURN and number:
            return rows[:number]
    return rows
