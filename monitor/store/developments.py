"""How a story went on: tolls that rose, what it denies, what denies it. Works on a connection of the caller's."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from monitor.model import Article
from monitor.store.rows import article_columns, article_of, revised, revision_columns
from monitor.store.tables import articles, revisions

SHOWN = 3  # changes, the newest


def changes(connection: sa.Connection, story_id: int, limit: int = SHOWN) -> tuple[tuple[str, Article], ...]:
    """The last numbers that changed, oldest first, each with the article that said so; a later version of an article
    bears the moment at which it was seen."""
    run = connection.execute
    joined = (
        sa.select(*article_columns(), articles.c.change)
        .where(articles.c.story_id == story_id, articles.c.change != "")
        .order_by(articles.c.id.desc())
        .limit(limit)
    )
    later = (
        sa.select(*article_columns(), *revision_columns(), revisions.c.change, revisions.c.seen)
        .select_from(revisions.join(articles, articles.c.id == revisions.c.article_id))
        .where(articles.c.story_id == story_id, revisions.c.change != "")
        .order_by(revisions.c.id.desc())
        .limit(limit)
    )
    found = [(row.change, article_of(row)) for row in run(joined)]
    found += [
        (row.change, replace(revised(article_of(row), row), published=row.seen, first_seen=row.seen))
        for row in run(later)
    ]
    return tuple(sorted(found, key=lambda one: one[1].when)[-limit:])


def denied_by(connection: sa.Connection, story_id: int) -> Article | None:
    """The first article of another story that denies or corrects this one."""
    return _first(connection, sa.and_(articles.c.denies == story_id, articles.c.story_id != story_id))


def denies(connection: sa.Connection, story_id: int) -> Article | None:
    """The first article of the story that this story denies or corrects."""
    denied = sa.select(articles.c.denies).where(articles.c.story_id == story_id, articles.c.denies.is_not(None))
    target = connection.execute(denied.order_by(articles.c.id).limit(1)).scalar()
    return _first(connection, articles.c.story_id == target) if target is not None and target != story_id else None


def _first(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Article | None:
    row = connection.execute(sa.select(*article_columns()).where(condition).order_by(articles.c.id).limit(1)).first()
    return article_of(row) if row is not None else None
