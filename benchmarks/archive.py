"""The archive of real feeds that benchmarks replay: five outlets, one file of each for every day of May 2018."""

from __future__ import annotations

import calendar
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import feedparser

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "arabic_feeds.tar.xz"
NAMES = {
    "alarabia": ("العربية", "Al Arabiya", "AE"),
    "bbc": ("بي بي سي عربي", "BBC Arabic", "GB"),
    "cnn": ("سي إن إن بالعربية", "CNN Arabic", "US"),
    "france24": ("فرانس 24", "France 24", "FR"),
    "skynews": ("سكاي نيوز عربية", "Sky News Arabia", "AE"),
}
HOUR = timedelta(hours=1)
NEWEST = 100  # entries that a feed holds, served hourly
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>{}</title>{}</channel></rss>'


@dataclass(frozen=True)
class Entry:
    """One entry of the archive as plain feedparser reads it; raw: its text in the file."""

    outlet: str
    title: str
    published: datetime
    raw: str


@dataclass(frozen=True)
class Round:
    """What the feeds hold from a moment on, by outlet; until: the next round's moment."""

    at: datetime
    until: datetime
    bodies: Mapping[str, bytes]


@dataclass(frozen=True)
class Served:
    """The archive in rounds. first: when the first day is over, which is every feed's first poll."""

    rounds: int
    first: datetime
    make: Callable[[], Iterator[Round]]


def files() -> dict[tuple[str, str], bytes]:
    """The feed files by (day, outlet)."""
    found = {}
    with tarfile.open(DATA) as tar:
        for member in tar:
            if member.name.endswith(".xml"):
                outlet, _, day = Path(member.name).stem.partition("_")
                file = tar.extractfile(member)
                assert file is not None
                found[day, outlet] = file.read()
    return dict(sorted(found.items()))


def entries(archive: Mapping[tuple[str, str], bytes]) -> list[Entry]:
    """All entries, the oldest first: what must be accounted for, read without any code of the product."""
    found = []
    for (_, outlet), body in archive.items():
        raws = body.decode().split("<item>")[1:]
        read = feedparser.parse(BytesIO(body)).entries
        assert len(raws) == len(read)
        for raw, one in zip(raws, read, strict=True):
            published = datetime.fromtimestamp(calendar.timegm(one.published_parsed), UTC)
            item = f"<item>{raw.partition('</item>')[0]}</item>"
            found.append(Entry(outlet, " ".join(one.title.split()), published, item))
    return sorted(found, key=lambda one: one.published)


def daily(archive: Mapping[tuple[str, str], bytes]) -> Served:
    """Each day's files, at its end."""
    days = sorted({day for day, _ in archive})

    def rounds() -> Iterator[Round]:
        for day in days:
            end = _end_of(day)
            bodies = {outlet: body for (of, outlet), body in archive.items() if of == day}
            yield Round(end, end + timedelta(days=1), bodies)

    return Served(len(days), _end_of(days[0]), rounds)


def hourly(archive: Mapping[tuple[str, str], bytes], found: Sequence[Entry]) -> Served:
    """From the end of the first day on, every hour the newest entries of each outlet."""
    first = _end_of(min(day for day, _ in archive))
    of = {outlet: [one for one in found if one.outlet == outlet] for outlet in NAMES}
    count = -((found[-1].published - first) // -HOUR) + 1

    def rounds() -> Iterator[Round]:
        for number in range(count):
            at = first + number * HOUR
            newest = {o: [one.raw for one in all_of if one.published <= at][-NEWEST:] for o, all_of in of.items()}
            yield Round(at, at + HOUR, {o: HEAD.format(o, "".join(reversed(n))).encode() for o, n in newest.items()})

    return Served(count, first, rounds)


def _end_of(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(days=1)
