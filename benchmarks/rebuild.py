"""A start among very many recent articles: how long until the story index is filled from the database again.

    python benchmarks/rebuild.py [--articles N] [--summaries] [--database postgres|URL] [--json]

Stores N articles (100,000) of the last six days and fills the index as a start of `rasid run` does: from the signatures
that were kept, and once without them, as after an upgrade that signs differently (--once leaves that out). The texts
are those of ../shared/data/articles.jsonl.gz; used again, every seventh word is another word of the same text, so that
none is a copy. --summaries: the first forty words of each, as most feeds give. Ends with 1 where the first took longer
than ten seconds (for 100,000), or where the two place an article differently.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from benchmarks.archive import DATA
from benchmarks.house import ROOT
from benchmarks.processes import peak_mb
from monitor.model import Article, Placement
from monitor.runtime import configuration
from monitor.runtime.assembly import open_flow
from monitor.runtime.configuration import Configuration
from monitor.store.store import Store
from monitor.stories import packed
from monitor.stories.assign import assign
from monitor.stories.index import StoryIndex
from monitor.stories.signature import sign
from tests.postgres import postgres_server

ARCHIVE = DATA.with_name("articles.jsonl.gz")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPAN = timedelta(days=6)
GOAL = 10.0  # seconds, for 100,000 articles
BATCH = 500
ASKED = 300  # articles placed in both indexes
SUMMARY = 40  # words


def articles(count: int, *, summaries: bool) -> Iterator[Article]:
    """`count` articles, the oldest first."""
    texts = _texts()
    rng = random.Random(5)
    for number in range(count):
        outlet, title, body = texts[number % len(texts)]
        if number >= len(texts):
            title, body = _other(title, rng), _other(body, rng)
        if summaries:
            body = " ".join(body.split()[:SUMMARY])
        seen = NOW - SPAN + SPAN * number / count
        address = f"https://{outlet}.example/news/{10_000_000 + number}"
        yield Article(
            feed_id=outlet, outlet_id=outlet, key=address, url=address, canonical_url=address, title=title,
            summary="" if not summaries else body, body="" if summaries else body, author="", tags=(), language="ar",
            published=seen, first_seen=seen, content_hash=str(number),
        )  # fmt: skip


@cache
def _texts() -> list[tuple[str, str, str]]:
    """(outlet, title, body) of every article of the archive."""
    with gzip.open(ARCHIVE, "rt", encoding="utf-8") as lines:
        return [(one["outlet"], one["title"], one["body"]) for one in map(json.loads, lines)]


def _other(text: str, rng: random.Random) -> str:
    words = text.split()
    return " ".join(rng.choice(words) if rng.randrange(7) == 0 else word for word in words)


def fill(store: Store, count: int, *, summaries: bool) -> None:
    """Store them as an intake does, each in a story of its own."""
    waiting: list[Article] = []

    def write() -> None:
        with store.intake(NOW) as tx:
            for one in waiting:
                tx.add_article(one, tx.open_story(NOW), Placement(None, "new"), False, packed.pack(sign(one)))
        waiting.clear()

    made = articles(count, summaries=summaries)
    for one in track(made, "storing", total=count, console=Console(stderr=True), transient=True):
        waiting.append(one)
        if len(waiting) == BATCH:
            write()
    write()


async def rebuild(found: Configuration) -> tuple[float, float, StoryIndex]:
    """(seconds, CPU seconds, the index) of a start."""
    async with open_flow(found, now=lambda: NOW) as (flow, _):
        began, cpu = time.perf_counter(), time.process_time()
        await flow.primed()
        return time.perf_counter() - began, time.process_time() - cpu, flow.index


def placements(index: StoryIndex, count: int, *, summaries: bool) -> list[Placement]:
    """Where copies of some of the articles would go."""
    asked = [one for number, one in enumerate(articles(count, summaries=summaries)) if number % (count // ASKED) == 0]
    return [
        assign(one, sign(one), index, NOW)
        for one in (replace(one, outlet_id="copy", key="copy", canonical_url="", content_hash="copy") for one in asked)
    ]


def run(options: argparse.Namespace) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rasid-rebuild-")))
        url = options.database or f"sqlite:///{folder}/rasid.db"
        if url == "postgres":
            url = stack.enter_context(postgres_server(durable=True)).new_database()
        found = configuration.load(ROOT / "config", {"RASID_DATABASE__URL": url})
        store = Store.open(found.settings.settings.database.url, owner="rebuild")
        stack.callback(store.close)
        if store.newest_article() != options.articles:
            fill(store, options.articles, summaries=options.summaries)
        seconds, cpu, index = asyncio.run(rebuild(found))
        peak = peak_mb(os.getpid())
        report: dict[str, Any] = {
            "articles": len(index),
            "text": "summaries" if options.summaries else "full texts",
            "database": "SQLite" if url.startswith("sqlite") else "Postgres",
            "seconds": round(seconds, 2),
            "cpu_seconds": round(cpu, 2),
            "peak_mb": round(peak),
            "database_mb": round(store.info().size / 1e6),
        }
        if not options.once:
            before = placements(index, options.articles, summaries=options.summaries)
            store.drop_signatures(NOW + SPAN)
            report["seconds_signing_anew"] = round(asyncio.run(rebuild(found))[0], 2)
            again = asyncio.run(rebuild(found))[2]
            after = placements(again, options.articles, summaries=options.summaries)
            report["placed_differently"] = sum(one != other for one, other in zip(before, after, strict=True))
            report["found_again"] = sum(one.story_id is not None for one in before)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--summaries", action="store_true", help="summaries instead of full texts")
    parser.add_argument(
        "--database",
        help="the URL of a database, empty or filled by this before; or postgres: one of its own; else SQLite",
    )
    parser.add_argument("--once", action="store_true", help="only the start from kept signatures")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not ARCHIVE.exists():
        print(json.dumps({"absent": "shared/data"}) if options.json else "The benchmark data (../shared) is absent.")
        return 0
    report = run(options)
    wrong = report["seconds"] > GOAL * options.articles / 100_000 or bool(report.get("placed_differently"))
    if options.json:
        print(json.dumps({**report, "goal_seconds": GOAL * options.articles / 100_000}))
    else:
        for name, value in report.items():
            print(f"{name.replace('_', ' '):22} {value}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
