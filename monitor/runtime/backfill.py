"""Backfill: a rule looks at the articles that are stored already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.alerts import decide
from monitor.arrivals import Posts, with_channel
from monitor.flow import Flow
from monitor.matching.matcher import Matcher
from monitor.matching.rules import WatchRule
from monitor.store.records import Placed

BATCH = 300


@dataclass(slots=True)
class BackfillReport:
    """What came of it. looked: articles read; known: hits that were there already."""

    looked: int = 0
    hits: int = 0
    known: int = 0
    alerts: int = 0


def backfill(
    flow: Flow,
    watch: WatchRule,
    since: datetime,
    now: datetime,
    *,
    alert: bool,
    progress: Callable[[int], None] | None = None,
) -> BackfillReport:
    """Find the rule's hits in articles first seen at `since` or later, and store them.

    alert: stories that the rule has not alerted yet are alerted, as one digest. Hits that are there are left as they
    are, so that it may be run again. progress: told how many articles were looked at.
    """
    report = BackfillReport()
    matcher = Matcher([(watch.rule, watch.query)], flow.outlets, dictionary=flow.dictionary)
    last = 0
    while batch := flow.store.articles_since(since, after_id=last, limit=BATCH):
        _look(flow, watch, matcher, batch, now, alert, report)
        last = batch[-1].article.id or last
        if progress:
            progress(report.looked)
    return report


def _look(
    flow: Flow,
    watch: WatchRule,
    matcher: Matcher,
    batch: list[Placed],
    now: datetime,
    alert: bool,
    report: BackfillReport,
) -> None:
    found = [(placed, match) for placed in batch for match in matcher.match(placed.article)]
    report.looked += len(batch)
    if not found:
        return
    with flow.store.intake(now) as tx:
        posts = Posts(flow, tx, now, together=True)
        for placed, match in found:
            article_id = placed.article.id
            assert article_id is not None  # it comes from the store
            if tx.has_hit(watch.rule.id, article_id):
                report.known += 1
                continue
            known = posts.facts.of_new(watch.rule, placed.story_id, placed.article)
            story = tx.story(placed.story_id)
            rule = decide.raised(watch.rule, len(story.outlets))
            verdict = decide.decide(
                rule,
                placed.article,
                story,
                replace(known, last_alert=None, hour_full=None),  # one digest tells them all
                first_poll=False,
                first_poll_age=timedelta(0),
                max_age=timedelta.max,
                now=now,
                backfill="alert" if alert else "silent",
            )
            verdict = with_channel(flow, rule, verdict)
            hit_id = tx.add_hit(rule, article_id, placed.story_id, match, verdict, now)
            posts.add(rule, placed.story_id, hit_id, verdict)
            report.hits += 1
        report.alerts += posts.finish()
