"""How a channel tells an alert: at once, or later in a digest. Pure; nothing here reads a clock or a database.

The first that applies wins:

    quiet hours · the channel takes digests · more than its burst limit · at once

A digest that would go inside quiet hours goes at their end. All times of the day are the channel's own; where the clock
skips one, it is as much later as was skipped, and where the clock shows one twice, it is the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.model import Severity
from monitor.model_delivery import Channel, Mode, Place, Schedule

HURRY = timedelta(minutes=1)  # a digest that severity high joins in a burst goes no later than this
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What a channel was told within its burst window: stories, and those of them of high severity."""

    told: int = 0
    high: int = 0


def place(channel: Channel, severity: Severity, now: datetime, zone: ZoneInfo, crowd: Crowd) -> Place:
    """How an alert of this severity is told in the channel. crowd: without this alert."""
    if _is_quiet(channel, severity, now, zone):
        return _quiet(channel, now, zone)
    if channel.mode is Mode.DIGEST and channel.digest is not None:
        until = following(channel.digest, now, zone)
        return _held(channel, severity, "digest", until, zone, f"digest at {_clock(until, zone)}")
    high = severity is Severity.HIGH
    if channel.burst and (crowd.high if high else crowd.told) >= channel.burst:
        until = now + (HURRY if high else channel.burst_window)
        words = f"burst: more than {channel.burst} in {_minutes(channel.burst_window)}; digest at {_clock(until, zone)}"
        return _held(channel, severity, "burst", until, zone, words)
    return Place(channel.name, channel.mode)


def following(schedule: Schedule, now: datetime, zone: ZoneInfo) -> datetime:
    """The next moment after `now` at which digests of this schedule go."""
    local = now.astimezone(zone)
    if schedule.every is not None:
        since = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return now.astimezone(UTC) + schedule.every - since % schedule.every
    return min(_next(moment, now, zone) for moment in schedule.times)


def _quiet(channel: Channel, now: datetime, zone: ZoneInfo) -> Place:
    assert channel.quiet is not None
    begin, end = channel.quiet
    until = _next(end, now, zone)
    held = f"quiet hours until {_clock(until, zone)}"
    return Place(channel.name, Mode.DIGEST, "quiet", until, held, f"{begin:%H:%M}–{end:%H:%M}")


def _held(channel: Channel, severity: Severity, why: str, until: datetime, zone: ZoneInfo, words: str) -> Place:
    if _is_quiet(channel, severity, until, zone):
        return _quiet(channel, until, zone)
    return Place(channel.name, Mode.DIGEST, why, until, words)


def _is_quiet(channel: Channel, severity: Severity, moment: datetime, zone: ZoneInfo) -> bool:
    if channel.quiet is None or (severity is Severity.HIGH and not channel.quiet_high):
        return False
    begin, end = channel.quiet
    clock = moment.astimezone(zone).time()
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def _next(moment: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The next time after `now` that the clocks of the zone show this time of the day."""
    day = now.astimezone(zone).date()
    for days in range(-1, 3):
        at = datetime.combine(day + days * _DAY, moment, zone).astimezone(UTC)
        if at > now:
            return at
    raise AssertionError("a day has at most 25 hours")


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%H:%M}"


def _minutes(window: timedelta) -> str:
    return f"{int(window.total_seconds() // 60)}m"
