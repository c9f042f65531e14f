"""Reading the ledger back: hits, alerts, and the numbers of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from monitor.model import ESCALATED, Decision, Hit, Severity
from monitor.store import dialect
from monitor.store.connection import Database
from monitor.store.fates import OF_THEIR_OWN, account, fate
from monitor.store.records import (
    AlertRow,
    DatabaseInfo,
    Delays,
    HitFilter,
    HitRow,
    Ledger,
    Page,
    Post,
    Status,
)
from monitor.store.rows import (
    article_columns,
    article_of,
    hit_columns,
    hit_of,
    outlets_by_id,
    revised,
    revision_columns,
    spans_of,
)
from monitor.store.tables import (
    alerts,
    articles,
    deliveries,
    feedback,
    feeds,
    hits,
    message_alerts,
    messages,
    metadata,
    removed_hits,
    revisions,
    stories,
)

WINDOW = timedelta(days=1)
_ENDED = ("sent", "dead")


class Reading(Database):
    """The store's part that people read."""

    def hits(self, wanted: HitFilter) -> Page[HitRow]:
        """Hits, the newest first."""
        statement = (
            sa.select(*hit_columns(), hits.c.score, hits.c.decided, fate(), *article_columns(), *revision_columns())
            .select_from(
                hits.join(articles, articles.c.id == hits.c.article_id).outerjoin(
                    revisions, revisions.c.id == hits.c.revision_id
                )
            )
            .order_by(hits.c.id.desc())
            .limit(wanted.limit + 1)
        )
        with self._reading() as connection:
            statement = _filtered(connection, statement, wanted, hits)
            if wanted.fate is not None:
                statement = statement.where(fate() == wanted.fate)
            rows = connection.execute(statement).all()
            found = rows[: wanted.limit]
            posts = _posts(connection, {(row.hit_rule_id, row.hit_story_id) for row in found})
            names = outlets_by_id(connection, {row.article_outlet_id for row in found})
        made = []
        for row in found:
            hit = hit_of(row)
            key = (hit.rule_id, hit.story_id)
            sent = (posts.get((*key, hit.id)) if hit.code in OF_THEIR_OWN else None) or posts.get((*key, 0), ())
            article = revised(article_of(row), row)
            outlet = names.get(article.outlet_id)
            why, at = _why(row.fate, hit, sent), _at(row.fate, row.hit_created, row.decided, sent)
            until = _until(row.fate, hit, sent)
            made.append(HitRow(hit, article, outlet, row.fate, why, at, until, row.score, sent))
        return Page(tuple(made), found[-1].hit_id if len(rows) > wanted.limit else None)

    def alerts(self, wanted: HitFilter) -> Page[AlertRow]:
        """Alerts, the newest first; `decision` of the filter plays no part."""
        statement = (
            sa.select(alerts, hits.c.spans, hits.c.code, *article_columns(), *revision_columns())
            .select_from(
                alerts.join(hits, hits.c.id == alerts.c.hit_id)
                .join(articles, articles.c.id == hits.c.article_id)
                .outerjoin(revisions, revisions.c.id == hits.c.revision_id)
            )
            .order_by(alerts.c.id.desc())
            .limit(wanted.limit + 1)
        )
        with self._reading() as connection:
            rows = connection.execute(_filtered(connection, statement, wanted, alerts)).all()
            found = rows[: wanted.limit]
            posts = _posts(connection, {(row.rule_id, row.story_id) for row in found})
            carried = _carried(connection, {row.story_id for row in found})
            unfit = _not_relevant(connection, {row.hit_id for row in found})
        made = [
            AlertRow(
                id=row.id,
                rule_id=row.rule_id,
                story_id=row.story_id,
                hit_id=row.hit_id,
                severity=Severity(row.severity),
                created=row.created,
                digest=row.digest,
                change=row.change,
                why=ESCALATED if row.change == ESCALATED else row.code,
                article=revised(article_of(row), row),
                spans=spans_of(row.spans),
                outlets=tuple(dict.fromkeys(carried[row.story_id])),
                article_count=len(carried[row.story_id]),
                posts=posts.get((row.rule_id, row.story_id, row.hit_id if row.change else 0), ()),
                not_relevant=unfit.get(row.hit_id, ()),
            )
            for row in found
        ]
        return Page(tuple(made), found[-1].id if len(rows) > wanted.limit else None)

    def held_back(self, wanted: HitFilter) -> dict[str, int]:
        """How many hits alert nobody, or not yet, by reason, the most frequent first; a page's bounds play no part."""
        count = sa.func.count()
        statement = sa.select(hits.c.code, count).select_from(hits.join(articles, articles.c.id == hits.c.article_id))
        statement = statement.where(hits.c.decision.in_((Decision.HELD.value, Decision.MUTED.value)))
        statement = statement.group_by(hits.c.code).order_by(count.desc(), hits.c.code)
        with self._reading() as connection:
            rows = connection.execute(_filtered(connection, statement, replace(wanted, before_id=None), hits))
            return dict(rows.tuples().all())

    def status(self, now: datetime, window: timedelta = WINDOW) -> Status:
        """The numbers of everything, and of the last `window`."""
        with self._reading() as connection:
            run = connection.execute

            def count(table: sa.Table) -> int:
                return int(run(sa.select(sa.func.count()).select_from(table)).scalar_one())

            def by(column: sa.Column[Any], *where: sa.ColumnElement[bool]) -> dict[str, int]:
                rows = run(sa.select(column, sa.func.count()).where(*where).group_by(column))
                return dict(rows.tuples().all())

            states = by(deliveries.c.state)
            queue = deliveries.c.state.not_in(_ENDED)
            active = run(
                sa.select(
                    sa.func.count(),
                    sa.func.count().filter(feeds.c.failures > 0),
                    sa.func.count().filter(feeds.c.stopped.is_not(None)),
                    sa.func.max(feeds.c.last_polled),
                ).where(feeds.c.active)
            ).one()
            return Status(
                articles=count(articles),
                stories=count(stories),
                hits=by(hits.c.decision),
                hits_window=by(hits.c.decision, hits.c.created >= now - window),
                alerts=count(alerts),
                deliveries=states,
                queue=sum(number for state, number in states.items() if state not in _ENDED),
                oldest_queued=run(sa.select(sa.func.min(deliveries.c.created)).where(queue)).scalar(),
                feeds=active[0],
                feeds_failing=active[1],
                feeds_stopped=active[2],
                last_polled=active[3],
                last_sent=run(sa.select(sa.func.max(messages.c.sent_at))).scalar(),
                window=window,
                since_published=_delays(connection, articles.c.published, now - window),
                since_first_seen=_delays(connection, articles.c.first_seen, now - window),
            )

    def ledger(self, wanted: HitFilter) -> Ledger:
        """How many hits have which fate, and why, of all that the filter lets through whatever its page.

        What retention removed counts too, by whole days (UTC), where only rule, fate and time are asked for.
        """
        counted = sa.select(account(), hits.c.code).select_from(hits.join(articles, articles.c.id == hits.c.article_id))
        with self._reading() as connection:
            inner = _filtered(connection, counted, replace(wanted, before_id=None), hits).subquery()
            both = (inner.c.account, inner.c.code)
            rows = connection.execute(sa.select(*both, sa.func.count()).group_by(*both)).tuples().all()
            removed = _removed(connection, wanted)
        reasons: dict[str, Counter[str]] = {}
        for told, code, number in sorted(rows):
            one, _, kind = told.partition(" ")
            if wanted.fate in (None, one):
                reasons.setdefault(one, Counter())[kind or code] += number
        return Ledger({one: sum(codes.values()) for one, codes in reasons.items()}, reasons, removed)

    def info(self) -> DatabaseInfo:
        """What the database holds and takes."""
        with self._reading() as connection:
            run = connection.execute
            rows = {
                table.name: int(run(sa.select(sa.func.count()).select_from(table)).scalar_one())
                for table in metadata.sorted_tables
            }
            ends = run(sa.select(sa.func.min(articles.c.first_seen), sa.func.max(articles.c.first_seen))).one()
            indexed = int(run(sa.text("SELECT count(*) FROM article_words")).scalar_one())
            size = dialect.size_in_bytes(connection, self._url)
        return DatabaseInfo(
            place=self.place,
            size=size,
            rows=rows,
            schema_version=self.schema_version() or "",
            oldest_article=ends[0],
            newest_article=ends[1],
            not_indexed=rows["articles"] - indexed,
        )


