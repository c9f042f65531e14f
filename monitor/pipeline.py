"""READ FIRST: the flow of Rasid on one screen.

    poll_feed     fetch → split, drop known entries → parse in a worker → unseen → read pages → match → take_in
    take_in       (monitor.arrivals) one exclusive transaction: place in a story, decide, store hits, alerts, messages,
                  feed state; release_held there decides again on hits whose cooldown is over
    deliver_due   claim → render → transport → settle

Fetching, parsing and matching happen outside the transaction; novelty is checked again inside it. Whatever fails before
the commit leaves nothing behind, and the next poll finds the same entries again.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from xxhash import xxh3_64_hexdigest

from monitor.alerts import placing
from monitor.alerts.buttons import buttons
from monitor.alerts.render import render
from monitor.arrivals import Arrival, PollReport, take_in
from monitor.delivery import retry
from monitor.delivery.transports import Audited
from monitor.errors import FetchError, ParseError, StoreError
from monitor.feeds import polling, split
from monitor.feeds.entry import MAX_ENTRIES, Parsed, too_many
from monitor.flow import Flow
from monitor.model import Article, Feed, FeedState, FetchOutcome
from monitor.model_delivery import (
    Channel,
    ChatPace,
    DeliveryClaim,
    Outcome,
    OutcomeKind,
    Rendered,
    Settlement,
)

PAGES_A_POLL = 30  # web pages read for one poll; the articles after them keep their feed's text
PAGES_SECONDS = 90.0
SETTLE_AGAIN = (0.5, 1.0, 2.0, *(4.0 for _ in range(150)))  # seconds between tries to write an outcome: ten minutes
Clock = Callable[[], datetime]


async def poll_feed(flow: Flow, feed: Feed, state: FeedState, now: datetime) -> PollReport:
    """Poll one claimed feed and store all that follows. Raises StoreError only: a failing feed is a report."""
    try:
        outcome = await flow.fetcher.fetch(
            state.url or feed.url, feed=feed, etag=state.etag, last_modified=state.last_modified
        )
        parsed, hashes = await _read(flow, feed, state, outcome, now)
    except (FetchError, ParseError) as error:
        after = polling.after_failure(state, feed, now, error=error, rng=flow.rng)
        await flow.write(flow.store.save_feed, after)
        reached = not isinstance(error, FetchError) or error.reached
        return PollReport(feed.id, error=str(error), reached=reached, gone=after.stopped is not None)
    fresh = await flow.write(flow.store.unseen, parsed.articles) if parsed.articles else []
    if feed.full_text and fresh:
        fresh = await _with_pages(flow, feed, fresh)
    matched = await flow.match(sorted(fresh, key=lambda one: one.when))
    after = polling.after_success(
        state,
        feed,
        now,
        outcome=outcome,
        rng=flow.rng,
        body_hash=xxh3_64_hexdigest(outcome.body) if outcome.body else None,
    )
    if not matched and not hashes:
        await flow.write(flow.store.save_feed, after)
        return PollReport(feed.id, notes=parsed.notes)
    report = PollReport(feed.id, notes=parsed.notes)
    arrival = Arrival(feed, after, first_poll=not state.first_poll_done, hashes=hashes)
    await flow.primed()
    await flow.write(take_in, flow, arrival, matched, now, report)
    return report


async def _read(
    flow: Flow, feed: Feed, state: FeedState, outcome: FetchOutcome, now: datetime
) -> tuple[Parsed, Sequence[str]]:
    """The articles of entries not seen before, and the hashes of those entries.

    Of more new entries than a parser can read in its time, the first are read and the others known from now on without
    having been read: left for the next poll, an archive would come piece by piece as if it were news.
    """
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
        split.document(parts, indexes[:MAX_ENTRIES]),
        feed=feed,
        url=outcome.url,
        headers=outcome.headers,
        now=now,
        hashes=hashes[:MAX_ENTRIES],
    )
    unread = len(hashes[MAX_ENTRIES:]) + parts.beyond
    if unread:
        note = too_many(len(hashes[:MAX_ENTRIES]), unread)
        parsed = replace(parsed, notes=(*parsed.notes, note))
    return parsed, hashes


async def _with_pages(flow: Flow, feed: Feed, fresh: Sequence[Article]) -> list[Article]:
    """The articles with the text of their web pages. One that cannot be had keeps the feed's own text."""

    async def read(article: Article) -> Article:
        try:
            got = await flow.fetcher.fetch(article.url, feed=feed)
            if not got.body:
                return article
            page = await flow.workers.extract(got.body, got.url, got.headers)
        except (FetchError, ParseError):
            return article
        return replace(article, body=page.text) if len(page.text) > len(article.body) else article

    wanted = [asyncio.create_task(read(one)) for one in fresh[:PAGES_A_POLL] if one.url]
    if wanted:
        _, late = await asyncio.wait(wanted, timeout=PAGES_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    done = [task.result() for task in wanted if not task.cancelled()]
    read_pages = {(one.feed_id, one.key): one for one in done}
    return [read_pages.get((one.feed_id, one.key), one) for one in fresh]


# ── delivery ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def deliver_due(flow: Flow, clock: Clock, *, limit: int = 20) -> int:
    """Make all deliveries that may go now; how many that were."""
    claims = await claim_due(flow, clock(), limit)
    await asyncio.gather(*(deliver(flow, claim, clock) for claim in claims))
    return len(claims)


async def claim_due(flow: Flow, now: datetime, limit: int) -> list[DeliveryClaim]:
    """Take the deliveries that may go now. Each must be handed to `deliver`."""
    await flow.write(flow.store.close_digests, now)
    claim = partial(flow.store.claim_deliveries, now, paces=flow.paces(), limit=limit, lease=flow.lease)
    return await flow.write(claim)


async def deliver(flow: Flow, claim: DeliveryClaim, clock: Clock) -> Outcome:
    """Make one claimed delivery and write down what came of it. Raises StoreError where that cannot be written."""
    try:
        claim, outcome = await _attempt(flow, claim, clock)
    except Exception as error:  # a mistake of ours: left at that, its chat would be barred again and again
        at = traceback.extract_tb(error.__traceback__)[-1]  # its words may hold secrets
        where = f"{Path(at.filename).name}:{at.lineno}"
        outcome = Outcome(OutcomeKind.UNKNOWN, f"it failed unexpectedly: {type(error).__name__} in {where}")
    now = clock()
    settlement = retry.settle(claim, outcome, now, flow.rng)
    await _settle(flow, claim, settlement, now)
    return outcome


async def _attempt(flow: Flow, claim: DeliveryClaim, clock: Clock) -> tuple[DeliveryClaim, Outcome]:
    """(the claim as it now is, what came of it)"""
    channel, transport = flow.channels.get(claim.channel), flow.transports.get(claim.channel)
    if channel is None or transport is None:  # an edit of channels.yaml came between claim and attempt
        return claim, Outcome(OutcomeKind.RETRY, "the channel is no longer configured")
    if transport.pace.chat_key != claim.chat_key:  # the same edit gave it another chat: it is claimed anew for that one
        return claim, Outcome(OutcomeKind.UNSENT, "nothing was sent: the channel has moved to another chat")
    if claim.lost and isinstance(transport, Audited) and transport.audit is not None:
        return claim, await _look(flow, claim, transport, transport.audit.pace, clock)
    rendered = await _render(flow, channel, claim, transport.limit, clock())
    if isinstance(rendered, Outcome):
        return claim, rendered
    if retry.begins_late(claim, now := clock()):
        renewed = await _renewed(flow, claim, now)
        if renewed is None:
            return claim, Outcome(OutcomeKind.UNSENT, "nothing was sent: it took too long to begin")
        claim = renewed
    return claim, await transport.deliver(claim, rendered)


async def _renewed(flow: Flow, claim: DeliveryClaim, now: datetime) -> DeliveryClaim | None:
    """The claim begun anew, so that its quarantine counts from now; None where it cannot be."""
    try:
        return await flow.write(partial(flow.store.renew, claim, now, lease=flow.lease))
    except StoreError:
        return None


async def _look(flow: Flow, claim: DeliveryClaim, transport: Audited, pace: ChatPace, clock: Clock) -> Outcome:
    """Look for a message of which nobody knows whether it was sent, instead of sending it again."""

    async def turn() -> float:
        return await flow.write(flow.store.take_turn, pace, clock())

    try:
        confirmed = await flow.write(flow.store.last_confirmed, claim)
        return await transport.look(claim, confirmed, turn)
    except StoreError as error:
        return Outcome(OutcomeKind.UNSEEN, f"the message could not be looked for: {error}"[:300])


async def _settle(flow: Flow, claim: DeliveryClaim, settlement: Settlement, now: datetime) -> None:
    """Write it, again and again while the database fails: what came of the attempt is known here and nowhere else."""
    for wait in SETTLE_AGAIN:
        try:
            return await flow.settle(claim, settlement, now)
        except StoreError:
            await asyncio.sleep(wait)
    await flow.settle(claim, settlement, now)


async def _render(flow: Flow, channel: Channel, claim: DeliveryClaim, limit: int, now: datetime) -> Rendered | Outcome:
    """The message, or why there is none."""
    try:
        rows = await flow.write(flow.store.message_rows, claim.message_id)
    except StoreError as error:
        return Outcome(OutcomeKind.RETRY, f"the message could not be read: {error}"[:300])
    try:
        view = rows.view(flow.outlets)
        timezone = channel.timezone or flow.timezone
        rendered = render(
            view,
            flow.rules,
            language=channel.language,
            timezone=timezone,
            now=now,
            plain=claim.plain,
            limit=limit,
            hashtags=channel.hashtags,
            loud=placing.loud(channel, now, ZoneInfo(timezone)),
        )
        if channel.name in flow.buttons:
            all_of_them = flow.buttons[channel.name]
            rendered = replace(rendered, buttons=buttons(view, flow.rules, channel.language, all_of_them=all_of_them))
        return rendered
    except Exception as error:
        return Outcome(OutcomeKind.REJECTED, f"it could not be laid out: {type(error).__name__}: {error}"[:300])
