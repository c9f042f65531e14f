"""What it costs to place an article among 10,000, 100,000 and 1,000,000 recent ones, beside what people use.

    python benchmarks/dedup.py [--articles FILE] [--sizes N,N,N] [--no-rivals] [--json]

Titles and bodies (of fifty words, as feeds give them) are measured apart; dedup_texts.py tells what they are made of.
All fall into one day, so nothing is too old to join. Then three floods: a million titles that are nearly one, a word
that all titles share, no titles at all. Times are CPU time of the look-up: candidates found, judged, and the story
chosen; what a process loads once for all is loaded by then. A rewrite comes an hour after what it tells again, and from
an outlet of its own: forecasts, greetings and prices 18 hours later are another day's by design. Each index is built in
a process of its own; its memory is what that grew by. Ends with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from rapidfuzz import fuzz, process
from rensa import RMinHash, RMinHashLSH
from rich.console import Console
from rich.table import Table

from benchmarks import story_data
from benchmarks.dedup_texts import Texts
from benchmarks.processes import resident_mb
from benchmarks.story_data import BASE, SHARED, DataError
from monitor.arabic.tokens import words
from monitor.model import Article
from monitor.stories.assign import assign, judge
from monitor.stories.index import StoryIndex
from monitor.stories.signature import SHINGLE, SHINGLES_KEPT, Signature, shingles, sign

SKETCHED = SHINGLES_KEPT + SHINGLE - 1  # words of a body
SIZES = "10000,100000,1000000"
ASKED = 1_000  # rewrites, and fresh ones, that are looked up
WARM = 100  # placed before, so that tables are loaded
NOW = BASE + timedelta(days=1)
FLOODS = ("one title", "one word", "no title")
LEAST = 85  # title token_set_ratio from which brute force joins
ALIKE = 0.5  # Jaccard of the words of two titles from which MinHash joins
PERMUTATIONS = 128
DATASKETCH_MOST = 100_000  # a million would take it an hour
BRUTE_ASKED = 20  # look-ups by brute force, which take a fifth of a second among 100,000


def made(kind: str, text: str, number: int, *, asks: bool = False) -> Article:
    """An article with a title or a body alone, of fifty outlets. asks: it comes an hour later, of fifty others."""
    title, body = (text, "") if kind == "titles" else ("", text)
    outlet, when = f"o{number % 50}", BASE + number % 86_400 * timedelta(seconds=1)
    if asks:
        outlet, when = f"asking-{outlet}", when + timedelta(hours=1)
    return story_data.article(outlet, title, body, when, key=f"{number:x}-{kind}-{asks}")


def filled(kind: str, texts: Iterator[str]) -> tuple[StoryIndex, float]:
    """An index of them, each its own story, and the CPU seconds that adding took without signing."""
    index, took = StoryIndex(), 0.0
    for number, text in enumerate(texts, 1):
        article = made(kind, text, number)
        signature = sign(article)
        began = time.process_time()
        index.add(number, number, signature, article.when)
        took += time.process_time() - began
    return index, took


def placed(asked: list[tuple[Article, Signature]], index: StoryIndex) -> tuple[list[int | None], float]:
    """The stories they join, and the µs of CPU that one took."""
    began = time.process_time()
    found = [assign(article, signature, index, NOW).story_id for article, signature in asked]
    return found, (time.process_time() - began) / len(asked) * 1e6


def signed(kind: str, texts: Mapping[int, str]) -> list[tuple[Article, Signature]]:
    """Those that ask, by the number of the article an hour before."""
    articles = [made(kind, text, number, asks=True) for number, text in texts.items()]
    return [(one, sign(one)) for one in articles]


def ours(kind: str, size: int, articles: Path) -> dict[str, Any]:
    """One size: rewrites of articles drawn by lot, and fresh ones."""
    texts, random = Texts(story_data.articles(articles)[0]), Random(size)
    drawn = dict.fromkeys(sorted(random.sample(range(1, size + 1), min(ASKED, size))), "")
    before = resident_mb(os.getpid())

    def noted() -> Iterator[str]:
        for number, text in enumerate(texts.recent(kind, size), 1):
            if number in drawn:
                drawn[number] = text
            yield text

    index, adding = filled(kind, noted())
    gc.collect()
    memory = resident_mb(os.getpid()) - before
    rewrites = signed(kind, {number: texts.rewrite(kind, text, random) for number, text in drawn.items()})
    strange = texts.fresh_titles if kind == "titles" else texts.fresh_bodies
    fresh = signed(kind, dict(zip(drawn, strange, strict=False)))
    placed(signed(kind, dict(islice(drawn.items(), WARM))), index)
    found, rewrite_us = placed(rewrites, index)
    false, fresh_us = placed(fresh, index)
    again = [_told_again(*one, kind, index) for one in zip(drawn.items(), found, strict=True)]
    return {
        "look_up_us": round((rewrite_us + fresh_us) / 2, 1), "rewrite_us": round(rewrite_us, 1),
        "fresh_us": round(fresh_us, 1), "add_us": round(adding / size * 1e6, 1), "memory_mb": round(memory),
        "recall": round(sum(again) / len(again), 4),
        "fresh_joined": round(sum(one is not None for one in false) / len(false), 4),
    }  # fmt: skip


def _told_again(drawn: tuple[int, str], story: int | None, kind: str, index: StoryIndex) -> bool:
    """Whether a rewrite joined the article it was made of, or another one that reports the same."""
    if story is None or story == drawn[0]:
        return story is not None
    (other,) = index.members(story, 1)
    return judge(sign(made(kind, drawn[1], drawn[0])), other, timedelta(0)).joins


def flood(kind: str, size: int, articles: Path) -> dict[str, Any]:
    """A hostile index, asked with more of the same."""
    texts = Texts(story_data.articles(articles)[0])
    shapes: dict[str, Callable[[int, str], str]] = {
        "one title": lambda number, _: f"عاجل سقوط صاروخ رقم {number} قرب الميناء القديم شمال المدينة",
        "one word": lambda _, title: f"{title} حصري",
        "no title": lambda *_: "",
    }
    shaped, real = shapes[kind], texts.recent("titles", size + ASKED)
    every = (shaped(number, title) for number, title in enumerate(real))
    index, adding = filled("titles", islice(every, size))
    asked = signed("titles", dict(enumerate(every, size)))
    placed(asked[:WARM], index)
    _, took = placed(asked, index)
    return {"look_up_us": round(took, 1), "add_us": round(adding / size * 1e6, 1)}


def rival(name: str, size: int, articles: Path) -> dict[str, Any]:
    """Another way to find an alike title: how long one look-up takes, what it finds, what it joins falsely."""
    texts, random = Texts(story_data.articles(articles)[0]), Random(size)
    titles = list(texts.recent("titles", size))
    drawn = sorted(random.sample(range(size), min(BRUTE_ASKED if name == "rapidfuzz" else ASKED, size)))
    before = resident_mb(os.getpid())
    look_up = {"rapidfuzz": _rapidfuzz, "datasketch": _datasketch, "rensa": _rensa}[name](titles)
    memory = resident_mb(os.getpid()) - before
    rewrites = [texts.rewrite("titles", titles[number], random) for number in drawn]
    fresh = texts.fresh_titles[: len(drawn)]
    began = time.process_time()
    found, false = [look_up(one) for one in rewrites], [look_up(one) for one in fresh]
    return {
        "look_up_us": round((time.process_time() - began) / (len(rewrites) + len(fresh)) * 1e6, 1),
        "memory_mb": round(memory),
        "recall": round(sum(number in near for number, near in zip(drawn, found, strict=True)) / len(drawn), 4),
        "fresh_joined": round(sum(map(bool, false)) / len(false), 4),
        "asked": len(drawn),
    }


def _rapidfuzz(titles: list[str]) -> Callable[[str], list[int]]:
    folded = [" ".join(words(title)) for title in titles]

    def look_up(title: str) -> list[int]:
        asked = " ".join(words(title))
        return [
            place for _, _, place in process.extract(asked, folded, scorer=fuzz.token_set_ratio, score_cutoff=LEAST)
        ]

    return look_up


def _datasketch(titles: list[str]) -> Callable[[str], list[int]]:
    from datasketch import MinHash, MinHashLSH  # which brings all of scipy: seconds for every process

    found = MinHashLSH(threshold=ALIKE, num_perm=PERMUTATIONS)

    def sketch(title: str) -> MinHash:
        one = MinHash(num_perm=PERMUTATIONS)
        one.update_batch([word.encode() for word in words(title)])
        return one

    for number, title in enumerate(titles):
        found.insert(number, sketch(title))
    return lambda title: list(found.query(sketch(title)))


def _rensa(titles: list[str]) -> Callable[[str], list[int]]:
    found = RMinHashLSH(threshold=ALIKE, num_perm=PERMUTATIONS, num_bands=32)
    kept: list[RMinHash] = []

    def sketch(title: str) -> RMinHash:
        one = RMinHash(num_perm=PERMUTATIONS, seed=42)
        one.update(words(title))
        return one

    for number, title in enumerate(titles):
        kept.append(sketch(title))
        found.insert(number, kept[-1])

    def look_up(title: str) -> list[int]:
        asked = sketch(title)
        return [number for number in found.query(asked) if asked.jaccard(kept[number]) >= ALIKE]

    return look_up


def sketching(articles: Path) -> dict[str, Any]:
    """µs that the sketch of a body takes; cutting it into words, which matching has to do as well; all of signing."""
    every = list(story_data.articles(articles)[0].values())[::20]
    cut = [words(one.body) for one in every]
    taken: dict[str, Any] = {"articles": len(every), "words": round(sum(map(len, cut)) / len(cut))}
    works: list[tuple[str, Callable[[Any], object], list[Any]]] = [
        ("cut_us", words, [one.body for one in every]), ("sketch_us", lambda one: shingles(one[:SKETCHED]), cut),
        ("sign_us", sign, every),
    ]  # fmt: skip
    for name, work, given in works:
        for warm in (True, False):  # once to fill the caches, as in a daemon that runs
            began = time.process_time()
            for one in given:
                work(one)
            if not warm:
                taken[name] = round((time.process_time() - began) / len(given) * 1e6, 1)
    return taken


def alone(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What the work finds in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def goals(result: dict[str, Any]) -> list[str]:
    """The goals that were missed, in words."""
    late = [] if result["sketch"]["sketch_us"] <= 150 else [f"sketch {result['sketch']['sketch_us']} µs, goal ≤ 150"]
    for kind in ("titles", "bodies"):
        for size, row in result[kind].items():
            most = 100 if int(size) <= 100_000 else 200
            if row["look_up_us"] > most:
                late.append(f"{kind}, {size}: look-up {row['look_up_us']} µs, goal ≤ {most}")
            if row["recall"] < 0.99:
                late.append(f"{kind}, {size}: recall {row['recall']}, goal ≥ .99")
            if row["fresh_joined"] > 0.01:
                late.append(f"{kind}, {size}: fresh ones joined {row['fresh_joined']}, goal ≤ .01")
            if row["memory_mb"] > 1024:
                late.append(f"{kind}, {size}: {row['memory_mb']} MB, goal ≤ 1024")
    return late


def measure(options: argparse.Namespace, told: Console) -> dict[str, Any]:
    """All figures, each told as soon as it is known: a million take minutes."""
    sizes = [int(size) for size in options.sizes.split(",")]

    def measured(what: str, work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
        found = alone(work, *arguments, options.articles)
        told.print(f"{what}: {found}", highlight=False, soft_wrap=True)
        return found

    result: dict[str, Any] = {"sketch": measured("a body", sketching)}
    for kind in ("titles", "bodies"):
        result[kind] = {str(size): measured(f"{size:,} {kind}", ours, kind, size) for size in sizes}
    result["floods"] = {kind: measured(f"{max(sizes):,} articles, {kind}", flood, kind, max(sizes)) for kind in FLOODS}
    for name in () if options.no_rivals else ("rapidfuzz", "datasketch", "rensa"):
        most = DATASKETCH_MOST if name == "datasketch" else max(sizes)
        result[name] = {
            str(size): measured(f"{size:,} titles by {name}", rival, name, size) for size in sizes if size <= most
        }
    return result


def shown(result: dict[str, Any], console: Console) -> None:
    columns = ("look_up_us", "recall", "fresh_joined", "memory_mb", "add_us")
    table = Table(show_edge=False)
    for name in ("", "among", *columns):
        table.add_column(name.replace("_", " "), justify="right" if name in columns else "left")
    for kind, rows in result.items():
        if kind == "sketch":
            continue
        for size, row in rows.items():
            table.add_row(kind, size, *(str(row.get(name, "–")) for name in columns))
    console.print(table)
    console.print(f"a body: {result['sketch']}", highlight=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=SHARED / "articles.jsonl.gz")
    parser.add_argument("--sizes", default=SIZES, help="how many recent articles, separated by commas")
    parser.add_argument("--no-rivals", action="store_true")
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
        shown(result, Console(width=120))
    late = goals(result)
    for line in late:
        told.print(f"missed: {line}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
