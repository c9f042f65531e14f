"""The intake: one exclusive transaction that takes in articles and everything that follows from them, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model import (
    Article,
    Decision,
    FeedState,
    Hit,
    Overrule,
    Placement,
    Rule,
    RuleMatch,
    Severity,
    Silence,
    StoryView,
    Verdict,
)
from monitor.store import dialect, overruling, silences
from monitor.store.connection import Database
from monitor.store.feeds import CLOCK_SLACK, write_feed
from monitor.store.records import Novelty, Placed
from monitor.store.rows import (
    article_columns,
    article_of,
    article_values,
    hit_columns,
    hit_of,
    placed_of,
    revised,
    revision_columns,
    spans_to_json,
)
from monitor.store.tables import (
    alerts,
    articles,
    entry_hashes,
    gone_keys,
    hits,
    other_keys,
    revisions,
    signatures,
    stories,
)
from monitor.store.telling import Telling


class Intake(Telling):
    """What may be done inside `with store.intake(now) as tx`. Other intakes wait until it ends."""

    # ── articles ──

    def novelty(self, article: Article) -> Novelty:
        """Whether the article is new, the same as a known one, or a known one with content not seen before."""
        run = self._connection.execute
        known = run(
            sa.select(articles.c.id).where(articles.c.feed_id == article.feed_id, articles.c.key == article.key)
        ).scalar()
        if known is None:
            also = (other_keys.c.feed_id == article.feed_id, other_keys.c.key == article.key)
            known = run(sa.select(other_keys.c.article_id).where(*also)).scalar()
        if known is None:
            pruned = (gone_keys.c.feed_id == article.feed_id, gone_keys.c.key == article.key)
            gone = sa.select(sa.literal(1)).where(*pruned)
            return Novelty("new" if run(gone).first() is None else "same", None)
        return self._version(known, article)

    def version_of(self, article_id: int, article: Article) -> Novelty:
        """Whether the article has content that the stored one never had; from now on its key is known as that one's."""
        row = {"feed_id": article.feed_id, "key": article.key, "article_id": article_id}
        dialect.insert_new(self._connection, other_keys, [row], columns=["feed_id", "key"])
        return self._version(article_id, article)

    def _version(self, article_id: int, article: Article) -> Novelty:
        first = sa.select(articles.c.id).where(
            articles.c.id == article_id, articles.c.content_hash == article.content_hash
        )
        later = sa.select(revisions.c.id).where(
            revisions.c.article_id == article_id, revisions.c.content_hash == article.content_hash
        )
        seen = any(self._connection.execute(one).first() is not None for one in (first, later))
        return Novelty("same" if seen else "revision", article_id)

    def placed_after(self, article_id: int) -> list[Placed]:
        """The articles with a higher id: what other processes took in since the story index last looked."""
        rows = self._connection.execute(
            sa.select(*article_columns()).where(articles.c.id > article_id).order_by(articles.c.id)
        )
        return [placed_of(row) for row in rows]

    def article(self, article_id: int) -> Article:
        """A stored article; KeyError where there is none."""
        row = self._connection.execute(sa.select(*article_columns()).where(articles.c.id == article_id)).first()
        if row is None:
            raise KeyError(f"no article {article_id}")
        return article_of(row)

    def last_title(self, article_id: int) -> str:
        """The headline of a stored article as it last was."""
        later = sa.select(revisions.c.title).where(revisions.c.article_id == article_id).order_by(revisions.c.id.desc())
        found = self._connection.execute(later.limit(1)).scalar()
        return found if found is not None else self.article(article_id).title

    def story_of(self, article_id: int) -> int:
        """The id of a stored article's story; KeyError where there is no such article."""
        found = self._connection.execute(sa.select(articles.c.story_id).where(articles.c.id == article_id)).scalar()
        if found is None:
            raise KeyError(f"no article {article_id}")
        return int(found)

    def open_story(self, now: datetime) -> int:
        return self._insert(stories, opened=now)

    def add_article(
        self, article: Article, story_id: int, placement: Placement, first_poll: bool, signature: bytes = b""
    ) -> int:
        """The new article's id. Its key must be new in its feed: see novelty. signature: kept for the next start."""
        article_id = self._insert(articles, **article_values(article, story_id, placement, first_poll=first_poll))
        if signature:
            self._connection.execute(sa.insert(signatures).values(article_id=article_id, kept=signature))
        return article_id

    def add_revision(self, article_id: int, article: Article, change: str = "") -> int:
        """Keep a later text of a stored article; the id is add_hit's revision_id. Known content adds nothing.

        change: the number in its headline that changed, "4 → 7".
        """
        found = sa.select(revisions.c.id).where(
            revisions.c.article_id == article_id, revisions.c.content_hash == article.content_hash
        )
        known = self._connection.execute(found).scalar()
        if known is not None:
            return int(known)
        texts = {name: getattr(article, name) for name in ("content_hash", "url", "title", "summary", "body", "author")}
        kept = {**texts, "seen": self._now, "tags": list(article.tags), "change": change}
        return self._insert(revisions, article_id=article_id, **kept)

    def add_entry_hashes(self, feed_id: str, hashes: Iterable[str]) -> None:
        """Entries with these hashes never reach the parser again."""
        rows = [{"feed_id": feed_id, "hash": value, "last_seen": self._now} for value in dict.fromkeys(hashes) if value]
        dialect.upsert(self._connection, entry_hashes, rows, columns=["feed_id", "hash"], update=["last_seen"])

    def save_feed(self, state: FeedState) -> None:
        """As Store.save_feed, together with everything else of this intake."""
        write_feed(self._connection, state)

    # ── stories and hits ──

    def story(self, story_id: int) -> StoryView:
        """The story as it now is; outlets in the order in which they reported it. KeyError where there is none."""
        run = self._connection.execute
        opened = run(sa.select(stories.c.opened).where(stories.c.id == story_id)).scalar()
        if opened is None:
            raise KeyError(f"no story {story_id}")
        count = sa.func.count()
        first = sa.func.min(articles.c.id)
        statement = (
            sa.select(articles.c.outlet_id, count)
            .where(articles.c.story_id == story_id)
            .group_by(articles.c.outlet_id)
            .order_by(first)
        )
        rows = run(statement).tuples().all()
        return StoryView(story_id, opened, tuple(outlet for outlet, _ in rows), sum(number for _, number in rows))

    def alerted(self, rule_id: str, story_id: int) -> bool:
        """Whether the rule has an alert for the story."""
        statement = sa.select(alerts.c.id).where(alerts.c.rule_id == rule_id, alerts.c.story_id == story_id)
        return self._connection.execute(statement).first() is not None

    def alerting_rules(self, story_id: int) -> dict[str, bool]:
        """The rules that alerted the story; whether it was told as of high severity."""
        told = sa.select(alerts.c.rule_id, alerts.c.severity).where(alerts.c.story_id == story_id)
        found: dict[str, bool] = {}
        for rule_id, severity in self._connection.execute(told.order_by(alerts.c.id)).tuples():
            found[rule_id] = found.get(rule_id, False) or severity == Severity.HIGH.value
        return found

    def bearer(self, rule_id: str, story_id: int) -> tuple[int, bool]:
        """The hit that a further alert of the story is ascribed to: (the newest that is grouped with it, True), or
        where there is none (that of the first alert, False)."""
        ours = (hits.c.rule_id == rule_id, hits.c.story_id == story_id)
        grouped = sa.select(hits.c.id).where(*ours, hits.c.decision == Decision.JOINED.value)
        newest = self._connection.execute(grouped.order_by(hits.c.id.desc()).limit(1)).scalar()
        if newest is not None:
            return int(newest), True
        told = sa.select(alerts.c.hit_id).where(alerts.c.rule_id == rule_id, alerts.c.story_id == story_id)
        return int(self._connection.execute(told.order_by(alerts.c.id).limit(1)).scalar_one()), False

    def told_titles(self, rule_id: str, story_id: int) -> list[str]:
        """The headlines with which the rule alerted the story, oldest first."""
        told = sa.select(alerts.c.hit_id).where(alerts.c.rule_id == rule_id, alerts.c.story_id == story_id)
        ids = self._connection.execute(told.order_by(alerts.c.id)).scalars().all()
        return [self.headline_of(hit_id)[0] for hit_id in ids]

    def headline_of(self, hit_id: int) -> tuple[str, str]:
        """The headline of the text that was hit, and the number that it changed, "4 → 7" ("" where it changed none)."""
        texts = hits.join(articles, articles.c.id == hits.c.article_id).outerjoin(
            revisions, revisions.c.id == hits.c.revision_id
        )
        first, later = (articles.c.title, articles.c.change), (revisions.c.title, revisions.c.change)
        columns = [sa.func.coalesce(new, old) for new, old in zip(later, first, strict=True)]
        found = sa.select(*columns).select_from(texts).where(hits.c.id == hit_id)
        row = self._connection.execute(found).one()
        return str(row[0]), str(row[1])

    def text_of(self, hit_id: int) -> Article:
        """The article of a hit, with the text that was hit."""
        texts = hits.join(articles, articles.c.id == hits.c.article_id).outerjoin(
            revisions, revisions.c.id == hits.c.revision_id
        )
        found = sa.select(*article_columns(), *revision_columns()).select_from(texts).where(hits.c.id == hit_id)
        row = self._connection.execute(found).one()
        return revised(article_of(row), row)

    def silences(self) -> list[Silence]:
        """Those in force now, the newest first."""
        return silences.in_force(self._connection, self._now)

    def last_alert(self, rule_id: str) -> datetime | None:
        """When the rule last alerted by itself, not by a digest's release: the start of its cooldown."""
        return self.alert_before(rule_id, 1)

    def alert_before(self, rule_id: str, count: int) -> datetime | None:
        """When the rule made the last but `count` - 1 of its alerts outside digests; None where it made fewer.

        Those of a clock that was put back since do not count: they would hold the rule back until it shows them again.
        """
        own = (alerts.c.rule_id == rule_id, alerts.c.digest.is_(False), alerts.c.created <= self._now + CLOCK_SLACK)
        ordered = sa.select(alerts.c.created).where(*own).order_by(alerts.c.created.desc())
        found: datetime | None = self._connection.execute(ordered.offset(count - 1).limit(1)).scalar()
        return found

    def add_hit(
        self,
        rule: Rule,
        article_id: int,
        story_id: int,
        match: RuleMatch,
        verdict: Verdict,
        now: datetime,
        *,
        revision_id: int | None = None,
    ) -> int:
        """The hit's id; where the rule has one for the article already, that one's, which is left as it is."""
        known = self._connection.execute(
            sa.select(hits.c.id).where(hits.c.rule_id == rule.id, hits.c.article_id == article_id)
        ).scalar()
        if known is not None:
            return int(known)
        return self._insert(
            hits,
            rule_id=rule.id,
            rule_version=rule.version,
            article_id=article_id,
            story_id=story_id,
            revision_id=revision_id,
            spans=spans_to_json(match.spans),
            score=match.score,
            created=now,
            decided=now,
            **_verdict(verdict),
        )

    def has_hit(self, rule_id: str, article_id: int) -> bool:
        """Whether the rule has a hit in the article."""
        statement = sa.select(hits.c.id).where(hits.c.rule_id == rule_id, hits.c.article_id == article_id)
        return self._connection.execute(statement).first() is not None

    def held(self, story_id: int) -> list[Hit]:
        """The story's hits that wait, oldest first."""
        statement = sa.select(*hit_columns()).where(hits.c.story_id == story_id, hits.c.decision == Decision.HELD.value)
        return [hit_of(row) for row in self._connection.execute(statement.order_by(hits.c.id))]

    def due_held(self, now: datetime, *, outlived: datetime | None = None) -> list[Hit]:
        """As Store.due_held, inside this transaction, so that no other process releases them too."""
        return due_held(self._connection, now, outlived)

    def all_held(self) -> list[Hit]:
        """Every hit that waits, oldest first."""
        statement = sa.select(*hit_columns()).where(hits.c.decision == Decision.HELD.value)
        return [hit_of(row) for row in self._connection.execute(statement.order_by(hits.c.id))]

    def redecide(self, hit_id: int, verdict: Verdict) -> None:
        """Write a new decision over a held one."""
        self._connection.execute(
            sa.update(hits).where(hits.c.id == hit_id).values(decided=self._now, **_verdict(verdict))
        )

    # ── overrules ──

    def has_story(self, story_id: int) -> bool:
        return self._connection.execute(sa.select(stories.c.id).where(stories.c.id == story_id)).first() is not None

    def articles_of(self, story_id: int) -> dict[int, Article]:
        """The story's articles by id, in this order."""
        of_story = sa.select(*article_columns()).where(articles.c.story_id == story_id).order_by(articles.c.id)
        return {row.article_id: article_of(row) for row in self._connection.execute(of_story)}

    def hits_of(self, story_id: int) -> list[Hit]:
        """The story's hits, oldest first."""
        statement = sa.select(*hit_columns()).where(hits.c.story_id == story_id).order_by(hits.c.id)
        return [hit_of(row) for row in self._connection.execute(statement)]

    def merge(self, kept: int, gone: int) -> list[int]:
        """Let story `gone` become part of story `kept`; the ids of the articles that moved."""
        return overruling.merge(self._connection, kept, gone, self._now)

    def split(self, story_id: int, article_ids: Sequence[int]) -> int:
        """Give articles of a story one of their own; its id."""
        return overruling.split(self._connection, story_id, article_ids, self._now)

    def overrules_after(self, overrule_id: int) -> list[Overrule]:
        """What analysts decided since, oldest first."""
        return overruling.overrules_after(self._connection, overrule_id)

    def became(self, story_id: int) -> int | None:
        """The story that a merged one is part of now; None where it was never merged."""
        return overruling.became(self._connection, story_id)

    # ── alerts and messages ──

    def add_alert(self, rule: Rule, story_id: int, hit_id: int, now: datetime, change: str = "") -> int | None:
        """The new alert's id; None where the rule has alerted the story, or this change of a number, already."""
        told = sa.select(alerts.c.id).where(alerts.c.rule_id == rule.id, alerts.c.story_id == story_id)
        if self._connection.execute(told.where(alerts.c.change == change) if change else told).first() is not None:
            return None
        return self._insert(
            alerts,
            rule_id=rule.id,
            story_id=story_id,
            hit_id=hit_id,
            severity=rule.severity.value,
            created=now,
            digest=False,
            change=change,
        )

    def _insert(self, table: sa.Table, **values: Any) -> int:
        key = self._connection.execute(sa.insert(table).values(**values)).inserted_primary_key
        assert key is not None
        return int(key[0])


