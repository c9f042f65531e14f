"""Read the dates that feeds write: RFC 822, ISO 8601, and Arabic dates of every region. Pure; never raises.

A date without a time zone is read as UTC. A date a little ahead of now is a clock or zone error and becomes now;
one further ahead, or before the web, is no date.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_MARKS = re.compile(r"[\u0610-\u061a\u064b-\u065f\u0670\u0640\u200b-\u200f\u202a-\u202e\u2066-\u2069\u061c\ufeff]+")
_FOLD = str.maketrans("أإآٱىیئؤةک", "ااااييييهك")
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
SKEW = timedelta(days=1)

_NAMES: dict[int, str] = {
    1: "يناير|كانون الثاني|جانفي|january|jan",
    2: "فبراير|شباط|فيفري|february|feb",
    3: "مارس|اذار|march|mar",
    4: "ابريل|نيسان|افريل|april|apr",
    5: "مايو|ايار|ماي|may",
    6: "يونيو|حزيران|جوان|يونيه|june|jun",
    7: "يوليو|تموز|جويليه|يوليوز|يوليه|جويليا|july|jul",
    8: "اغسطس|اب|اوت|غشت|august|aug",
    9: "سبتمبر|ايلول|شتنبر|september|sept|sep",
    10: "اكتوبر|تشرين الاول|اوكتوبر|october|oct",
    11: "نوفمبر|تشرين الثاني|نونبر|نوفبمر|november|nov",
    12: "ديسمبر|كانون الاول|دجنبر|ديسنبر|december|dec",
}


def _fold(text: str) -> str:
    text = _MARKS.sub("", text.translate(_DIGITS)).translate(_FOLD).lower().replace("،", " ").replace(",", " ")
    return re.sub(r"\s+", " ", text).strip()


_MONTHS = {_fold(name): month for month, names in _NAMES.items() for name in names.split("|")}
_MONTH = "|".join(re.escape(name) for name in sorted(_MONTHS, key=len, reverse=True))
_NAMED = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?[ \-/.]*(?:من )?(?<![^\W\d_])({_MONTH})(?!\w)")
_NAMED_FIRST = re.compile(rf"(?<!\w)({_MONTH})(?!\w)\.? *(\d{{1,2}})(?!\d)")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_TIME = re.compile(
    r"(?<!\d)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)? *"
    r"(am|pm|a\.m\.|p\.m\.|صباحا|مساء|ظهرا|عصرا|ليلا|فجرا|ص(?!\w)|م(?!\w))?"
)
_ISO = re.compile(
    r"^(\d{4})-?(\d{2})(?:-?(\d{2}))?(?:[t ]+(\d{2}):?(\d{2})(?::?(\d{2})(?:[.]\d+)?)?)? *"
    r"(z|utc|gmt|[+-]\d{2}(?::?\d{2})?)?(?:\[.*\])?$"
)
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})[/.\-](\d{1,2})[/.\-]((?:19|20)\d\d)(?!\d)")
_NUMERIC_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)[/.](\d{1,2})[/.](\d{1,2})(?!\d)")
_ZONE = re.compile(
    r"(?:gmt|utc)? *([+-]\d{2}):?(\d{2})(?!\d)(?: |$)|\b(gmt|utc)\b *([+-]\d{1,2})?|(غرينتش|جرينتش)|(\bz)$"
)
_EPOCH = re.compile(r"^\d{10}(?:\d{3})?$")


def read(text: str) -> datetime | None:
    """The moment `text` names, in UTC; None where it names none. Nothing is clamped."""
    if not text or len(text) > 200:
        return None
    folded = _fold(text)
    for reader in (_iso, _rfc822, _epoch, _written):
        try:
            moment = reader(folded)
        except (ValueError, OverflowError, OSError):
            continue
        if moment is not None:
            return moment
    return None


def settle(moment: datetime | None, now: datetime) -> datetime | None:
    """`moment` as an article may carry it: None if absent, absurdly old or far ahead; `now` if slightly ahead."""
    if moment is None or moment < EARLIEST or moment > now + SKEW:
        return None
    return min(moment, now)


def _iso(text: str) -> datetime | None:
    match = _ISO.match(text)
    if match is None or (match[3] is None and "-" not in text):
        return None
    year, month = int(match[1]), int(match[2])
    clock = [int(match[i] or 0) for i in (4, 5, 6)]
    return _utc(year, month, int(match[3] or 1), clock, _offset(match[7]))


def _rfc822(text: str) -> datetime | None:
    if ":" not in text or not text.isascii() or re.search(r"\d *[ap]\.?m", text):
        return None
    parts = parsedate_tz(text)
    if parts is None:
        return None
    year, month, day, hour, minute, second = parts[:6]
    return _utc(year, month, day, [hour, minute, second], timedelta(seconds=parts[9] or 0))


def _epoch(text: str) -> datetime | None:
    if not _EPOCH.match(text):
        return None
    return datetime.fromtimestamp(int(text[:10]), UTC)


def _written(text: str) -> datetime | None:
    """A date in words or with slashes, anywhere in the text, with or without a time."""
    day, month, year, rest = _day_month_year(text)
    if not year:
        return None
    clock = _TIME.search(rest)
    hour, minute, second = (int(clock[1]), int(clock[2]), int(clock[3] or 0)) if clock else (0, 0, 0)
    half = (clock[4] or "") if clock else ""
    if half.startswith(("p", "م", "ظ", "ع")) or (half.startswith("ل") and 6 <= hour < 12):
        hour += 12 if hour < 12 else 0
    elif half and hour == 12:
        hour = 0
    zone = _ZONE.search(rest)
    offset = timedelta(0)
    if zone and zone[1]:
        offset = _offset(f"{zone[1]}{zone[2]}")
    elif zone and zone[4]:
        offset = timedelta(hours=int(zone[4]))
    return _utc(year, month, day, [hour, minute, second], offset)


def _day_month_year(text: str) -> tuple[int, int, int, str]:
    if match := _NUMERIC.search(text):
        day, month = int(match[1]), int(match[2])
        if month > 12 >= day:
            day, month = month, day
        return day, month, int(match[3]), text[: match.start()] + " " + text[match.end() :]
    if match := _NUMERIC_YEAR.search(text):
        return int(match[3]), int(match[2]), int(match[1]), text[: match.start()] + " " + text[match.end() :]
    named = _NAMED.search(text)
    if named:
        day, month = int(named[1]), _MONTHS[named[2]]
    else:
        named = _NAMED_FIRST.search(text)
        if named is None:
            return 0, 0, 0, text
        day, month = int(named[2]), _MONTHS[named[1]]
    rest = text[: named.start()] + " " + text[named.end() :]
    year = _YEAR.search(rest)
    return day, month, int(year[1]) if year else 0, rest


def _offset(zone: str | None) -> timedelta:
    if not zone or zone in ("z", "utc", "gmt"):
        return timedelta(0)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    return -size if zone[0] == "-" else size


def _utc(year: int, month: int, day: int, clock: list[int], offset: timedelta) -> datetime:
    """In UTC; 24:00 and leap seconds are carried over. ValueError for what no calendar has."""
    hour, minute, second = clock
    if not (0 <= hour <= 24 and 0 <= minute < 60 and 0 <= second <= 60 and abs(offset) < timedelta(hours=16)):
        raise ValueError("no such time of day")
    start = datetime(year, month, day, tzinfo=timezone(timedelta(0)))
    return (start + timedelta(hours=hour, minutes=minute, seconds=second) - offset).astimezone(UTC)
