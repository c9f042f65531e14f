"""Ticks that survive a clock put back, and what /healthz and /metrics say."""

import asyncio
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
import time_machine

from monitor.arrivals import PollReport
from monitor.model_delivery import Outcome, OutcomeKind
from monitor.runtime import health, ticks
from monitor.runtime.health import Figures, serve
from monitor.store.connection import utc_now


async def test_ticks_that_a_stop_cuts_short_are_no_errors_and_those_that_fail_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def hang() -> None:
        await asyncio.sleep(60)

    async def fail() -> None:
        raise ValueError("no good")

    scheduler = ticks.start([(hang, 60), (fail, 60)], utc_now())
    await asyncio.sleep(0.1)
    scheduler.shutdown(wait=False)
    await asyncio.sleep(0.1)
    assert {str(record.exc_info[1]) for record in caplog.records if record.exc_info} == {"no good"}


async def test_ticks_go_on_when_the_clock_is_put_back_or_forward() -> None:
    made: list[datetime] = []

    async def tick() -> None:
        made.append(utc_now())

    put_back: list[int] = []

    async def told(by: timedelta) -> None:
        put_back.append(by.days)

    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=True) as clock:
        scheduler = ticks.start([(tick, 0.05)], utc_now())
        keeper = asyncio.create_task(ticks.keep(scheduler, utc_now, told=told, look=0.05))
        try:
            await _until(lambda: len(made) >= 2)
            for jump in (timedelta(hours=-3), timedelta(hours=9), timedelta(days=50 * 365), timedelta(days=-365)):
                clock.shift(jump)
                before = len(made)
                await _until(lambda before=before: len(made) >= before + 3)  # type: ignore[misc]
        finally:
            keeper.cancel()
            scheduler.shutdown(wait=False)
    assert put_back == [0, 364]


async def _until(reached: Callable[[], bool]) -> None:
    for _ in range(400):
        if reached():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the ticks stopped")


async def test_health_says_what_is_wrong_and_metrics_count() -> None:
    figures = Figures()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with serve(figures, "127.0.0.1", port), aiohttp.ClientSession(trust_env=False) as session:
        async with session.get(f"http://127.0.0.1:{port}/healthz") as reply:
            assert (reply.status, await reply.json()) == (200, {"ok": True, "problems": []})
        figures.store_failed(True)
        async with session.get(f"http://127.0.0.1:{port}/healthz") as reply:
            assert (reply.status, (await reply.json())["problems"]) == (503, ["the database fails"])
        figures.store_failed(False)
        figures.polled(PollReport("a", new=3, hits=2, alerts=1))
        figures.polled(PollReport("b", error="dns"))
        figures.failing(1)
        figures.delivered("main", Outcome(OutcomeKind.RETRY))
        async with session.get(f"http://127.0.0.1:{port}/metrics") as reply:
            told = await reply.text()
    for line in (
        'rasid_polls_total{result="ok"} 1.0',
        'rasid_polls_total{result="failed"} 1.0',
        "rasid_articles_total 3.0",
        "rasid_hits_total 2.0",
        "rasid_alerts_total 1.0",
        "rasid_feeds_failing 1.0",
        "rasid_database_failures_total 1.0",
        'rasid_deliveries_total{channel="main",outcome="retry"} 1.0',
    ):
        assert line in told


def test_a_daemon_that_no_longer_looks_for_work_is_not_well() -> None:
    figures = Figures()
    figures._looked["deliveries"] -= health.STALE + 1
    assert figures.problems() == ["no look for due deliveries in 120 s"]
    figures.delivering()
    assert figures.problems() == []
