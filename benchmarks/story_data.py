"""What stories.py reads: articles, pairs, headlines, and what was read and judged by hand. Files never seen will do.

Articles are JSON lines with id, outlet, title, body, date and url; all but the id may be missing. Pairs are JSON lines
with a, b and jaccard4. Headlines are CSV with s1, s2 and stance, alone or in a tar. All may be packed (.gz, .xz).
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import yaml

from monitor.feeds.urls import canonical
from monitor.model import Article

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
OWN = Path(__file__).parent / "data"
WINDOW = timedelta(days=7)
BASE = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class DataError(Exception):
    """A file that cannot be read as what it should be: its place and what to do."""


@dataclass(frozen=True)
class Pair:
    """Two ids and the Jaccard of their texts, as the pair file says."""

    a: str
    b: str
    jaccard: float


def article(outlet: str, title: str, body: str, when: datetime, *, key: str = "", url: str = "") -> Article:
    """An article as a feed would have given it."""
    page = canonical(url) if url else ""
    return Article(
        feed_id=outlet, outlet_id=outlet, key=key or page, url=url, canonical_url=page, title=title, summary="",
        body=body, author="", tags=(), language="ar", published=when, first_seen=when,
        content_hash=f"{title}\n{body}",
    )  # fmt: skip


def articles(path: Path) -> tuple[dict[str, Article], int]:
    """The articles by id, oldest first, and how many were left out for want of a date.

    An article without a date takes the moment of the one before it in the file. A source none of whose articles has a
    date is left out, for its order says nothing; where nothing else is left, its articles come a minute apart.
    """
    rows = list(_rows(path, "id"))
    sources: dict[str, list[tuple[dict[str, Any], datetime | None]]] = {}
    for row in rows:
        source = str(row.get("source_dataset") or row.get("outlet") or "")
        sources.setdefault(source, []).append((row, _date(row.get("date"))))
    dated = {name: group for name, group in sources.items() if any(when for _, when in group)}
    if not dated:
        dated = {"": [(row, BASE + number * MINUTE) for number, row in enumerate(rows)]}
    found: dict[str, Article] = {}
    for group in dated.values():
        moment = next(when for _, when in group if when)
        for row, when in group:
            moment = when or moment
            identity = str(row["id"])
            if identity in found:
                raise DataError(f"{path}: two articles have the id {identity}")
            outlet, title, body, url = (str(row.get(name) or "") for name in ("outlet", "title", "body", "url"))
            found[identity] = article(outlet, title, body, moment, key=identity, url=url)
    return dict(sorted(found.items(), key=lambda one: one[1].when)), len(rows) - len(found)


def cut(one: Article, words: int | None) -> Article:
    """The article as a feed gives it that shows so many words; None: all of them."""
    return one if words is None else replace(one, body=" ".join(one.body.split()[:words]))


def pairs(path: Path) -> list[Pair]:
    """The pairs of a pair file."""
    found = []
    for row in _rows(path, "a", "b", "jaccard4"):
        try:
            found.append(Pair(str(row["a"]), str(row["b"]), float(row["jaccard4"])))
        except (TypeError, ValueError):
            raise DataError(f"{path}: jaccard4 of {row['a']} and {row['b']} is no number") from None
    return found


def headlines(path: Path) -> Iterator[tuple[str, str, str]]:
    """Pairs of headlines with their stance: agree, disagree, other."""
    if not path.exists():
        raise DataError(f"{path} is not there: name the file of headline pairs with --stance")
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            names = [one for one in tar.getnames() if one.endswith(".csv") and "claim" not in one]
            texts = [tar.extractfile(name).read().decode("utf-8-sig") for name in names]  # type: ignore[union-attr]
    else:
        texts = [_open(path).read()]
    for text in texts:
        for row in csv.DictReader(io.StringIO(text)):
            if not {"s1", "s2", "stance"} <= set(row):
                raise DataError(f"{path}: a line needs s1, s2 and stance; this file has {', '.join(map(str, row))}")
            yield row["s1"], row["s2"], row["stance"].strip().lower()


def labels(path: Path = OWN / "events.txt") -> dict[frozenset[str], bool]:
    """Which pairs were read, and whether the two report the same event."""
    if not path.exists():
        raise DataError(f"{path} is not there: name the file of what was read with --labels")
    verdicts: dict[frozenset[str], bool] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        sides = [set(side.split()) for side in line.split("|")]
        for one, other in itertools.combinations(sorted(set().union(*sides)), 2):
            verdicts[frozenset((one, other))] = any(one in side and other in side for side in sides)
    return verdicts


def contradictions(copies: bool, path: Path = OWN / "contradictions.yaml") -> Iterator[tuple[str, Article, Article]]:
    """The kind and the two articles, of two outlets and a minute apart, of every contradiction written by hand.

    copies: both texts end alike, so that what contradicts is all that differs.
    """
    for number, report in enumerate(yaml.safe_load(path.read_text(encoding="utf-8"))):
        for line, change in enumerate(report["against"]):
            ((kind, words),) = change.items()
            first = article("a", report["title"], f"{report['text']} {report['one']}", BASE, key=f"{number}")
            title, text = replaced(report["title"], words), replaced(report["text"], words)
            end = report["one" if copies else "two"]
            yield kind, first, article("b", title, f"{text} {end}", BASE + MINUTE, key=f"{number}-{line}")


def replaced(text: str, words: dict[str, str]) -> str:
    """The text with the words put in the place of others, all at once, the longest first."""
    wanted = {str(old): str(new) for old, new in words.items()}
    pattern = "|".join(map(re.escape, sorted(wanted, key=len, reverse=True)))
    return re.sub(pattern, lambda found: wanted[found[0]], text)


_FOLDED = str.maketrans("أإآىة", "ااايه")
_MARKS = re.compile("[\u064b-\u0652\u0640]")
_WORD = re.compile(r"[\u0621-\u064a]+|\d+|[a-z]+")


def shingles(text: str) -> set[tuple[str, ...]]:
    """The four-word shingles of a text, by the reckoning of the pair file: without marks, أإآ as ا, ى as ي, ة as ه."""
    words = _WORD.findall(_MARKS.sub("", text.lower()).translate(_FOLDED))
    return set(zip(words, words[1:], words[2:], words[3:], strict=False))


def _rows(path: Path, *needed: str) -> Iterator[dict[str, Any]]:
    if not path.exists():
        raise DataError(f"{path} is not there: name the files with --articles, --pairs and --stance")
    with _open(path) as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
            except ValueError:
                raise DataError(f"{path}:{number}: not a line of JSON") from None
            missing = [name for name in needed if not isinstance(row, dict) or row.get(name) in (None, "")]
            if missing:
                raise DataError(f"{path}:{number}: no {', '.join(missing)}")
            yield row


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _date(text: object) -> datetime | None:
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
