"""The daemon: a clock that lets the flow run until it is told to stop.

APScheduler drives a handful of ticks; what is due is in the database, never in the scheduler. A tick only starts work,
so that one slow feed or chat never delays another. SIGTERM and SIGINT drain (a second one stops at once), SIGHUP and an
edit of a configuration file reload.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from rich.console import Console

from monitor import arrivals, pipeline
from monitor.arabic.tokens import index_text
from monitor.delivery.retry import QUARANTINE
from monitor.delivery.transports import Transport
from monitor.errors import StoreError
from monitor.flow import Flow
from monitor.model import Feed, FeedState
from monitor.model_delivery import DeliveryClaim, OutcomeKind
from monitor.runtime import assembly, following, logs, reload, silencing, stops, ticks
from monitor.runtime.configuration import Configuration
from monitor.runtime.health import Figures, serve
from monitor.runtime.logs import log
from monitor.runtime.troubles import Troubles
from monitor.store.connection import utc_now
from monitor.store.records import PruneReport

RELEASE_EVERY, INDEX_EVERY, PRUNE_EVERY, FOLLOW_EVERY = 10, 5, 6 * 3600, 15  # seconds
RELOAD_AGAIN = 5.0  # seconds until an edit is read again that the database kept from being taken over
AGAIN = 0.34  # seconds after deliveries were claimed, until others are
GRAIN = 0.05  # seconds between two looks for what is due
INDEX_BATCH = 50


class Companion(Protocol):
    """What lives beside the daemon in its loop, like the bot. Whatever becomes of it, alerts go on."""

    async def run(self) -> None:
        """Live until cancelled."""
        ...

    def reloaded(self, found: Configuration) -> None:
        """Work by this configuration from now on."""
        ...


class Daemon:
    """One running Rasid. Build it on an open flow, then `run` or `run_once`."""

    def __init__(
        self,
        flow: Flow,
        found: Configuration,
        *,
        clock: Callable[[], datetime] = utc_now,
        environ: Mapping[str, str] | None = None,
        console: Console | None = None,
    ) -> None:
        self.flow = flow
        self.found = found
        self.clock = clock
        self.environ = environ
        self.console = console
        self.figures = Figures()
        self.troubles = Troubles(flow, clock)
        self.companions: list[Companion] = []
        self._feeds: dict[str, Feed] = {feed.id: feed for feed in found.catalog.feeds}
        self._polls: set[asyncio.Task[None]] = set()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._unread: set[str] = set()  # feeds whose poll the database cut short
        self._looks: set[int] = set()  # that are to come, in grains of the loop's clock
        self._stopping = asyncio.Event()
        self._scheduler: AsyncIOScheduler | None = None

    @property
    def settings(self) -> Any:
        """The settings in force."""
        return self.found.settings.settings

    # ── running ──

    async def run(self) -> None:
        """Run until a signal says stop; then let deliveries under way end, and return."""
        await self._take_over()
        await self.troubles.started([feed.id for feed in self._feeds.values() if feed.enabled])
        self._listen()
        self._scheduler = scheduler = ticks.start(self._ticks(), self.clock())
        self._start(self._background, self._watch())
        for companion in self.companions:
            self._start(self._background, self._accompanied(companion))
        self._start(self._background, ticks.keep(scheduler, self.clock, told=self.troubles.clock_put_back))
        async with serve(self.figures, self.settings.http.host, self.settings.http.port):
            try:
                await self._stopping.wait()
            finally:
                log().info("stopping", deliveries=len(self._deliveries), polls=len(self._polls))
                scheduler.shutdown(wait=False)
                await self._drain()

    async def run_once(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Poll every feed that may be polled once, deliver what is due, and return how many feeds answered."""
        await self._take_over()
        claim = self.flow.store.claim_feeds
        states = await self.flow.write(
            lambda: claim(self.clock(), limit=100_000, lease=self.settings.polling.lease, force=True)
        )
        turns = asyncio.Semaphore(self.settings.polling.concurrency)
        done = 0

        async def poll(state: FeedState) -> None:
            nonlocal done
            async with turns:
                await self._poll(state)
            done += 1
            if progress:
                progress(done, len(states))

        await asyncio.gather(*(poll(state) for state in states))
        await self._release_tick()
        await self._deliver_all()
        await self._index()
        return self.troubles.answered

    async def _deliver_all(self) -> None:
        """Deliver until nothing is due but what a chat refuses for a while."""
        while True:
            sent = await pipeline.deliver_due(self.flow, self.clock, limit=self.settings.delivery.batch)
            if not sent and not await self.flow.write(self.flow.store.is_paced, self.clock(), self.flow.paces()):
                return
            gaps = [pace.min_gap for pace in self.flow.paces().values() if pace.min_gap]
            await asyncio.sleep(min(gaps, default=1.0))

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop, number)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._start(self._background, self.reload()))
        if stops.asked():
            self.stop()

    def _told_to_stop(self, number: int) -> None:
        if self._stopping.is_set():  # asked twice: at once
            raise SystemExit(128 + number)
        self.stop()

    async def _drain(self) -> None:
        """Polls are dropped, for their feeds are due again; deliveries get their time."""
        for task in self._polls:
            task.cancel()
        if self._deliveries:
            await asyncio.wait(self._deliveries, timeout=self.settings.delivery.drain.total_seconds())
        for task in (*self._deliveries, *self._background):
            task.cancel()
        await asyncio.gather(*self._polls, *self._deliveries, *self._background, return_exceptions=True)
        with contextlib.suppress(StoreError):  # else their leases run out
            await self.flow.write(self.flow.store.release_feeds)

    def _ticks(self) -> list[tuple[ticks.Tick, float]]:
        settings = self.settings
        every: list[tuple[ticks.Tick, float]] = [
            (self._poll_tick, settings.polling.tick.total_seconds()),
            (self._deliver_tick, settings.delivery.tick.total_seconds()),
            (self._release_tick, RELEASE_EVERY),
            (self._index, INDEX_EVERY),
            (self._prune, PRUNE_EVERY),
            (self.followed, FOLLOW_EVERY),
        ]
        return [(self._guarded(tick), seconds) for tick, seconds in every]

    def _guarded(self, tick: ticks.Tick) -> Callable[[], Coroutine[Any, Any, None]]:
        # hours pass before the next pruning: whether all is well again, a poll tick shows sooner
        work = "_poll_tick" if tick == self._prune else getattr(tick, "__name__", "")

        async def run() -> None:
            try:
                await tick()
                await self.troubles.store_works(work)
            except StoreError as error:
                self.troubles.store_fails(error, work)
            self.figures.store_failed(bool(self.troubles.store_failing))

        return run

    def _start(self, group: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        group.add(task)
        task.add_done_callback(group.discard)

    async def _take_over(self) -> None:
        store = self.flow.store
        lost = store.release_expired if store.shared else store.take_over
        count = await self.flow.write(lost, self.clock(), QUARANTINE)
        await self.flow.write(partial(store.release_feeds, everyones=not store.shared))
        await self.flow.write(store.resume_chats, self.clock())
        await self._release_tick(everything=True)  # the rules may have changed meanwhile
        await self.troubles.mended()
        await self._read_silences()
        await self.troubles.missed(await self.flow.write(store.orphans, list(self.flow.channels)))
        if count:
            log().warning("attempts were cut off by the last stop; they are made again", count=count)

    async def _read_silences(self) -> None:
        silences = await self.flow.write(self.flow.store.silences, self.clock())
        await self.troubles.silences_read(silencing.unread(self.found, silences))

    # ── ticks ──

    async def _poll_tick(self) -> None:
        free = self.settings.polling.concurrency - len(self._polls)
        self.figures.polling(len(self._polls))
        if free <= 0:
            return
        if unread := sorted(self._unread):
            await self.flow.write(partial(self.flow.store.release_feeds, only=unread))
            self._unread.difference_update(unread)
        claim = self.flow.store.claim_feeds
        lease = self.settings.polling.lease
        for state in await self.flow.write(lambda: claim(self.clock(), limit=free, lease=lease)):
            self._start(self._polls, self._poll(state))

    async def _poll(self, state: FeedState) -> None:
        feed = self._feeds.get(state.feed_id)
        if feed is None:
            return
        try:
            report = await pipeline.poll_feed(self.flow, feed, state, self.clock())
            await self.troubles.polled(feed, state, report)
            await self.troubles.store_works("poll")
        except StoreError as error:
            self._unread.add(feed.id)
            self.troubles.store_fails(error, "poll")
            return
        except Exception as error:
            log().exception("a poll failed unexpectedly", feed=feed.id, error=repr(error))
            return
        self.figures.polled(report)
        self.figures.failing(self.troubles.failing)
        if report.new or report.hits:
            log().info("polled", feed=feed.id, new=report.new, hits=report.hits, alerts=report.alerts)

    async def _deliver_tick(self) -> None:
        await self.flow.write(self.flow.store.release_expired, self.clock(), QUARANTINE)
        self.figures.delivering()
        # One is under way a chat at most, so chats that hang take no place from the others.
        claims = await pipeline.claim_due(self.flow, self.clock(), self.settings.delivery.batch)
        for claim in claims:
            self._start(self._deliveries, self._deliver(claim))
        if claims:  # more may wait, for other chats, than a bot may send in one go
            self._look_in(AGAIN)

    async def _deliver(self, claim: DeliveryClaim) -> None:
        try:
            outcome = await pipeline.deliver(self.flow, claim, self.clock)
            await self.troubles.store_works("deliver")
        except StoreError as error:  # the lease runs out, and the delivery is looked at again
            self.troubles.store_fails(error, "deliver")
            return
        except Exception as error:
            log().exception("a delivery failed unexpectedly", channel=claim.channel, error=repr(error))
            return
        self._look_again(claim)
        self.figures.delivered(claim.channel, outcome)
        told = log().info if outcome.kind in (OutcomeKind.SENT, OutcomeKind.NOT_MODIFIED) else log().warning
        told(claim.operation.value, channel=claim.channel, outcome=outcome.kind.value, detail=outcome.detail)

    def _look_again(self, claim: DeliveryClaim) -> None:
        """Look for what waits for the same chat as soon as its pace allows, which may lie between two ticks."""
        transport = self.flow.transports.get(claim.channel)
        if transport is not None and transport.pace.min_gap:
            self._look_in(transport.pace.min_gap)

    def _look_in(self, seconds: float) -> None:
        """Look for what is due after so long, besides the ticks; looks that would fall together are one."""
        loop = asyncio.get_running_loop()
        moment = math.ceil((loop.time() + seconds) / GRAIN)
        if self._scheduler is not None and moment not in self._looks:
            self._looks.add(moment)
            loop.call_at(moment * GRAIN, self._look, moment)

    def _look(self, moment: int) -> None:
        self._looks.discard(moment)
        if not self._stopping.is_set():
            self._start(self._background, self._guarded(self._deliver_tick)())

    async def _release_tick(self, *, everything: bool = False) -> None:
        release = partial(arrivals.release_held, self.flow, self.clock(), everything=everything)
        made = await self.flow.write(release)
        if made:
            log().info("held hits are released", alerts=made)

    async def _index(self) -> None:
        while await self.flow.write(self.flow.store.index_pending, index_text, INDEX_BATCH):
            pass

    async def _prune(self) -> None:
        await self.flow.write(self.flow.store.drop_signatures, self.clock() - self.flow.index.window)
        keep: timedelta | None = self.settings.retention.keep
        if keep is not None:
            steps = self.flow.store.prune_steps(self.clock(), keep)
            report = PruneReport()
            # each step is a turn of its own on the writer thread: alerts do not wait for the end of all of them
            while (so_far := await self.flow.write(next, steps, None)) is not None:
                report = so_far
            if report.articles:
                log().info("old articles removed", articles=report.articles, hits=report.hits)

    async def followed(self) -> None:
        """Look who follows which rules now."""
        await following.refresh(self.flow, lambda: self.found, self.clock())

    async def _accompanied(self, companion: Companion) -> None:
        try:
            await companion.run()
        except Exception as error:
            log().exception("a companion of the daemon ended; alerts go on without it", error=repr(error))

    # ── reloading ──

    async def _watch(self) -> None:
        async for _ in reload.edits(Path(self.found.settings.directory), self.found.read_as):
            await self.reload()

    async def _retire(self, transports: list[Transport], using: set[asyncio.Task[None]]) -> None:
        """Close transports that an edit replaced, when what they were doing has ended."""
        if using:
            await asyncio.wait(using, timeout=self.flow.lease.total_seconds())
        for transport in transports:
            await transport.close()

    async def reload(self) -> None:
        """Take over the configuration files as they now are; if anything is wrong, stay with what is in force."""
        while True:
            try:
                await self._reload()
                return await self.troubles.store_works("reload")
            except StoreError as error:
                self.troubles.store_fails(error, "reload")
                await asyncio.sleep(RELOAD_AGAIN)

    async def _reload(self) -> None:
        found = await reload.read(self.found, self.environ, self.troubles, self.flow.dictionary)
        if found is None:
            return
        before = self.found
        try:
            hints, retired = await assembly.configure(self.flow, found, self.clock(), self.console, before=before)
        except StoreError:  # no fault of the edit
            raise
        except Exception as error:
            await self.troubles.broken_edit([str(error)])
            return
        self._start(self._background, self._retire(retired, set(self._deliveries)))
        self.found = found
        self._feeds = {feed.id: feed for feed in found.catalog.feeds}
        self.troubles.feeds = sum(feed.enabled for feed in self._feeds.values())
        for companion in self.companions:
            companion.reloaded(found)
        logs.keep_secret(found.secrets())
        log().info("configuration reloaded", rules=len(found.rules.rules), feeds=len(self._feeds))
        for hint in hints:
            log().info(hint)
        for name in reload.needs_restart(before, found):
            log().warning("this setting changes with the next start", setting=name)
        await self._release_tick(everything=True)
        await self.troubles.mended()
        await self._read_silences()
        await self.troubles.missed(await self.flow.write(self.flow.store.orphans, list(self.flow.channels)))
