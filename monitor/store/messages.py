"""A message as rendering needs it: its alerts, their stories, and the articles with the spans of their hits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from monitor.model import Article, Severity, Span
from monitor.store import developments, replies
from monitor.store.connection import Database
from monitor.store.records import MessageRows, StoryRows
from monitor.store.rows import article_columns, article_of, outlets_by_id, revised, revision_columns, spans_of
from monitor.store.tables import alerts, articles, hits, message_alerts, messages, revisions

LINES = 30  # articles of a story that are read; a message shows fewer
DIGEST_LINES = 6
DIGEST_STORIES = 60
_OF_ALERT = ("id", "rule_id", "story_id", "change", "severity")


class Messages(Database):
    """The store's part that reads messages."""

    def message_rows(self, message_id: int) -> MessageRows:
        """The message as it now is. KeyError where there is none."""
        with self._reading() as connection:
            message = connection.execute(sa.select(messages).where(messages.c.id == message_id)).first()
            if message is None:
                raise KeyError(f"no message {message_id}")
            rows = _alerts(connection, message_id)
            by_story: dict[int, list[Any]] = {}
            for row in rows:
                by_story.setdefault(row.story_id, []).append(row)
            lines = DIGEST_LINES if message.kind == "digest" else LINES
            stories = tuple(
                _about(_story(connection, story_id, of_story, lines, message.article_id), message.article_id)
                for story_id, of_story in list(by_story.items())[:DIGEST_STORIES]
            )
            names = {one.outlet_id for story in stories for one in story.shown()}
            return MessageRows(
                id=message.id,
                kind=message.kind,
                channel=message.channel,
                text=message.text,
                alerts=tuple((row.rule_id, row.story_id) for row in rows),
                alert_ids=tuple(row.id for row in rows),
                stories=stories,
                outlets=outlets_by_id(connection, names),
                why=message.why,
                part=message.part,
                parts=message.parts,
                total=message.total,
                reply_to=replies.reply_to(connection, message),
            )


def _alerts(connection: sa.Connection, message_id: int) -> Sequence[Any]:
    statement = (
        sa.select(*(alerts.c[name] for name in _OF_ALERT), hits.c.article_id)
        .select_from(message_alerts.join(alerts, alerts.c.id == message_alerts.c.alert_id).join(hits, _hit_of_alert()))
        .where(message_alerts.c.message_id == message_id)
        .order_by(alerts.c.id)
    )
    return connection.execute(statement).all()


def _hit_of_alert() -> sa.ColumnElement[bool]:
    return hits.c.id == alerts.c.hit_id


def _about(story: StoryRows, article_id: int | None) -> StoryRows:
    """The story as a message about one of its articles tells it: by that article alone."""
    if article_id is None:
        return story
    return replace(
        story,
        articles=tuple(one for one in story.articles if one[0].id == article_id),
        article_count=1,
        outlet_count=1,
        first=article_id,
        raised=tuple((rule_id, article_id) for rule_id in story.rule_ids),
        changes=tuple(one for one in story.changes if one[1].id == article_id),
    )


def _story(
    connection: sa.Connection, story_id: int, raised: Sequence[Any], lines: int, about: int | None = None
) -> StoryRows:
    """about: an article that must be among those that are read."""
    rule_ids = tuple(dict.fromkeys(row.rule_id for row in raised))
    heads = connection.execute(
        sa.select(articles.c.id, articles.c.outlet_id).where(articles.c.story_id == story_id).order_by(articles.c.id)
    ).all()
    pairs = tuple((row.rule_id, row.article_id) for row in raised)
    lead = pairs[0][1]
    first = heads[0].id if heads else lead
    needed = dict.fromkeys([*([] if about is None else [about]), lead, first, *(one for _, one in pairs)])
    chosen = list(dict.fromkeys([*list(needed)[:lines], *_chosen(heads, lead)]))[:lines]
    rows = connection.execute(sa.select(*article_columns()).where(articles.c.id.in_(chosen)))
    texts = {row.article_id: article_of(row) for row in rows}
    found = _hits(connection, chosen, rule_ids)
    shown = [_with_spans(texts[article_id], found.get(article_id, [])) for article_id in chosen]
    outlet_count = len({head.outlet_id for head in heads})
    return StoryRows(
        story_id,
        rule_ids,
        tuple(shown),
        article_count=len(heads),
        outlet_count=outlet_count,
        first=first,
        raised=pairs,
        changes=developments.changes(connection, story_id),
        denies=developments.denies(connection, story_id),
        denied=developments.denied_by(connection, story_id),
        news=tuple(dict.fromkeys(row.change for row in raised if row.change)),
        high=any(row.severity == Severity.HIGH.value for row in raised),
    )


def _chosen(heads: Sequence[Any], lead: int) -> list[int]:
    """Ids: the lead, then the first article of each other outlet, then the rest, oldest first."""
    outlet_of = {head.id: head.outlet_id for head in heads}
    seen = {outlet_of.get(lead)}
    first: list[int] = []
    rest: list[int] = []
    for head in heads:
        if head.id == lead:
            continue
        (rest if head.outlet_id in seen else first).append(head.id)
        seen.add(head.outlet_id)
    return [lead, *first, *rest]


def _hits(connection: sa.Connection, article_ids: Sequence[int], rule_ids: Sequence[str]) -> dict[int, list[Any]]:
    statement = (
        sa.select(hits.c.article_id, hits.c.spans, *revision_columns())
        .select_from(hits.outerjoin(revisions, revisions.c.id == hits.c.revision_id))
        .where(hits.c.article_id.in_(list(article_ids)), hits.c.rule_id.in_(list(rule_ids)))
        .order_by(hits.c.id)
    )
    found: dict[int, list[Any]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.article_id, []).append(row)
    return found


def _with_spans(article: Article, found: Sequence[Any]) -> tuple[Article, tuple[Span, ...]]:
    """The text that the first hit's spans are of, with the spans of all hits in that text."""
    if not found:
        return article, ()
    same = [row for row in found if row.revision_id == found[0].revision_id]
    return revised(article, found[0]), tuple(sorted({span for row in same for span in spans_of(row.spans)}))
