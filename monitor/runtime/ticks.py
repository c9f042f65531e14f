"""The scheduler: a handful of ticks by the wall clock, which may be put back or forward without stopping them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

Tick = Callable[[], Awaitable[None]]
LOOK = 2.0  # seconds between two looks at the clock
LATE = 3600  # seconds by which a tick may be late and is made all the same


class Every(IntervalTrigger):  # type: ignore[misc]
    """Ticks that were missed are left out. The scheduler would list each of them, and a machine that wakes with a clock
    of 1970 and is then set right would have no memory left."""

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        following: datetime | None = super().get_next_fire_time(previous, now)
        return following if following is None or following > now else now + self.interval


class _NotCancelled(logging.Filter):
    """Leaves out what the scheduler tells of ticks that a stop cut short: it takes that for their failure."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


_cut_short = _NotCancelled()


def start(ticks: Sequence[tuple[Tick, float]], now: datetime) -> AsyncIOScheduler:
    """A running scheduler that makes each tick at once and then every so many seconds; never two of one at a time."""
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": LATE}
    scheduler = AsyncIOScheduler(timezone="UTC", job_defaults=defaults)
    for tick, seconds in ticks:
        scheduler.add_job(tick, Every(seconds=seconds), next_run_time=now)
    scheduler.start()
    logging.getLogger("apscheduler.executors.default").addFilter(_cut_short)
    return scheduler


async def keep(
    scheduler: AsyncIOScheduler,
    clock: Callable[[], datetime],
    *,
    told: Callable[[timedelta], Awaitable[None]],
    look: float = LOOK,
) -> None:
    """Make the ticks go on when the clock is put back: they would else wait until it has caught up. Runs until
    cancelled. told: hears by how much."""
    before = clock()
    while True:
        await asyncio.sleep(look)
        now = clock()
        if now < before:
            for job in scheduler.get_jobs():
                job.modify(next_run_time=now)
            await told(before - now)
        before = now
