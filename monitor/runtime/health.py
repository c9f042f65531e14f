"""Figures of the running daemon, for /healthz and /metrics on an optional port."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from monitor.arrivals import PollReport
from monitor.model import Outcome

STALE = 600.0  # seconds without a look for due feeds after which the daemon is not well


class Figures:
    """Counters since the start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._polls = Counter("rasid_polls", "Polls of feeds", ["result"], registry=self.registry)
        self._articles = Counter("rasid_articles", "New articles", registry=self.registry)
        self._hits = Counter("rasid_hits", "Hits of rules", registry=self.registry)
        self._alerts = Counter("rasid_alerts", "Alerts made", registry=self.registry)
        self._sent = Counter("rasid_deliveries", "Attempts at channels", ["channel", "outcome"], registry=self.registry)
        self._running = Gauge("rasid_polls_running", "Polls under way", registry=self.registry)
        self._looked = time.monotonic()

    def polling(self, running: int) -> None:
        """The daemon looked for due feeds."""
        self._looked = time.monotonic()
        self._running.set(running)

    def polled(self, report: PollReport) -> None:
        """A poll ended."""
        self._polls.labels("failed" if report.error else "ok").inc()
        self._articles.inc(report.new)
        self._hits.inc(report.hits)
        self._alerts.inc(report.alerts)

    def delivered(self, channel: str, outcome: Outcome) -> None:
        """An attempt ended."""
        self._sent.labels(channel, outcome.kind.value).inc()

    def well(self) -> bool:
        """Whether the daemon still looks for due feeds."""
        return time.monotonic() - self._looked < STALE


@asynccontextmanager
async def serve(figures: Figures, host: str, port: int | None) -> AsyncIterator[None]:
    """Answer on host:port while open; port None: on none. OSError where the port is taken."""
    if port is None:
        yield
        return

    async def healthz(_: web.Request) -> web.Response:
        well = figures.well()
        return web.json_response({"ok": well}, status=200 if well else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(figures.registry), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
