"""Figures of the running daemon, for /healthz and /metrics on an optional port."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from monitor.arrivals import PollReport
from monitor.model_delivery import Outcome

STALE = 120.0  # seconds without a look for what is due after which the daemon is not well


class Figures:
    """Counters since the start, and what tells a daemon that works from one that only runs."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._polls = Counter("rasid_polls", "Polls of feeds", ["result"], registry=self.registry)
        self._articles = Counter("rasid_articles", "New articles", registry=self.registry)
        self._hits = Counter("rasid_hits", "Hits of rules", registry=self.registry)
        self._alerts = Counter("rasid_alerts", "Alerts made", registry=self.registry)
        self._sent = Counter("rasid_deliveries", "Attempts at channels", ["channel", "outcome"], registry=self.registry)
        self._failures = Counter("rasid_database_failures", "Ticks that the database failed", registry=self.registry)
        self._running = Gauge("rasid_polls_running", "Polls under way", registry=self.registry)
        self._failing = Gauge(
            "rasid_feeds_failing", "Feeds that did not answer when last asked", registry=self.registry
        )
        self._looked = dict.fromkeys(("feeds", "deliveries"), time.monotonic())
        self._store_failed = False

    def polling(self, running: int) -> None:
        """The daemon looked for due feeds."""
        self._looked["feeds"] = time.monotonic()
        self._running.set(running)

    def delivering(self) -> None:
        """The daemon looked for due deliveries."""
        self._looked["deliveries"] = time.monotonic()

    def polled(self, report: PollReport) -> None:
        """A poll ended."""
        self._polls.labels("failed" if report.error else "ok").inc()
        self._articles.inc(report.new)
        self._hits.inc(report.hits)
        self._alerts.inc(report.alerts)

    def failing(self, feeds: int) -> None:
        """How many feeds did not answer when last asked."""
        self._failing.set(feeds)

    def delivered(self, channel: str, outcome: Outcome) -> None:
        """An attempt ended."""
        self._sent.labels(channel, outcome.kind.value).inc()

    def store_failed(self, failed: bool) -> None:
        """A tick ended, with or without the database."""
        self._store_failed = failed
        self._failures.inc(failed)

    def problems(self) -> list[str]:
        """Why the daemon does not do its work; empty where it does. A feed or channel that fails is not its fault."""
        now = time.monotonic()
        stale = [what for what, when in self._looked.items() if now - when > STALE]
        found = [f"no look for due {what} in {STALE:.0f} s" for what in stale]
        return [*found, "the database fails"] if self._store_failed else found


@asynccontextmanager
async def serve(figures: Figures, host: str, port: int | None) -> AsyncIterator[None]:
    """Answer on host:port while open; port None: on none. OSError where the port is taken."""
    if port is None:
        yield
        return

    async def healthz(_: web.Request) -> web.Response:
        problems = figures.problems()
        return web.json_response({"ok": not problems, "problems": problems}, status=503 if problems else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(figures.registry), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)  # whoever reads slowly delays no stop
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
