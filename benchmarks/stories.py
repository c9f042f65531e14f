"""How well articles are placed in stories, through the real assignment, beside what people use today.

    python benchmarks/stories.py [--articles FILE] [--pairs FILE] [--stance FILE] [--labels FILE] [--unread FILE]
                                 [--half first|second] [--no-rivals] [--largest] [--json]

The files default to ../shared/data; their shapes are told in story_data.py. Articles come in the order of their dates.
Right is what was read and found the same event (data/events.txt), or else has a Jaccard of .4 between the full texts;
a pair below that which nobody has read counts as wrong, and `precision_at_most` counts it as right; the truth lies
between. --unread writes up to 300 of those pairs, drawn by lot, to be read; what was read comes back by --labels. The
same again with texts cut to 25, 50 and 100 words, as feeds give them, and with titles alone. --half takes the articles
of each source's earlier or later half. Ends with 1 where a figure misses its goal, with 2 where a file cannot be read.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import story_data
from benchmarks.story_data import BASE, MINUTE, OWN, SHARED, DataError, article, cut
from benchmarks.story_figures import Judge, Ours, Placed, Placer, figures
from benchmarks.story_rivals import rivals
from monitor.model import Article, Feed, Outlet, Placement
from monitor.store.store import Store

CUTS = {"words_25": 25, "words_50": 50, "words_100": 100, "titles": 0}
SHOWN = (
    "recall_high", "recall_mid", "precision", "precision_at_most", "b_cubed_f1", "largest_story", "templates_merged",
    "templates_split", "contradictions_merged", "disagree_merged", "agree_merged",
)  # fmt: skip
LEAST = {"recall_high": 0.98, "recall_mid": 0.90, "precision": 0.97, "b_cubed_f1": 0.96}
LEAST_50 = {"recall_high": 0.95, "recall_mid": 0.70, "precision": 0.95}
MOST = {
    "contradictions_merged": 0.05, "disagree_merged": 0.01, "templates_merged": 0.10, "templates_split": 0.10,
    "replayed_joined": 0,
}  # fmt: skip


Make = Callable[[], Placer]


def joined(one: Article, other: Article, make: Make = Ours) -> bool:
    """Whether the second article joins the first one's story, when nothing else is known."""
    placer = make()
    return placer.place(1, one) == placer.place(2, other)


def contradictions(words: int | None, make: Make = Ours) -> dict[str, Any]:
    """Of the contradictions written by hand, the share that ends in one story, and the kinds of those; and where the
    texts differ in nothing else: numbers then count as a toll that rose."""
    result: dict[str, Any] = {}
    for name, copies in (("contradictions_merged", False), ("contradictions_in_copies_merged", True)):
        pairs = [(kind, cut(one, words), cut(other, words)) for kind, one, other in story_data.contradictions(copies)]
        found = [(kind, joined(one, other, make)) for kind, one, other in pairs]
        result[name] = round(sum(hit for _, hit in found) / len(found), 4)
        result[f"{name}_by_kind"] = dict(Counter(kind for kind, hit in found if hit))
        result["contradictions"] = len(found)
    return result


def stances(path: Path, make: Make = Ours) -> dict[str, Any]:
    """Headlines alone, of two outlets a minute apart: the share of each stance that ends in one story."""
    hits: dict[str, list[bool]] = {}
    for one, other, stance in story_data.headlines(path):
        first, second = article("a", one, "", BASE, key="one"), article("b", other, "", BASE + MINUTE, key="two")
        hits.setdefault(stance, []).append(joined(first, second, make))
    shares = {f"{stance}_merged": round(sum(found) / len(found), 4) for stance, found in sorted(hits.items())}
    return shares | {"headline_pairs": {stance: len(found) for stance, found in sorted(hits.items())}}


def replayed(articles: Mapping[str, Article]) -> int:
    """How many articles join a story of the first time, when all are published again 8 days after the last of them."""
    if not articles:
        return 0
    moments = [one.when for one in articles.values()]
    later = max(moments) - min(moments) + timedelta(days=8)
    again = {
        f"again:{identity}": replace(one, published=one.when + later, first_seen=one.when + later, canonical_url="")
        for identity, one in articles.items()
    }
    placed = Placed({**articles, **again}, Ours())
    first = {placed.story[identity] for identity in articles}
    return sum(placed.story[identity] in first for identity in again)


def updates(articles: Mapping[str, Article]) -> dict[str, int]:
    """What the real store makes of an address that an outlet uses a second time: a revision, or nothing new."""
    pages: dict[tuple[str, str], list[Article]] = {}
    for one in articles.values():
        if one.canonical_url:
            pages.setdefault((one.outlet_id, one.canonical_url), []).append(one)
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/rasid.db", owner="benchmark")
        for number, twice in enumerate(ones for ones in pages.values() if len(ones) > 1):
            outlet = Outlet(f"o{number}", "", "", "", "ar")
            store.sync_feeds([Feed(id=f"o{number}", url=f"http://{number}.example/", outlet=outlet)], twice[0].when)
            first, second = (replace(one, feed_id=f"o{number}", key=one.canonical_url) for one in twice[:2])
            with store.intake(first.when) as tx:
                tx.add_article(first, tx.open_story(first.when), Placement(None, "new"), first_poll=False)
                found[tx.novelty(second).kind] += 1
        store.close()
    return {"same_address_twice": sum(found.values()), **{f"same_address_{kind}": n for kind, n in found.items()}}


