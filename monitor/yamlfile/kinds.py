"""Types of values in our files: durations, lists of texts, countries, languages, and the strict base of models."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema


class Strict(BaseModel):
    """Base of models of our files: unknown keys are errors, values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_LONGEST = timedelta(days=36500)


def parse_duration(value: object) -> timedelta:
    """`30s`, `5m`, `1h30m`, `2d`, `1w` or `0` as a timedelta; ValueError with the mend for anything else."""
    if isinstance(value, timedelta):
        return value
    text = re.sub(r"\s+", "", value).lower() if isinstance(value, str) else str(value)
    if re.fullmatch(r"0+", text):
        return timedelta(0)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError(f"a duration needs its unit: write {text}s, {text}m, {text}h or {text}d")
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{quoted(value)} is no duration: write it like 30s, 5m, 1h30m or 2d")
    seconds = sum(float(amount) * _UNITS[unit] for amount, unit in re.findall(r"([\d.]+)([smhdw])", text))
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"{quoted(value)} is longer than a hundred years: is the unit right?")
    return timedelta(seconds=seconds)


def show_duration(value: timedelta) -> str:
    """The shortest spelling that `parse_duration` reads back as the same value: 1h30m, 2d, 0s."""
    rest = value.total_seconds()
    parts = []
    for unit in "dhm":
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            parts.append(f"{count:.0f}{unit}")
    if rest or not parts:
        parts.append(f"{rest:g}s")
    return "".join(parts)


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(show_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^((\d+(\.\d+)?[smhdw])+|0)$", "examples": ["30s", "5m", "1h30m"]}),
]


_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def parse_clock(value: str) -> time:
    """`8:00` or `08:00` as a time of the day; ValueError with the mend for anything else."""
    found = _CLOCK.fullmatch(value)
    if found is None:
        raise ValueError(f"{quoted(value)} is no time of the day: write it like 08:00")
    return time(int(found[1]), int(found[2]))


def parse_hours(value: object) -> tuple[time, time] | None:
    """`23:00-07:00` as two times of the day, `off` as None; ValueError with the mend for anything else."""
    if value is None or (isinstance(value, tuple) and len(value) == 2):
        return value
    if str(value).strip().lower() in ("off", "none", "no", "false"):
        return None
    begin, dash, end = str(value).replace("–", "-").partition("-")
    try:
        hours = parse_clock(begin.strip()), parse_clock(end.strip())
    except ValueError:
        dash = ""
    if not dash:
        raise ValueError(f"{quoted(value)} are no hours: write two times of the day, like 23:00-07:00, or off")
    if hours[0] == hours[1]:
        raise ValueError("begin and end at the same time; a channel that is always quiet takes digests")
    return hours


def show_hours(value: tuple[time, time] | None) -> str:
    """As `parse_hours` reads it."""
    return f"{value[0]:%H:%M}-{value[1]:%H:%M}" if value else "off"


Hours = Annotated[
    tuple[time, time] | None,
    BeforeValidator(parse_hours),
    PlainSerializer(show_hours, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["23:00-07:00", "off"]}),
]


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) and value else value


Strings = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]  # a list of texts; one text stands for itself


def _country(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", value):
        raise ValueError(f"{quoted(value)} is no country code: write its two letters, like SA, EG or AE")
    return value.upper()


def _language(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}", value):
        raise ValueError(f"{quoted(value)} is no language code: write its two or three letters, like ar, en or fa")
    return value.lower()


Countries = Annotated[tuple[Annotated[str, AfterValidator(_country)], ...], BeforeValidator(_one_or_many)]
Languages = Annotated[tuple[Annotated[str, AfterValidator(_language)], ...], BeforeValidator(_one_or_many)]


def quoted(value: object) -> str:
    """The value in quotation marks, cut to a length fit for a message."""
    text = value if isinstance(value, str) else str(value)
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'
