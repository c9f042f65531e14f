"""What commands need to fetch a feed or page once: by the configured limits, in the same guarded way as the daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from monitor.feeds.fetch import Fetcher
from monitor.feeds.workers import ParseWorkers
from monitor.model import Page
from monitor.runtime.configuration import Configuration


@asynccontextmanager
async def tools(found: Configuration) -> AsyncIterator[tuple[Fetcher, ParseWorkers]]:
    """A fetcher and one parse worker, closed at the end."""
    fetch = found.settings.settings.fetch
    fetcher = Fetcher(
        limits=found.limits(),
        allow_private=fetch.allow_private,
        allow_loopback=fetch.allow_loopback,
        extra_ports=fetch.ports,
        proxy=fetch.proxy,
        user_agent=fetch.user_agent,
    )
    async with fetcher, ParseWorkers(1) as workers:
        yield fetcher, workers


async def read_page(found: Configuration, url: str) -> Page:
    """The text of a web page. FetchError, ParseError."""
    async with tools(found) as (fetcher, workers):
        got = await fetcher.fetch(url, feed=None)
        return await workers.extract(got.body or b"", got.url, got.headers)
