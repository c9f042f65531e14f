"""How a channel tells what it is sent, as channels.yaml spells it. Each check: a value as written → (value, "") or
(None, what is wrong). Each show_…: a value as the check reads it back."""

from __future__ import annotations

import re
from datetime import time, timedelta

from monitor.model_delivery import Mode, Schedule
from monitor.yamlfile import parse_clock, parse_duration, parse_hours, show_duration

BURST = 15  # stories one by one within BURST_WINDOW, of a channel that people read and that sets no limit
BURST_WINDOW = timedelta(minutes=5)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_OFF = ("off", "no", "false")


def mode(value: str) -> tuple[object, str]:
    try:
        return Mode(value), ""
    except ValueError:
        return None, f"no mode {value!r}: write each (every article), story (one message a story) or digest"


def digest(value: str) -> tuple[object, str]:
    """15m, hourly, 6h, daily 08:00, daily 08:00 18:00 → a Schedule"""
    word, _, rest = value.partition(" ")
    if word == "daily":
        try:
            times = {parse_clock(one) for one in rest.replace(",", " ").split()}
        except ValueError:
            times = set()
        if times:
            return Schedule(times=tuple(sorted(times))), ""
        return None, "needs the times of the day, like: daily 08:00, or: daily 08:00 18:00"
    try:
        every = _HOUR if value == "hourly" else parse_duration(value)
    except ValueError:
        return None, f"cannot be read: {value!r}; write 15m, hourly, 6h or daily 08:00"
    short = every < timedelta(minutes=1)
    if short or (_HOUR % every if every < _HOUR else every % _HOUR or _DAY % every):
        return (
            None,
            f"{value} does not go into the hour, or into the day: write 5m, 15m, 30m, hourly, 6h, daily 08:00 …",
        )
    if every <= _HOUR:
        return Schedule(every=every), ""
    return Schedule(times=tuple(time(hour) for hour in range(0, 24, int(every / _HOUR)))), ""


def show_digest(value: Schedule) -> str:
    if value.every is None:
        return f"daily {' '.join(f'{one:%H:%M}' for one in value.times)}"
    return "hourly" if value.every == _HOUR else show_duration(value.every)


def burst(value: str) -> tuple[object, str]:
    """15, 15 in 5m, off → (stories, window)"""
    if value in _OFF:
        return (0, BURST_WINDOW), ""
    found = re.fullmatch(r"(\d{1,4})(?:\s+in\s+(\S+))?", value)
    try:
        window = parse_duration(found[2]) if found and found[2] else BURST_WINDOW
    except ValueError:
        found = None
    if found is None or int(found[1]) == 0 or not timedelta(minutes=1) <= window <= _HOUR:
        return None, "must be a number of stories, like 15, or 15 in 5m (1m to 1h), or off"
    return (int(found[1]), window), ""


def show_burst(stories: int, window: timedelta) -> str:
    return f"{stories} in {show_duration(window)}" if stories else "off"


def quiet(value: str) -> tuple[object, str]:
    """23:00-07:00, off → (from, to), () where there are none"""
    try:
        return parse_hours(value) or (), ""
    except ValueError as error:
        return None, str(error)