def halved(articles: Mapping[str, Article], half: str) -> dict[str, Article]:
    """The articles of each source's earlier or later half; a source is what stands before the first colon of the id."""
    kept: dict[str, Article] = {}
    ordered = sorted(articles, key=lambda one: (one.partition(":")[0], articles[one].when))
    for _, group in itertools.groupby(ordered, key=lambda one: one.partition(":")[0]):
        ids = list(group)
        middle = len(ids) // 2
        kept |= {one: articles[one] for one in (ids[:middle] if half == "first" else ids[middle:])}
    return dict(sorted(kept.items(), key=lambda one: one[1].when))


def measure(options: argparse.Namespace, told: Console) -> dict[str, Any]:
    articles, left_out = story_data.articles(options.articles)
    if options.half != "all":
        articles = halved(articles, options.half)
    pairs, judge = story_data.pairs(options.pairs), Judge(articles, story_data.labels(options.labels))
    told.print(f"{len(articles):,} articles, {left_out:,} left out for want of any date, {len(pairs):,} pairs")
    placer = Ours()
    placed = Placed(articles, placer)
    result: dict[str, Any] = {
        "articles": len(articles), "left_out_without_dates": left_out, "half": options.half,
        **figures(placed, pairs, judge), **contradictions(None), **stances(options.stance),
        "replayed_joined": replayed(articles), **updates(articles), "joined_by": dict(placer.how),
        "furthest_apart_hours": round(placer.furthest.total_seconds() / 3600, 1),
    }  # fmt: skip
    if options.largest:
        _tell_largest(placed, told)
    if options.unread:
        _write_unread(placed, judge, options.unread)
    for name, words in CUTS.items():
        told.print(f"with {words or 'no'} words of the text …")
        shorter = Placed({identity: cut(one, words) for identity, one in articles.items()}, Ours())
        result[name] = figures(shorter, pairs, judge) | contradictions(words)
    if not options.no_rivals:
        for name, make in rivals().items():
            told.print(f"{name} …")
            result.setdefault("today", {})[name] = {
                **figures(Placed(articles, make()), pairs, judge),
                **contradictions(None, make),
                **stances(options.stance, make),
            }
    return result


def _tell_largest(placed: Placed, told: Console) -> None:
    ids = max(placed.members.values(), key=len, default=[])
    for one in ids:
        moment: datetime = placed.articles[one].when
        told.print(f"  {moment:%Y-%m-%d %H:%M}  {placed.articles[one].outlet_id:14}{placed.articles[one].title}")


def _write_unread(placed: Placed, judge: Judge, path: Path) -> None:
    found = [pair for pair in placed.inside() if judge.verdict(*pair) is None]
    lot = random.Random(300).sample(found, min(300, len(found)))
    with path.open("w", encoding="utf-8") as lines:
        for pair in lot:
            lines.write(f"# J {judge.jaccard(*pair):.2f}, one event: leave the line; two: put a | between\n")
            lines.writelines(f"#   {placed.articles[one].outlet_id}: {placed.articles[one].title}\n" for one in pair)
            lines.write(" ".join(pair) + "\n")


def missed(result: Mapping[str, Any]) -> list[str]:
    """The goals that were not reached, in words. What could not be measured misses none, and precision only what it
    would miss if all unread pairs were right."""
    late = []
    for where, found, least in (("", result, LEAST), ("words_50: ", result["words_50"], LEAST_50)):
        known = {**found, "precision": found["precision_at_most"]}
        late += [f"{where}{n} {known[n]}, goal ≥ {goal}" for n, goal in least.items() if (known[n] or 1) < goal]
    late += [f"{n} {result[n]}, goal ≤ {goal}" for n, goal in MOST.items() if (result.get(n) or 0) > goal]
    if result["words_50"]["largest_story"] > 1.5 * result["largest_story"]:
        late.append(f"words_50: largest_story {result['words_50']['largest_story']}, goal ≤ 1.5 × that of full texts")
    return late


def shown(result: Mapping[str, Any], console: Console) -> None:
    """The figures as a table, ours first."""
    table = Table(show_edge=False)
    table.add_column("")
    for name in SHOWN:
        table.add_column(name.replace("_", " "), justify="right")
    rows = {"full texts": result, **{name: result[name] for name in CUTS}, **result.get("today", {})}
    for name, row in rows.items():
        table.add_row(name, *("–" if row.get(one) is None else f"{row[one]}" for one in SHOWN))
    console.print(table)
    for name, value in result.items():
        if name not in (*SHOWN, *CUTS, "today"):
            console.print(f"{name}: {value}", highlight=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=SHARED / "articles.jsonl.gz")
    parser.add_argument("--pairs", type=Path, default=SHARED / "near_duplicate_pairs.jsonl.gz")
    parser.add_argument("--stance", type=Path, default=SHARED / "headline_stance_pairs.tar.xz")
    parser.add_argument("--labels", type=Path, default=OWN / "events.txt")
    parser.add_argument("--unread", type=Path, help="write pairs that nobody has read to this file")
    parser.add_argument("--half", choices=("first", "second", "all"), default="all")
    parser.add_argument("--no-rivals", action="store_true", help="without what people use today")
    parser.add_argument("--largest", action="store_true", help="print the largest story")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    told = Console(stderr=True)
    if options.articles == SHARED / "articles.jsonl.gz" and not options.articles.exists():
        print(json.dumps({"absent": "../shared/data"}) if options.json else "The data (../shared) is absent.")
        return 0
    try:
        result = measure(options, told)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        shown(result, Console(width=200))
    late = missed(result)
    for line in late:
        told.print(f"missed: {line}")
    if result["pairs_inside_unread_below_.4"]:
        told.print("precision lies between precision and precision_at_most: see --unread")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
