"""How well and how fast articles are placed in stories.

    python benchmarks/stories.py [--half tune|report|all] [--window-articles 30000] [--json]

Reads ../shared/data (real articles, pairs with their computed Jaccard, hand-labelled headline pairs); says so where it
is absent. Each source's articles are cut in time into two halves: thresholds were chosen on `tune`; `report`, the
default, was not looked at while choosing.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import itertools
import json
import resource
import statistics
import sys
import tarfile
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.model import Article
from monitor.stories.assign import assign, weigh
from monitor.stories.index import StoryIndex
from monitor.stories.signature import Signature, sign

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
WINDOW = timedelta(days=7)
BASE = datetime(2026, 1, 1, tzinfo=UTC)
BANDS = (0.4, 0.7, 0.9)


def article(outlet: str, title: str, body: str, when: datetime, *, key: str = "", url: str = "") -> Article:
    """An article as a feed would have given it."""
    return Article(
        feed_id=outlet, outlet_id=outlet, key=key, url=url, canonical_url=url, title=title, summary="", body=body,
        author="", tags=(), language="ar", published=when, first_seen=when, content_hash=f"{title}\n{body}",
    )  # fmt: skip


def load() -> list[tuple[str, str, Article]]:
    """(source, id, article), oldest first within a source; undated articles come minutes apart."""
    rows = []
    with gzip.open(DATA / "articles.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            try:
                when = datetime.fromisoformat(row["date"]).replace(tzinfo=UTC)
            except (TypeError, ValueError):
                when = BASE + timedelta(minutes=number)
            made = article(
                row["outlet"], row["title"] or "", row["body"] or "", when, key=row["id"], url=row["url"] or ""
            )
            rows.append((row["source_dataset"], row["id"], made))
    return sorted(rows, key=lambda row: (row[0], row[2].when))


def halves(rows: list[tuple[str, str, Article]], which: str) -> list[tuple[str, Article]]:
    """The articles of one half."""
    chosen = []
    for _, group in itertools.groupby(rows, key=lambda row: row[0]):
        source = list(group)
        middle = len(source) // 2
        part = {"tune": source[:middle], "report": source[middle:], "all": source}[which]
        chosen += [(identity, one) for _, identity, one in part]
    return chosen


class Placed:
    """A run: which story each article got, and how."""

    def __init__(self, rows: list[tuple[str, Article]]) -> None:
        self.story: dict[str, int] = {}
        self.how: dict[str, str] = {}
        self.detail: dict[str, str] = {}
        self.signatures: dict[str, Signature] = {}
        self.members: dict[int, list[str]] = defaultdict(list)
        self.articles = dict(rows)
        index = StoryIndex(WINDOW)
        for number, (identity, one) in enumerate(sorted(rows, key=lambda row: row[1].when), 1):
            signature = sign(one)
            index.expire(one.when)
            placement = assign(one, signature, index, one.when)
            story = placement.story_id or number
            index.add(number, story, signature, one.when)
            self.story[identity] = story
            self.how[identity] = placement.how
            self.detail[identity] = placement.detail
            self.signatures[identity] = signature
            self.members[story].append(identity)


def quality(placed: Placed) -> dict[str, object]:
    """Recall over the pairs with a known Jaccard; precision over all pairs that ended in one story."""
    known: dict[float, list[bool]] = {band: [] for band in BANDS}
    with gzip.open(DATA / "near_duplicate_pairs.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            a, b = row["a"], row["b"]
            if a not in placed.story or b not in placed.story:
                continue
            if abs(placed.articles[a].when - placed.articles[b].when) > WINDOW:
                continue
            for band in BANDS:
                if row["jaccard4"] >= band:
                    known[band].append(placed.story[a] == placed.story[b])
    pairs = [pair for members in placed.members.values() for pair in itertools.combinations(members, 2)]
    jaccards = [weigh(placed.signatures[a], placed.signatures[b]).body for a, b in pairs]
    return {
        "articles": len(placed.story),
        "stories": len(placed.members),
        "largest_story": max(map(len, placed.members.values())),
        "recall": {f">={band}": round(statistics.mean(hits), 4) if hits else None for band, hits in known.items()},
        "pairs_known": {f">={band}": len(hits) for band, hits in known.items()},
        "pairs_in_stories": len(pairs),
        "pairs_jaccard>=0.2": round(sum(j >= 0.2 or j < 0 for j in jaccards) / max(len(pairs), 1), 4),
        "pairs_jaccard>=0.35": round(sum(j >= 0.35 or j < 0 for j in jaccards) / max(len(pairs), 1), 4),
        "joined_by": {how: sum(h == how for h in placed.how.values()) for how in sorted(set(placed.how.values()))},
    }


def summaries(rows: list[tuple[str, Article]]) -> dict[str, object]:
    """Half of the copies cut to a summary of 30 words: do they still meet the full text?"""
    articles = dict(rows)
    index_hits, tried = 0, 0
    with gzip.open(DATA / "near_duplicate_pairs.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["jaccard4"] < 0.9 or row["a"] not in articles or row["b"] not in articles:
                continue
            one, other = articles[row["a"]], articles[row["b"]]
            if abs(one.when - other.when) > timedelta(days=2):
                continue
            cut = article(other.outlet_id, other.title, " ".join(other.body.split()[:30]), other.when, key="cut")
            index = StoryIndex(WINDOW)
            index.add(1, 1, sign(one), one.when)
            tried += 1
            index_hits += assign(cut, sign(cut), index, max(one.when, other.when)).story_id == 1
    return {"pairs": tried, "recall": round(index_hits / max(tried, 1), 4)}


def stances(which: str) -> dict[str, object]:
    """Of hand-labelled headline pairs, how many join when nothing but the headline is known."""
    joined: dict[str, list[bool]] = defaultdict(list)
    for name, one, other, label in _headlines():
        if which != "all" and (name == "train") != (which == "tune"):
            continue
        joined[label].append(_joins(one, other))
    return {label: {"pairs": len(hits), "joined": sum(hits)} for label, hits in sorted(joined.items())}


def _joins(one: str, other: str) -> bool:
    index = StoryIndex(WINDOW)
    index.add(1, 1, sign(article("a", one, "", BASE, key="first")), BASE)
    second = article("b", other, "", BASE + timedelta(hours=1), key="second")
    return assign(second, sign(second), index, second.when).story_id is not None


def _headlines() -> Iterator[tuple[str, str, str, str]]:
    with tarfile.open(DATA / "headline_stance_pairs.tar.xz") as tar:
        for name in ("train", "dev"):
            member = tar.extractfile(f"data/stance/{name}.csv")
            assert member is not None
            for row in csv.DictReader(io.TextIOWrapper(member, "utf-8")):
                yield name, row["s1"], row["s2"], row["stance"]


def speed(rows: list[tuple[str, str, Article]], size: int) -> dict[str, object]:
    """Microseconds an article with `size` articles in the window (different articles: the data holds 32,593)."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signed = [(one, sign(one)) for _, _, one in rows[: size + 1000]]
    index = StoryIndex(timedelta(days=36500))
    fill, fresh = signed[:-1000], signed[-1000:]
    started = time.perf_counter()
    for number, (one, signature) in enumerate(fill, 1):
        index.add(number, number, signature, one.when)
    adding = (time.perf_counter() - started) / len(fill)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    for one, _ in fresh:
        sign(one)
    signing = (time.perf_counter() - started) / len(fresh)
    started = time.perf_counter()
    for one, signature in fresh:
        assign(one, signature, index, one.when)
    placing = (time.perf_counter() - started) / len(fresh)
    return {
        "in_window": len(fill),
        "sign_us": round(signing * 1e6, 1),
        "place_us": round(placing * 1e6, 1),
        "add_us": round(adding * 1e6, 1),
        "index_mb": round((after - before) / 1024, 1),
    }


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--half", choices=("tune", "report", "all"), default="report")
    options.add_argument("--window-articles", type=int, default=30_000)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    if not (DATA / "articles.jsonl.gz").exists():
        print(json.dumps({"absent": "shared/data"}) if chosen.json else "The benchmark data (../shared) is absent.")
        return 0
    rows = load()
    figures: dict[str, object] = {"half": chosen.half, "speed": speed(rows, chosen.window_articles)}
    part = halves(rows, chosen.half)
    figures["stories"] = quality(Placed(part))
    figures["summary_against_full_text"] = summaries(part)
    figures["headlines_alone"] = stances(chosen.half)
    if chosen.json:
        print(json.dumps(figures, ensure_ascii=False))
    else:
        for topic, values in figures.items():
            print(f"{topic}:")
            shown = values.items() if isinstance(values, dict) else [("", values)]
            for name, value in shown:
                print(f"  {name:28} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
