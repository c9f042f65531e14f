"""READ FIRST: the flow of Rasid on one screen.

    poll_feed   fetch → split, drop known entries → parse in a worker → unseen → match → take_in
    take_in     one exclusive transaction: place in a story, decide, store hits, alerts, messages, feed state

Fetching, parsing and matching happen outside the transaction; novelty is checked again inside it. Whatever fails before
the commit leaves nothing behind, and the next poll finds the same entries again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from xxhash import xxh3_64_hexdigest

from monitor.alerts import decide
from monitor.errors import FetchError, ParseError
from monitor.feeds import polling, split
from monitor.feeds.entry import Parsed
from monitor.feeds.fetch import Fetcher
from monitor.feeds.workers import ParseWorkers
from monitor.matching.matcher import Matcher
from monitor.model import (
    Article,
    Decision,
    Feed,
    FeedState,
    FetchOutcome,
    Rule,
    RuleMatch,
    Severity,
    StoryView,
    Verdict,
)
from monitor.store.intake import Intake
from monitor.store.store import Store
from monitor.stories.assign import assign
from monitor.stories.index import StoryIndex
from monitor.stories.signature import sign

PRIORITY: Mapping[Severity, int] = {Severity.HIGH: 0, Severity.NORMAL: 1, Severity.LOW: 2}
T = TypeVar("T")


@dataclass(slots=True)
class Flow:
    """What the flow works with. matcher and rules are replaced together when the rule files change."""

    store: Store
    writer: Executor  # one thread: the only one that touches store and index
    fetcher: Fetcher
    workers: ParseWorkers
    matcher: Matcher
    rules: Mapping[str, Rule]
    channels: Sequence[str]  # that exist; the first is the default
    index: StoryIndex = field(default_factory=StoryIndex)
    first_poll_age: timedelta = timedelta(hours=3)
    rng: random.Random = field(default_factory=random.Random)

    async def write(self, work: Callable[..., T], *args: object) -> T:
        """Run `work` on the writer thread."""
        return await asyncio.get_running_loop().run_in_executor(self.writer, work, *args)


@dataclass(slots=True)
class PollReport:
    """What a poll came to. new: articles stored; error: why nothing could be read."""

    feed_id: str
    new: int = 0
    revised: int = 0
    hits: int = 0
    alerts: int = 0
    error: str | None = None
    notes: tuple[str, ...] = ()


async def poll_feed(flow: Flow, feed: Feed, state: FeedState, now: datetime) -> PollReport:
    """Poll one claimed feed and store all that follows. Raises StoreError only: a failing feed is a report."""
    try:
        outcome = await flow.fetcher.fetch(
            state.url or feed.url, feed=feed, etag=state.etag, last_modified=state.last_modified
        )
        parsed, hashes = await _read(flow, feed, state, outcome, now)
    except (FetchError, ParseError) as error:
        await flow.write(flow.store.save_feed, polling.after_failure(state, feed, now, error=error, rng=flow.rng))
        return PollReport(feed.id, error=str(error))
    fresh = await flow.write(flow.store.unseen, parsed.articles) if parsed.articles else []
    matched = [(one, flow.matcher.match(one)) for one in sorted(fresh, key=lambda one: one.when)]
    after = polling.after_success(
        state,
        feed,
        now,
        outcome=outcome,
        rng=flow.rng,
        body_hash=xxh3_64_hexdigest(outcome.body) if outcome.body else None,
        new=len(fresh),
        ttl=parsed.ttl,
    )
    if not matched and not hashes:
        await flow.write(flow.store.save_feed, after)
        return PollReport(feed.id, notes=parsed.notes)
    report = PollReport(feed.id, notes=parsed.notes)
    arrival = Arrival(feed, after, first_poll=not state.first_poll_done, hashes=hashes)
    await flow.write(take_in, flow, arrival, matched, now, report)
    return report


async def _read(
    flow: Flow, feed: Feed, state: FeedState, outcome: FetchOutcome, now: datetime
) -> tuple[Parsed, Sequence[str]]:
    """The articles of entries not seen before, and the hashes of those entries."""
    body = outcome.body
    if body is None or xxh3_64_hexdigest(body) == state.body_hash:
        return Parsed([]), ()
    parts = split.split(body)
    if parts is None:
        parsed = await flow.workers.parse(body, feed=feed, url=outcome.url, headers=outcome.headers, now=now)
        return parsed, ()
    known = await flow.write(flow.store.known_hashes, feed.id, parts.hashes)
    indexes = [i for i, value in enumerate(parts.hashes) if value not in known]
    if not indexes:
        return Parsed([]), ()
    hashes = [parts.hashes[i] for i in indexes]
    parsed = await flow.workers.parse(
        split.document(parts, indexes), feed=feed, url=outcome.url, headers=outcome.headers, now=now, hashes=hashes
    )
    return parsed, hashes


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where matched articles come from. state: the feed's after this poll; hashes: of the entries that were read."""

    feed: Feed
    state: FeedState
    first_poll: bool
    hashes: Sequence[str]


