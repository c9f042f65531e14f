"""How a channel tells an alert: at once, or later in a digest. Pure; nothing here reads a clock or a database.

The first that applies wins:

    quiet hours · the channel takes digests · more than its burst limit · at once

A digest that would go inside quiet hours goes at their end. All times of the day are the channel's own; where the clock
skips one, it is as much later as was skipped, and where the clock shows one twice, it is the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.model import Severity
from monitor.model_delivery import Channel, Mode, Place, Schedule

LOUD = (Severity.HIGH, Severity.NORMAL)  # severities that make a sound
HURRY = timedelta(minutes=1)  # a digest that severity high joins in a burst goes no later than this
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What a channel was told within its burst window: stories, and those of them of high severity."""

    told: int = 0
    high: int = 0


def place(channel: Channel, severity: Severity, now: datetime, zone: ZoneInfo, crowd: Crowd) -> Place:
    """How an alert of this severity is told in the channel. crowd: without this alert."""
    morning = _quiet_until(channel, severity, now, zone)
    if morning is not None:
        return _quiet(channel, morning, zone)
    if channel.mode is Mode.DIGEST and channel.digest is not None:
        until = following(channel.digest, now, zone)
        return _held(channel, severity, "digest", until, zone, f"digest at {_clock(until, zone)}")
    high = severity is Severity.HIGH
    if channel.burst and (crowd.high if high else crowd.told) >= channel.burst:
        until = now + (HURRY if high else channel.burst_window)
        words = f"burst: more than {channel.burst} in {_minutes(channel.burst_window)}; digest at {_clock(until, zone)}"
        return _held(channel, severity, "burst", until, zone, words)
    return Place(channel.name, channel.mode)


def loud(channel: Channel, now: datetime, zone: ZoneInfo) -> tuple[Severity, ...]:
    """The severities that make a sound now: what was to go before the quiet hours, and could not, wakes nobody."""
    return tuple(one for one in LOUD if _quiet_until(channel, one, now, zone) is None)


def following(schedule: Schedule, now: datetime, zone: ZoneInfo) -> datetime:
    """The next moment after `now` at which digests of this schedule go."""
    local = now.astimezone(zone)
    if schedule.every is not None:
        since = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return now.astimezone(UTC) + schedule.every - since % schedule.every
    return min(_next(moment, now, zone) for moment in schedule.times)


def _quiet(channel: Channel, until: datetime, zone: ZoneInfo) -> Place:
    assert channel.quiet is not None
    begin, end = channel.quiet
    held = f"quiet hours until {_clock(until, zone)}"
    return Place(channel.name, Mode.DIGEST, "quiet", until, held, f"{begin:%H:%M}–{end:%H:%M}")


def _held(channel: Channel, severity: Severity, why: str, until: datetime, zone: ZoneInfo, words: str) -> Place:
    morning = _quiet_until(channel, severity, until, zone)
    if morning is not None:
        return _quiet(channel, morning, zone)
    return Place(channel.name, Mode.DIGEST, why, until, words)


def _quiet_until(channel: Channel, severity: Severity, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """The end of the quiet hours that the moment lies in, if they hold this severity back; None: it lies in none.

    They begin and end at moments, not at what a clock shows: a clock that is put back shows times of them once more.
    """
    if channel.quiet is None or (severity is Severity.HIGH and not channel.quiet_high):
        return None
    begin, end = channel.quiet
    today = moment.astimezone(zone).date()
    for day in (today, today - _DAY):
        until = _at(day if begin < end else day + _DAY, end, zone)
        if _at(day, begin, zone) <= moment.astimezone(UTC) < until:
            return until
    return None


def _next(moment: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The next time after `now` that the clocks of the zone show this time of the day."""
    day = now.astimezone(zone).date()
    for days in range(-1, 3):
        at = _at(day + days * _DAY, moment, zone)
        if at > now:
            return at
    raise AssertionError("a day has at most 25 hours")


def _at(day: date, moment: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, moment, zone).astimezone(UTC)


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%H:%M}"


def _minutes(window: timedelta) -> str:
    return f"{int(window.total_seconds() // 60)}m"
