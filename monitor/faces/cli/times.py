"""Times as people write and read them on the command line: in their own zone, or as how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.errors import RasidError

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])")
_DAYS_AGO = {"today": 0, "yesterday": 1, "اليوم": 0, "أمس": 1, "امس": 1}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(written: str, zone: str, now: datetime | None = None) -> datetime:
    """UTC from "7d", "12h" (ago), "today", "yesterday" (their beginning), "2026-11-20" or "2026-11-20T10:00" (in `zone`
    unless it names an offset).

    Raises RasidError.
    """
    now = now or datetime.now(UTC)
    ago = _AGO.fullmatch(written.strip())
    days = _DAYS_AGO.get(written.strip().lower())
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if days is not None:
            day = now.astimezone(ZoneInfo(zone)).date() - timedelta(days=days)
            return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
        given = datetime.fromisoformat(written.strip())
        return (given if given.tzinfo else given.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RasidError(f"{written!r} is no time: write 7d, 12h, yesterday, 2026-11-20 or 2026-11-20T10:00") from None


def shown(when: datetime | None, zone: str) -> str:
    """A moment in the user's zone, to the minute; "-" for none."""
    return when.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") if when else "-"