def take_in(
    flow: Flow, arrival: Arrival, matched: Sequence[tuple[Article, list[RuleMatch]]], now: datetime, report: PollReport
) -> None:
    """Store articles and all that follows from them in one transaction; fills `report`. Runs on the writer thread."""
    added: list[int] = []
    try:
        with flow.store.intake(now) as tx:
            for placed in tx.placed_after(flow.index.last_id):
                if placed.article.id is not None:
                    flow.index.add(placed.article.id, placed.story_id, sign(placed.article), placed.article.when)
            for article, matches in matched:
                novelty = tx.novelty(article)
                if novelty.kind == "revision" and novelty.article_id is not None:
                    tx.add_revision(novelty.article_id, article)
                    report.revised += 1
                elif novelty.kind == "new":
                    added.append(_take_in_one(flow, tx, arrival, article, matches, now, report))
            tx.add_entry_hashes(arrival.feed.id, arrival.hashes)
            tx.save_feed(arrival.state)
    except BaseException:
        flow.index.remove(added)
        raise
    report.new = len(added)


def _take_in_one(
    flow: Flow,
    tx: Intake,
    arrival: Arrival,
    article: Article,
    matches: Sequence[RuleMatch],
    now: datetime,
    report: PollReport,
) -> int:
    signature = sign(article)
    placement = assign(article, signature, flow.index, now)
    joined = placement.story_id
    story_id = tx.open_story(now) if joined is None else joined
    article_id = tx.add_article(article, story_id, placement, arrival.first_poll)
    flow.index.add(article_id, story_id, signature, article.when)
    story = tx.story(story_id)
    for match in matches:
        rule = flow.rules[match.rule_id]
        verdict = decide.decide(
            rule,
            article,
            story,
            alerted=tx.alerted(rule.id, story_id),
            last_alert=tx.last_alert(rule.id),
            first_poll=arrival.first_poll,
            first_poll_age=flow.first_poll_age,
            max_age=arrival.feed.max_age,
            now=now,
        )
        verdict = _with_channel(flow, rule, verdict)
        hit_id = tx.add_hit(rule, article_id, story_id, match, verdict, now)
        report.hits += 1
        report.alerts += _alert(flow, tx, rule, story_id, hit_id, verdict, now)
    if joined is not None:
        report.alerts += _hear_held(flow, tx, story, now)
        tx.grew(story_id, now)
    return article_id


def _hear_held(flow: Flow, tx: Intake, story: StoryView, now: datetime) -> int:
    """Look again at the story's held hits, now that an article joined it; how many alerts that made."""
    made = 0
    for hit in tx.held(story.id):
        rule = flow.rules.get(hit.rule_id)
        verdict = decide.redecide(
            rule,
            hit,
            story,
            alerted=tx.alerted(hit.rule_id, story.id),
            last_alert=tx.last_alert(hit.rule_id),
            now=now,
        )
        if verdict is None:
            continue
        if rule is not None:
            verdict = _with_channel(flow, rule, verdict)
        tx.redecide(hit.id, verdict)
        if rule is not None:
            made += _alert(flow, tx, rule, story.id, hit.id, verdict, now)
    return made


def _alert(flow: Flow, tx: Intake, rule: Rule, story_id: int, hit_id: int, verdict: Verdict, now: datetime) -> int:
    if verdict.decision is not Decision.ALERT:
        return 0
    alert_id = tx.add_alert(rule, story_id, hit_id, now)
    if alert_id is None:
        return 0
    silent = rule.severity is Severity.LOW
    tx.post(alert_id, story_id, _channels(flow, rule), now, silent=silent, priority=PRIORITY[rule.severity])
    return 1


def _with_channel(flow: Flow, rule: Rule, verdict: Verdict) -> Verdict:
    if verdict.decision is Decision.ALERT and not _channels(flow, rule):
        return decide.no_channel(rule)
    return verdict


def _channels(flow: Flow, rule: Rule) -> list[str]:
    if not rule.channels:
        return list(flow.channels[:1])
    return [name for name in rule.channels if name in flow.channels]
