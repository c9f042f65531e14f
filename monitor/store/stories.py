"""Stories read back: which there were, and all that is known of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from monitor.store import dialect, overruling
from monitor.store.connection import Database
from monitor.store.reading import search_groups
from monitor.store.records import Page, Revision, StoryArticle, StoryFilter, StoryHead, StoryRecord
from monitor.store.rows import article_columns, article_of, outlets_by_id, revised, revision_columns
from monitor.store.tables import alerts, articles, hits, revisions, stories

_PLACED = ("how", "detail", "similarity", "change", "denies")  # columns of an article's placement


class Stories(Database):
    """The store's part that tells of stories."""

    def stories(self, wanted: StoryFilter) -> Page[StoryHead]:
        """Stories, those opened last first."""
        with self._reading() as connection:
            statement = _filtered(connection, wanted).order_by(stories.c.id.desc()).limit(wanted.limit + 1)
            ids = list(connection.execute(statement).scalars())
            found = ids[: wanted.limit]
            heads = _heads(connection, found)
        return Page(tuple(heads[one] for one in found), found[-1] if len(ids) > wanted.limit else None)

    def story_record(self, story_id: int) -> StoryRecord | None:
        """All that is known of a story; None where there is none of that number."""
        with self._reading() as connection:
            if connection.execute(sa.select(stories.c.id).where(stories.c.id == story_id)).first() is None:
                return None
            head = _heads(connection, [story_id])[story_id]
            told = _told(connection, articles.c.story_id == story_id)
            decided = overruling.overrules_of(connection, story_id)
            denying = sa.select(articles.c.story_id).where(articles.c.denies == story_id).distinct()
            deniers = sorted(set(connection.execute(denying).scalars()) - {story_id})
        told.sort(key=lambda one: (one.article.when, one.article.id or 0))
        return StoryRecord(head, tuple(told), tuple(decided), tuple(deniers))

    def story_articles(self, ids: Sequence[int]) -> dict[int, StoryArticle]:
        """Articles in their stories, by id; those that are not there are left out."""
        with self._reading() as connection:
            told = _told(connection, articles.c.id.in_(ids))
        return {one.article.id: one for one in told if one.article.id is not None}

    def became(self, story_id: int) -> int | None:
        """The story that a merged one is part of now; None where it was never merged."""
        with self._reading() as connection:
            return overruling.became(connection, story_id)


def _filtered(connection: sa.Connection, wanted: StoryFilter) -> sa.Select[Any]:
    of_story = articles.c.story_id == stories.c.id
    inside: list[sa.ColumnElement[bool]] = []
    if wanted.outlet is not None:
        inside.append(articles.c.outlet_id == wanted.outlet)
    wants, unwanted = search_groups(wanted.text or "")
    if wants:
        inside.append(dialect.search_condition(connection, wants, unwanted, articles.c.id))
    statement = sa.select(stories.c.id)
    if inside:
        statement = statement.where(sa.exists().where(of_story, *inside))
    if wanted.since is not None:
        statement = statement.where(sa.exists().where(of_story, articles.c.first_seen >= wanted.since))
    if wanted.until is not None:
        statement = statement.where(stories.c.opened < wanted.until)
    if wanted.rule is not None:
        statement = statement.where(sa.exists().where(hits.c.story_id == stories.c.id, hits.c.rule_id == wanted.rule))
    if wanted.min_outlets > 1:
        carried = sa.select(sa.func.count(articles.c.outlet_id.distinct())).where(of_story).scalar_subquery()
        statement = statement.where(carried >= wanted.min_outlets)
    if wanted.before_id is not None:
        statement = statement.where(stories.c.id < wanted.before_id)
    return statement


def _heads(connection: sa.Connection, ids: Sequence[int]) -> dict[int, StoryHead]:
    run = connection.execute
    opened = dict(run(sa.select(stories.c.id, stories.c.opened).where(stories.c.id.in_(ids))).tuples().all())
    lines: dict[int, list[Any]] = {one: [] for one in ids}
    of = sa.select(
        articles.c.story_id, articles.c.outlet_id, articles.c.title, articles.c.published, articles.c.first_seen
    )
    for line in run(of.where(articles.c.story_id.in_(ids)).order_by(articles.c.id)):
        lines[line.story_id].append(line)
    alerted: dict[int, list[str]] = {one: [] for one in ids}
    told = sa.select(alerts.c.story_id, alerts.c.rule_id).where(alerts.c.story_id.in_(ids)).order_by(alerts.c.id)
    for alert in run(told):
        alerted[alert.story_id].append(alert.rule_id)
    return {
        one: StoryHead(
            id=one,
            opened=opened[one],
            newest=max((row.first_seen for row in lines[one]), default=opened[one]),
            headline=next((row.title for row in lines[one] if row.title), ""),
            outlets=tuple(dict.fromkeys(row.outlet_id for row in lines[one])),
            article_count=len(lines[one]),
            alerted=tuple(dict.fromkeys(alerted[one])),
        )
        for one in ids
    }


def _told(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[StoryArticle]:
    columns = (*article_columns(), *(articles.c[name] for name in _PLACED))
    rows = connection.execute(sa.select(*columns).where(which)).all()
    hit_by = _rules(connection, [row.article_id for row in rows])
    later = _revisions(connection, {row.article_id: row for row in rows})
    names = outlets_by_id(connection, {row.article_outlet_id for row in rows})
    return [
        StoryArticle(
            story_id=row.article_story_id,
            article=article_of(row),
            outlet=names.get(row.article_outlet_id),
            how=row.how,
            detail=row.detail,
            similarity=row.similarity,
            rules=hit_by.get(row.article_id, ()),
            revisions=later.get(row.article_id, ()),
            part=row.article_part,
            change=row.change,
            denies=row.denies,
        )
        for row in rows
    ]


def _rules(connection: sa.Connection, article_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The rules that hit each article."""
    statement = sa.select(hits.c.article_id, hits.c.rule_id).where(hits.c.article_id.in_(list(article_ids)))
    found: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(statement.order_by(hits.c.id)):
        found[row.article_id] = (*found.get(row.article_id, ()), row.rule_id)
    return found


def _revisions(connection: sa.Connection, of: dict[int, Any]) -> dict[int, tuple[Revision, ...]]:
    statement = (
        sa.select(*revision_columns(), revisions.c.article_id.label("of"), revisions.c.seen, revisions.c.change)
        .where(revisions.c.article_id.in_(list(of)))
        .order_by(revisions.c.id)
    )
    found: dict[int, tuple[Revision, ...]] = {}
    for row in connection.execute(statement):
        later = Revision(row.seen, revised(article_of(of[row.of]), row), row.change)
        found[row.of] = (*found.get(row.of, ()), later)
    return found