def _filtered(connection: sa.Connection, statement: Any, wanted: HitFilter, table: sa.Table) -> Any:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.rule is not None:
        conditions.append(table.c.rule_id == wanted.rule)
    if wanted.story is not None:
        conditions.append(table.c.story_id == wanted.story)
    if wanted.outlet is not None:
        conditions.append(articles.c.outlet_id == wanted.outlet)
    if wanted.since is not None:
        conditions.append(table.c.created >= wanted.since)
    if wanted.until is not None:
        conditions.append(table.c.created < wanted.until)
    if wanted.before_id is not None:
        conditions.append(table.c.id < wanted.before_id)
    if wanted.decision is not None and table is hits:
        conditions.append(hits.c.decision == wanted.decision.value)
    wants, unwanted = search_groups(wanted.text or "")
    if wants:
        conditions.append(dialect.search_condition(connection, wants, unwanted, articles.c.id))
    return statement.where(*conditions)


def search_groups(text: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """(words wanted, words unwanted) of a search text whose words are as the index holds them."""
    wanted: list[tuple[str, ...]] = []
    unwanted: list[tuple[str, ...]] = []
    for word in text.split()[:20]:
        bare = word.removeprefix("-")
        if bare.strip("*"):
            (unwanted if word.startswith("-") else wanted).append((bare,))
    return wanted, unwanted


def _posts(connection: sa.Connection, of: set[tuple[str, int]]) -> dict[tuple[str, int, int], tuple[Post, ...]]:
    """What became of the alerts of each (rule, story), a channel after the other: by (rule, story, 0), and what became
    of those that tell of a number by (rule, story, hit)."""
    story_ids = sorted({story_id for _, story_id in of})
    latest = (
        sa.select(deliveries.c.message_id, sa.func.max(deliveries.c.id).label("id"))
        .where(deliveries.c.operation == "send")
        .group_by(deliveries.c.message_id)
        .subquery()
    )
    of_alert = (alerts.c.rule_id, alerts.c.story_id, alerts.c.hit_id, alerts.c.change)
    of_telling = (deliveries.c.state, deliveries.c.reason, deliveries.c.settled, deliveries.c.due_at)
    statement = (
        sa.select(*of_alert, messages, message_alerts.c.told_by, *of_telling)
        .select_from(
            alerts.join(message_alerts, message_alerts.c.alert_id == alerts.c.id)
            .join(messages, messages.c.id == message_alerts.c.message_id)
            .join(latest, latest.c.message_id == messages.c.id)
            .join(deliveries, deliveries.c.id == sa.func.coalesce(message_alerts.c.told_by, latest.c.id))
        )
        .where(alerts.c.story_id.in_(story_ids))
        .order_by(messages.c.id)
    )
    found: dict[tuple[str, int, int], tuple[Post, ...]] = {}
    for row in connection.execute(statement):
        key = (row[0], row[1], row[2] if row[3] else 0)
        by_any_send = row.told_by is None
        is_told = by_any_send or row.state == "sent"
        post = Post(
            message_id=row.id,
            channel=row.channel,
            kind=row.kind,
            state=row.state,
            sent_at=row.sent_at if by_any_send else row.settled if is_told else None,
            reason=row.reason,
            settled=row.settled,
            due=row.due_at if row.state == "pending" else None,
            chat=row.chat,
            external_id=row.external_id if is_told else None,
        )
        found[key] = (*found.get(key, ()), post)
    return found


def _why(fate: str, hit: Hit, posts: Sequence[Post]) -> str:
    """Why a hit has its fate: the code of its decision, or what the channel said."""
    if fate == "held" and hit.decision is not Decision.HELD:
        return _first_to_go(posts).reason
    if fate in ("failed", "queued"):
        return next((post.reason for post in posts if post.reason and post.state != "sent"), hit.code)
    return hit.code


def _until(fate: str, hit: Hit, posts: Sequence[Post]) -> datetime | None:
    """When what is held goes, or is looked at again; None where that is not known."""
    if hit.decision is Decision.HELD:
        return hit.until
    return _first_to_go(posts).due if fate == "held" else None


def _first_to_go(posts: Sequence[Post]) -> Post:
    """Of the digests that a held alert waits in, the one that goes first."""
    return min((post for post in posts if post.due is not None), key=attrgetter("due"))


def _at(fate: str, created: datetime, decided: datetime, posts: Sequence[Post]) -> datetime:
    """Since when a hit has its fate: its first message was sent, its last send failed, or it was decided on.

    What joined a message later than that has it since then.
    """
    if fate in ("delivered", "digested", "grouped"):
        return max(created, min((post.sent_at for post in posts if post.sent_at), default=decided))
    if fate == "failed":
        return max([created, *(post.settled for post in posts if post.settled)])
    return decided


def _removed(connection: sa.Connection, wanted: HitFilter) -> dict[str, int]:
    """How many of the removed hits had which fate; none where the filter asks what is no longer known of them."""
    if wanted.outlet is not None or wanted.story is not None or wanted.text is not None or wanted.decision is not None:
        return {}
    statement = sa.select(removed_hits.c.fate, sa.func.sum(removed_hits.c.hits)).group_by(removed_hits.c.fate)
    if wanted.rule is not None:
        statement = statement.where(removed_hits.c.rule_id == wanted.rule)
    if wanted.fate is not None:
        statement = statement.where(removed_hits.c.fate == wanted.fate)
    if wanted.since is not None:
        day = wanted.since.astimezone(UTC)
        first = day.date() if day.time() == time() else day.date() + timedelta(days=1)
        statement = statement.where(removed_hits.c.day >= first.isoformat())
    if wanted.until is not None:
        statement = statement.where(removed_hits.c.day < wanted.until.astimezone(UTC).date().isoformat())
    return {one: int(number) for one, number in connection.execute(statement.order_by(removed_hits.c.fate)).tuples()}


def _not_relevant(connection: sa.Connection, hit_ids: set[int]) -> dict[int, tuple[str, ...]]:
    """The people who found each hit not relevant, in the order in which they said so."""
    statement = sa.select(feedback.c.hit_id, feedback.c.person).where(feedback.c.hit_id.in_(sorted(hit_ids)))
    found: dict[int, tuple[str, ...]] = {}
    for hit_id, person in connection.execute(statement.order_by(feedback.c.at, feedback.c.person)):
        found[hit_id] = (*found.get(hit_id, ()), person)
    return found


def _carried(connection: sa.Connection, story_ids: set[int]) -> dict[int, list[str]]:
    """The outlets of each story's articles, in the order of these."""
    statement = (
        sa.select(articles.c.story_id, articles.c.outlet_id)
        .where(articles.c.story_id.in_(sorted(story_ids)))
        .order_by(articles.c.id)
    )
    found: dict[int, list[str]] = {story_id: [] for story_id in story_ids}
    for story_id, outlet_id in connection.execute(statement):
        found[story_id].append(outlet_id)
    return found


def _delays(connection: sa.Connection, begin: sa.Column[Any], since: datetime) -> Delays:
    """Seconds from `begin` of the article that raised a message's first alert until the message was sent."""
    first = (
        sa.select(message_alerts.c.message_id, sa.func.min(message_alerts.c.alert_id).label("alert_id"))
        .group_by(message_alerts.c.message_id)
        .subquery()
    )
    statement = (
        sa.select(messages.c.sent_at, begin)
        .select_from(
            messages.join(first, first.c.message_id == messages.c.id)
            .join(alerts, alerts.c.id == first.c.alert_id)
            .join(hits, hits.c.id == alerts.c.hit_id)
            .join(articles, articles.c.id == hits.c.article_id)
        )
        .where(messages.c.kind == "story", messages.c.sent_at >= since, begin.is_not(None))
    )
    seconds = sorted(max((sent - start).total_seconds(), 0.0) for sent, start in connection.execute(statement))
    if not seconds:
        return Delays()

    def at(share: float) -> float:
        return float(seconds[min(int(len(seconds) * share), len(seconds) - 1)])

    return Delays(len(seconds), at(0.5), at(0.9), at(0.99))
