"""When is a feed polled next? Pure: old state, what happened, now and a random source in; new state out."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.errors import FetchError, RasidError
from monitor.model import Feed, FeedState, FetchOutcome

MIN_INTERVAL = timedelta(seconds=15)
MAX_BACKOFF = timedelta(hours=6)
MAX_RETRY_AFTER = timedelta(hours=24)
MAX_UNREACHED = timedelta(minutes=15)  # where nobody answered at all: it may be our own network, and that may be back
TOO_MANY = timedelta(minutes=15)  # after 429 or 403 without a time
GONE = "the server says the feed is gone for good (410); give its new address or remove it"
_ERROR_TEXT = 500


def next_due(
    state: FeedState,
    feed: Feed,
    now: datetime,
    *,
    error: RasidError | None = None,
    rng: random.Random,
) -> datetime:
    """When `feed` is due again. state: as before this poll; error: why the poll failed, None where it succeeded.

    After success: within the interval, which is a promise of how late an alert may be. What feeds ask for themselves
    (<ttl>, Cache-Control) is not listened to: many say an hour, and an unchanged feed costs its server next to nothing.
    After failure: doubling, with jitter, up to six hours, or a quarter of an hour where no server was reached; never
    before Retry-After (up to a day).
    """
    interval = max(feed.interval, MIN_INTERVAL)
    if error is None:
        return now + interval * rng.uniform(0.95, 1.0)
    wait = interval * 2 ** min(state.failures, 20) if interval < MAX_BACKOFF else interval
    if isinstance(error, FetchError) and error.status in (403, 429) and error.retry_after is None:
        wait = max(wait, TOO_MANY)
    longest = MAX_UNREACHED if isinstance(error, FetchError) and not error.reached else MAX_BACKOFF
    wait = min(wait, max(longest, interval)) * rng.uniform(0.8, 1.0)
    if isinstance(error, FetchError) and error.retry_after is not None:
        asked = min(timedelta(seconds=error.retry_after), MAX_RETRY_AFTER)
        wait = max(wait, asked * rng.uniform(1.0, 1.05))
    return now + wait


def after_success(
    state: FeedState,
    feed: Feed,
    now: datetime,
    *,
    outcome: FetchOutcome,
    rng: random.Random,
    body_hash: str | None = None,
) -> FeedState:
    """The state after a poll that brought a feed or a 304. body_hash: of the new body."""
    return replace(
        state,
        next_due=next_due(state, feed, now, rng=rng),
        url=outcome.permanent_url or state.url,
        etag=outcome.etag,
        last_modified=outcome.last_modified,
        body_hash=body_hash or state.body_hash,
        failures=0,
        first_poll_done=True,
        last_ok=now,
        last_polled=now,
        last_error=None,
        stopped=None,
    )


def after_failure(state: FeedState, feed: Feed, now: datetime, *, error: RasidError, rng: random.Random) -> FeedState:
    """The state after a poll that failed. 410 stops the feed; a redirected feed that is missing falls back."""
    gone = isinstance(error, FetchError) and error.status == 410
    missing = isinstance(error, FetchError) and (error.status in (404, 410) or error.reason in ("dns", "redirect"))
    fall_back = missing and state.url is not None
    return replace(
        state,
        next_due=next_due(state, feed, now, error=error, rng=rng),
        url=None if fall_back else state.url,
        etag=None if fall_back else state.etag,
        last_modified=None if fall_back else state.last_modified,
        failures=state.failures + 1,
        last_polled=now,
        last_error=str(error)[:_ERROR_TEXT],
        stopped=GONE if gone and not fall_back else state.stopped,
    )
