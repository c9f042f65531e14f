"""What each stage and guard of the assignment is worth: the figures of stories.py without it, on full texts.

    python benchmarks/story_ablation.py [--json]

Reads ../shared/data, and says so where it is absent.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import story_data
from benchmarks.stories import contradictions, stances
from benchmarks.story_data import SHARED
from benchmarks.story_figures import Judge, Ours, Placed, figures
from monitor.stories import assign, contradict, headline, index, signature
from monitor.stories.signature import Signature, sign

COLUMNS = (
    "recall_high", "recall_mid", "precision", "precision_at_most", "b_cubed_f1", "largest_story", "templates_merged",
    "templates_split", "contradictions_merged", "disagree_merged", "agree_merged",
)  # fmt: skip
Change = tuple[object, str, Any]
NOTHING = ""
RANKS = "words of rank count"  # the only one that changes signatures
MONTH = timedelta(days=30)
_names = contradict._names


def _below_sure(one: Signature, other: Signature, body: float, share: float) -> str:
    return _names(one, other, body, share) if body < contradict.SURE else NOTHING


WITHOUT: dict[str, list[Change]] = {
    "all of it": [],
    "no guard at all": [(assign, "objection", lambda *_: NOTHING)],
    "no polarity": [(contradict, "_polarity", lambda *_: NOTHING)],
    "no numbers": [(contradict, "_numbers", lambda *_, **__: NOTHING)],
    "no names": [(contradict, "_names", lambda *_: NOTHING)],
    "names only below .7": [(contradict, "_names", _below_sure)],
    "one place of a sentence is nothing special": [(headline, "framed", lambda *_: False)],
    "numbers also from .7 on": [(contradict, "SURE", 1.1)],
    "no columns": [(headline, "is_formula", lambda _: False), (headline, "is_column", lambda _: False)],
    "the next day is like the same day": [(assign, "DAILY", MONTH), (contradict, "DAILY", MONTH)],
    RANKS: [(signature, "_RANKS", frozenset())],
    "rewrites do not join": [(assign, "LIKELY", 2.0)],
    "members do not speak against their story": [(assign, "AGAINST", 0.0)],
    "every member speaks against": [(assign, "NEUTRAL", 2.0), (assign, "AGAINST", 1.0)],
    "J ≥ .35 joins": [(assign, "JOIN", 0.35)],
    "J ≥ .5 joins": [(assign, "JOIN", 0.5)],
    "3 candidates instead of 12": [(index, "NEAREST", 3)],
    "no title keys in the index": [(index, "RARE_TERMS", 0)],
}  # fmt: skip


@contextmanager
def changed(changes: list[Change]) -> Iterator[None]:
    before = [(where, name, getattr(where, name)) for where, name, _ in changes]
    for where, name, value in changes:
        setattr(where, name, value)
    try:
        yield
    finally:
        for where, name, value in before:
            setattr(where, name, value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    told = Console(stderr=True)
    if not (SHARED / "articles.jsonl.gz").exists():
        print(json.dumps({"absent": "../shared/data"}) if options.json else "The data (../shared) is absent.")
        return 0
    articles, _ = story_data.articles(SHARED / "articles.jsonl.gz")
    pairs = story_data.pairs(SHARED / "near_duplicate_pairs.jsonl.gz")
    judge, signed = Judge(articles, story_data.labels()), {one.key: sign(one) for one in articles.values()}
    rows: dict[str, dict[str, Any]] = {}
    for name, changes in WITHOUT.items():
        told.print(f"{name} …")
        with changed(changes):
            rows[name] = {
                **figures(Placed(articles, Ours({} if name == RANKS else signed)), pairs, judge),
                **contradictions(None),
                **stances(SHARED / "headline_stance_pairs.tar.xz"),
            }
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    table = Table(show_edge=False)
    for column in ("", *COLUMNS):
        table.add_column(column.replace("_", " "), justify="right" if column else "left")
    for name, row in rows.items():
        table.add_row(name, *(str(row[column]) for column in COLUMNS))
    Console(width=220).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
