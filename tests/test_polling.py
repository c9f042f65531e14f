"""When a feed is polled next, whatever happened and whatever the clock did."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import FetchError, ParseError
from monitor.feeds.polling import (
    MAX_BACKOFF,
    MAX_RETRY_AFTER,
    MAX_UNREACHED,
    MIN_INTERVAL,
    after_failure,
    after_success,
    next_due,
)
from monitor.model import Feed, FeedState, FetchOutcome, Outlet

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FEED = Feed("sahel", "https://sahel.example/rss", Outlet("sahel", "أنباء الساحل", "Sahel", "SY", "ar"))
STATE = FeedState("sahel", NOW)
INTERVALS = st.timedeltas(timedelta(0), timedelta(days=3))
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def feed(interval: timedelta) -> Feed:
    return Feed(FEED.id, FEED.url, FEED.outlet, interval=interval)


def outcome(moved: str | None = None, status: int = 200) -> FetchOutcome:
    return FetchOutcome(status, FEED.url, b"", {}, etag='"2"', permanent_url=moved)


def refused(status: int, wait: float | None = None) -> FetchError:
    return FetchError("status", f"sahel.example: answered {status}", status=status, retry_after=wait)


@given(INTERVALS, st.integers(0, 10**6), MOMENTS, st.integers())
def test_after_success_a_feed_is_due_within_its_interval(
    interval: timedelta, failures: int, now: datetime, seed: int
) -> None:
    state = FeedState("sahel", now, failures=failures)
    due = next_due(state, feed(interval), now, rng=random.Random(seed))
    least = max(interval, MIN_INTERVAL)
    assert least * 0.94 <= due - now <= least


@given(INTERVALS, st.integers(0, 10**6), MOMENTS, st.none() | st.floats(0, 10**9), st.integers())
def test_after_failure_the_wait_has_a_floor_and_a_ceiling(
    interval: timedelta, failures: int, now: datetime, asked: float | None, seed: int
) -> None:
    state = FeedState("sahel", now, failures=failures)
    wait = next_due(state, feed(interval), now, error=refused(503, asked), rng=random.Random(seed)) - now
    least = max(interval, MIN_INTERVAL)
    assert wait >= least * 0.79
    ceiling = max(MAX_BACKOFF, least)
    if asked is None:
        assert wait <= ceiling
    else:
        told = min(timedelta(seconds=asked), MAX_RETRY_AFTER)
        assert told <= wait <= max(ceiling, told * 1.06)


def test_each_failure_in_a_row_waits_longer_until_the_cap() -> None:
    state, waits = STATE, []
    for _ in range(12):
        state = after_failure(state, FEED, NOW, error=ParseError("x"), rng=random.Random(1))
        waits.append(state.next_due - NOW)
    assert waits == sorted(waits)
    assert waits[0] <= timedelta(minutes=5)
    assert waits[-1] <= MAX_BACKOFF
    assert waits[-1] >= MAX_BACKOFF * 0.8
    assert state.failures == 12
    healed = after_success(state, FEED, NOW, outcome=outcome(), rng=random.Random(1))
    assert (healed.failures, healed.last_error, healed.etag) == (0, None, '"2"')


def test_a_feed_that_was_not_reached_is_asked_again_soon_for_the_trouble_may_be_ours() -> None:
    state = replace(STATE, failures=12)
    waits = {
        reason: after_failure(state, FEED, NOW, error=FetchError(reason, "x"), rng=random.Random(1)).next_due - NOW
        for reason in ("dns", "refused", "timeout", "network", "tls", "redirect")
    }
    assert [reason for reason, wait in waits.items() if wait <= MAX_UNREACHED] == [
        "dns",
        "refused",
        "timeout",
        "network",
    ]


def test_feeds_that_fail_together_do_not_come_back_together() -> None:
    rng = random.Random(3)
    dues = {after_failure(STATE, FEED, NOW, error=ParseError("x"), rng=rng).next_due for _ in range(50)}
    assert len(dues) == 50


def test_too_many_requests_without_a_time_waits_a_quarter_of_an_hour() -> None:
    due = next_due(STATE, FEED, NOW, error=refused(429), rng=random.Random(1))
    assert timedelta(minutes=12) <= due - NOW <= timedelta(minutes=15)


def test_a_feed_that_is_gone_stops_and_one_that_had_moved_falls_back_first() -> None:
    gone = after_failure(STATE, FEED, NOW, error=refused(410), rng=random.Random(1))
    assert gone.stopped
    moved = FeedState("sahel", NOW, url="https://new.example/rss", etag='"1"')
    back = after_failure(moved, FEED, NOW, error=refused(410), rng=random.Random(1))
    assert (back.stopped, back.url, back.etag) == (None, None, None)
    assert after_failure(STATE, FEED, NOW, error=refused(404), rng=random.Random(1)).stopped is None


def test_a_permanent_redirect_is_remembered() -> None:
    there = after_success(STATE, FEED, NOW, outcome=outcome(moved="https://new.example/rss"), rng=random.Random(1))
    assert there.url == "https://new.example/rss"
    later = after_success(there, FEED, NOW, outcome=outcome(status=304), rng=random.Random(1))
    assert later.url == "https://new.example/rss"
