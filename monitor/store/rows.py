"""Rows to nouns, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from monitor.model import Article, Decision, Hit, Outlet, Placement, Span
from monitor.store.records import Placed
from monitor.store.tables import articles, hits, outlets, revisions

ARTICLE_COLUMNS = (
    *("feed_id", "outlet_id", "key", "url", "canonical_url", "title", "summary", "body", "author", "language"),
    *("published", "first_seen", "content_hash", "entry_hash"),
)
_TEXTS = ("url", "title", "summary", "body", "author")


def article_values(article: Article, story_id: int, placement: Placement, *, first_poll: bool) -> dict[str, Any]:
    values = {name: getattr(article, name) for name in ARTICLE_COLUMNS}
    return {
        **values,
        "tags": list(article.tags),
        "story_id": story_id,
        "part": placement.story_id if placement.story_id != story_id else None,
        "first_poll": first_poll,
        "how": placement.how,
        "detail": placement.detail,
        "similarity": placement.similarity,
        "change": placement.change,
        "denies": placement.denies,
    }


def article_columns() -> list[sa.Label[Any]]:
    """The columns of an article, labelled so that they may stand beside others."""
    names = ("id", "story_id", "part", "tags", *ARTICLE_COLUMNS)
    return [articles.c[name].label(f"article_{name}") for name in names]


def article_of(row: Any) -> Article:
    values = {name: getattr(row, f"article_{name}") for name in ARTICLE_COLUMNS}
    return Article(**values, tags=tuple(row.article_tags), id=row.article_id)


def placed_of(row: Any) -> Placed:
    return Placed(article_of(row), row.article_story_id, row.article_part or row.article_story_id)


def revision_columns() -> list[sa.Label[Any]]:
    return [revisions.c[name].label(f"revision_{name}") for name in ("id", "content_hash", "tags", *_TEXTS)]


def revised(article: Article, row: Any) -> Article:
    """The article with the text of the revision in the row, if there is one."""
    if row.revision_id is None:
        return article
    texts: dict[str, Any] = {name: getattr(row, f"revision_{name}") for name in _TEXTS}
    return replace(article, **texts, tags=tuple(row.revision_tags), content_hash=row.revision_content_hash)


def spans_to_json(spans: Sequence[Span]) -> list[list[object]]:
    return [[span.field, span.start, span.end, span.term] for span in spans]


def spans_of(stored: Sequence[Sequence[Any]]) -> tuple[Span, ...]:
    return tuple(Span(*span) for span in stored)


def hit_columns() -> list[sa.Label[Any]]:
    names = ("id", "rule_id", "article_id", "story_id", "spans", "decision", "code", "detail", "created", "until")
    return [hits.c[name].label(f"hit_{name}") for name in names]


def hit_of(row: Any) -> Hit:
    return Hit(
        id=row.hit_id,
        rule_id=row.hit_rule_id,
        article_id=row.hit_article_id,
        story_id=row.hit_story_id,
        spans=spans_of(row.hit_spans),
        decision=Decision(row.hit_decision),
        code=row.hit_code,
        detail=row.hit_detail,
        created=row.hit_created,
        until=row.hit_until,
    )


def outlets_by_id(connection: sa.Connection, ids: Iterable[str]) -> dict[str, Outlet]:
    """The outlets of these ids, as last configured."""
    rows = connection.execute(sa.select(outlets).where(outlets.c.id.in_(sorted(ids))))
    return {row.id: Outlet(row.id, row.name_ar, row.name_en, row.country, row.language) for row in rows}
