"""A configuration becomes a running flow: store, fetcher, workers, matcher, transports; opened and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from rich.console import Console

from monitor.delivery import channels, transports
from monitor.delivery.transports import Transport
from monitor.errors import DeliveryError, StoreError
from monitor.feeds.fetch import Fetcher
from monitor.feeds.workers import ParseWorkers
from monitor.flow import Flow
from monitor.matching.matcher import Matcher
from monitor.matching.queries import Queries
from monitor.model import RuleState
from monitor.model_delivery import Channel
from monitor.runtime import following, words
from monitor.runtime.configuration import Configuration
from monitor.runtime.database import open_store
from monitor.runtime.logs import log
from monitor.store.connection import utc_now
from monitor.stories import packed
from monitor.stories.index import StoryIndex
from monitor.stories.signature import sign

PRIME_BATCH = 200  # articles added to the story index in one go: a tenth of a second where they must be signed
PRIME_AGAIN = 5.0  # seconds


@asynccontextmanager
async def open_flow(
    found: Configuration,
    *,
    now: Callable[[], datetime] = utc_now,
    lock: bool = True,
    primed: bool = True,
    console: Console | None = None,
) -> AsyncIterator[tuple[Flow, tuple[str, ...]]]:
    """(the flow, hints for the user). Everything is closed at the end.

    lock: refuse to start beside another daemon on one SQLite file. primed: fill the story index; without it nothing
    may be polled. console: where console channels print.
    """
    settings = found.settings.settings
    async with AsyncExitStack() as stack:
        store = open_store(found, lock=lock, now=now)
        stack.callback(store.close)
        writer = stack.enter_context(ThreadPoolExecutor(1, "writer"))
        fetch, parsing = settings.fetch, settings.parsing
        fetcher = await stack.enter_async_context(
            Fetcher(
                limits=found.limits(),
                allow_private=fetch.allow_private,
                allow_loopback=fetch.allow_loopback,
                extra_ports=fetch.ports,
                proxy=fetch.proxy,
                user_agent=fetch.user_agent,
                per_host=fetch.per_host,
            )
        )
        workers = await stack.enter_async_context(
            ParseWorkers(
                parsing.workers,
                cpu_seconds=parsing.cpu_seconds,
                megabytes=parsing.megabytes,
                wall_seconds=parsing.wall_seconds,
                idle_seconds=parsing.idle.total_seconds(),
            )
        )
        flow = Flow(store, writer, fetcher, workers, Matcher([]), {}, {}, index=StoryIndex(settings.stories.window))
        flow.dictionary = await asyncio.to_thread(words.dictionary, log().info)
        hints, _ = await configure(flow, found, now(), console)
        stack.push_async_callback(close_transports, flow)
        if primed:
            flow.priming = asyncio.create_task(prime(flow, now()))
            stack.push_async_callback(_end, flow.priming)
        yield flow, hints


async def configure(
    flow: Flow,
    found: Configuration,
    now: datetime,
    console: Console | None = None,
    *,
    before: Configuration | None = None,
) -> tuple[tuple[str, ...], list[Transport]]:
    """Let the flow work by this configuration from now on. Raises DeliveryError, StoreError.

    Returns hints for the user, and the transports that are no longer used: close them when nothing is under way there.

    Used at the start and at every reload, then with the configuration in force `before`: channels that did not change
    keep their connections, the others are tried again at once. What cannot change while running is left as it is.
    """
    async with flow.configuring:
        return await _configure(flow, found, now, console, before)


async def _configure(
    flow: Flow, found: Configuration, now: datetime, console: Console | None, before: Configuration | None
) -> tuple[tuple[str, ...], list[Transport]]:
    resolved = channels.resolve(found.channels, found.settings.environ)
    people = await flow.write(following.followed, flow.store, found, now)
    wanted = {**resolved.channels, **people.channels}
    kept = _kept(flow, found, wanted, before)
    changed = {name: one for name, one in wanted.items() if name not in kept}
    built = {**kept, **build_transports(found, changed, console)}
    old = [one for name, one in flow.transports.items() if built.get(name) is not one]
    _take_over(flow, found, wanted, built, people.by_rule)
    paces = {name: transport.pace for name, transport in built.items()}
    await flow.write(flow.store.open_chats, paces, now)
    for name in built if before else ():
        if name not in kept:
            await flow.write(flow.store.resume_chat, name, now)
    await flow.write(flow.store.sync_feeds, found.catalog.feeds, now)
    return resolved.hints, old


def _take_over(
    flow: Flow,
    found: Configuration,
    wanted: Mapping[str, Channel],
    built: Mapping[str, Transport],
    followers: Mapping[str, tuple[str, ...]],
) -> None:
    settings = found.settings.settings
    watched = [one for one in found.rules.rules if one.rule.state is not RuleState.OFF]
    matcher = Matcher(
        [(one.rule, one.query) for one in watched],
        found.catalog.outlets,
        dictionary=flow.dictionary,
        before=flow.matcher,
    )
    queries = Queries(found.rules, found.catalog.outlets, flow.dictionary)
    with flow.changing:
        flow.matcher, flow.queries = matcher, queries
        flow.rules = {one.rule.id: one.rule for one in found.rules.rules}
        flow.channels, flow.transports, flow.routes = wanted, built, found.routes
        flow.followers = followers
        flow.buttons = following.with_buttons(found, wanted)
        flow.outlets = found.catalog.outlets
        flow.max_ages = {feed.id: feed.max_age for feed in found.catalog.feeds}
        flow.timezone = settings.zone
        flow.operator = None if settings.operator.channel == "log" else settings.operator.channel
        flow.lease = settings.delivery.lease
        flow.per_feed_cap = settings.polling.per_feed_cap
        flow.first_poll_age = settings.alerts.first_poll_age


def _kept(
    flow: Flow, found: Configuration, wanted: Mapping[str, Channel], before: Configuration | None
) -> dict[str, Transport]:
    """The transports of channels that did not change, nor the secrets and ways they are reached by."""
    if before is None or before.settings.environ != found.settings.environ:
        return {}
    if before.http_options() != found.http_options():
        return {}
    return {name: one for name, one in flow.transports.items() if flow.channels.get(name) == wanted.get(name)}


def build_transports(
    found: Configuration, wanted: Mapping[str, Channel], console: Console | None
) -> dict[str, Transport]:
    """A transport for each channel. DeliveryError with all that is wrong."""
    built: dict[str, Transport] = {}
    failures = []
    for name, channel in wanted.items():
        try:
            built[name] = transports.build(
                channel, found.settings.environ, http=found.http_options(), on_console=console
            )
        except DeliveryError as error:
            failures.append(str(error))
    if failures:
        raise DeliveryError("\n".join(failures))
    return built


async def check_channels(found: Configuration) -> None:
    """Build every channel and give it back, without speaking to anyone. DeliveryError: a daemon could not start."""
    wanted = channels.resolve(found.channels, found.settings.environ).channels
    for transport in build_transports(found, wanted, None).values():
        await transport.close()


async def close_transports(flow: Flow) -> None:
    """Give back the connections of every channel."""
    for transport in flow.transports.values():
        await transport.close()


async def prime(flow: Flow, now: datetime) -> None:
    """Fill the story index with the articles of its window, some at a time: what else the writer thread has to do goes
    on in between. A database that fails is asked again."""
    since = now - flow.index.window
    newest: int | None = None
    after = 0
    while True:
        try:
            if newest is None:
                newest = await flow.write(flow.store.newest_article)
                after = await flow.write(flow.store.oldest_since, since) - 1
            last = await flow.write(_prime_some, flow, since, after)
        except StoreError as error:
            log().warning("the recent stories cannot be read; tried again", error=str(error))
            await asyncio.sleep(PRIME_AGAIN)
            continue
        if last is None:
            break
        after = last
    flow.index.last_id = max(flow.index.last_id, newest)


def _prime_some(flow: Flow, since: datetime, after: int) -> int | None:
    """Add the next articles, above the id `after`; the last one's id, None where there were no more.

    Those whose signature was not kept are signed, and kept for the next start.
    """
    batch = flow.store.filed_since(since, after_id=after, limit=PRIME_BATCH)
    if not batch:
        return None
    known = {one.article_id: packed.unpack(one.signature or b"") for one in batch}
    strange = [article_id for article_id, signature in known.items() if signature is None]
    signed = {one.id: sign(one) for one in flow.store.articles_by_id(strange) if one.id is not None} if strange else {}
    if signed:
        flow.store.keep_signatures({article_id: packed.pack(signature) for article_id, signature in signed.items()})
    for one in batch:
        signature = known[one.article_id] or signed.get(one.article_id)
        if signature is not None:  # else it was removed meanwhile
            flow.index.add(one.article_id, one.part, signature, one.when)
            flow.overrules.belongs(one.part, one.story_id)
    return batch[-1].article_id


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