class Intakes(Database):
    """The store's part that opens intakes."""

    @contextmanager
    def intake(self, now: datetime) -> Iterator[Intake]:
        """An exclusive transaction, committed at the end; any exception rolls everything back."""
        with self._writing() as connection:
            dialect.exclude_others(connection, dialect.INTAKE_LOCK)
            yield Intake(connection, now)

    def due_held(self, now: datetime, *, outlived: datetime | None = None) -> list[Hit]:
        """The held hits whose time has come, or was set by a clock that has been put back since, oldest first.

        outlived: with those that wait for outlets in a story that has had no article since then.
        """
        with self._reading() as connection:
            return due_held(connection, now, outlived)


def due_held(connection: sa.Connection, now: datetime, outlived: datetime | None) -> list[Hit]:
    put_back = sa.and_(hits.c.until.is_not(None), hits.c.decided > now + CLOCK_SLACK)  # the clock, since it waits
    due: sa.ColumnElement[bool] = sa.or_(hits.c.until <= now, put_back)
    if outlived is not None:
        grew = sa.exists().where(articles.c.story_id == hits.c.story_id, articles.c.first_seen >= outlived)
        due = sa.or_(due, sa.and_(hits.c.until.is_(None), hits.c.created < outlived, ~grew))
    held = hits.c.decision == Decision.HELD.value
    return [hit_of(row) for row in connection.execute(sa.select(*hit_columns()).where(held, due).order_by(hits.c.id))]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "decision": verdict.decision.value,
        "code": verdict.code,
        "detail": verdict.detail,
        "until": verdict.until if verdict.decision is Decision.HELD else None,
    }
