"""What rules cost before any article comes: time and memory, measured in a process of its own by `match.py`.

    python -m benchmarks.loading load|peak|daemon COUNT QUERIES

QUERIES: a file with a query a line, of which the first COUNT become rules in files as an analyst keeps them. Prints
JSON. load: seconds to read the files and build the matcher, the same again after one rule of one file was edited.
peak: the most memory that took. daemon: what the process grew by over a matcher without rules, dictionary included.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import peak_mb, resident_mb
from monitor.arabic.dictionary import Dictionary
from monitor.arabic.forms import expand
from monitor.matching import rules as rule_file
from monitor.matching.matcher import Matcher
from monitor.matching.rules import RuleSet
from monitor.runtime import daemon, words

RULES_A_FILE = 1_000


def write(folder: Path, queries: Sequence[str]) -> list[Path]:
    """Rule files of a thousand rules each."""
    files = []
    for start in range(0, len(queries), RULES_A_FILE):
        rules = "".join(
            f"  - id: r{number}\n    name: {{ar: القاعدة {number}, en: Rule {number}}}\n    match: |\n      {query}\n"
            for number, query in enumerate(queries[start : start + RULES_A_FILE], start)
        )
        files.append(folder / f"rules{start:06}.yaml")
        files[-1].write_text(f"rules:\n{rules}", encoding="utf-8")
    return files


Built = tuple[RuleSet, Matcher]


def build(folder: Path, dictionary: Dictionary | None, before: Built | None = None) -> Built:
    """What a start or a reload does with the rule files."""
    old, matcher = before or (None, None)
    found = rule_file.load([folder], old)
    return found, Matcher([(one.rule, one.query) for one in found.rules], dictionary=dictionary, before=matcher)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def load(folder: Path, queries: Sequence[str]) -> dict[str, float]:
    dictionary = words.dictionary(_say)
    files = write(folder, queries)
    began = time.process_time()
    built = build(folder, dictionary)
    loaded = time.process_time()
    text = files[-1].read_text(encoding="utf-8")
    at = text.rindex("    match: |")
    files[-1].write_text(f"{text[:at]}    match: بحر قزوين AND زلزال\n", encoding="utf-8")
    edited = time.process_time()
    build(folder, dictionary, built)
    reloaded = time.process_time()
    typed = dict.fromkeys(word for query in queries for word in query.replace('"', " ").split() if word.isalpha())
    return {
        "load_s": round(loaded - began, 2),
        "reload_s": round(reloaded - edited, 2),
        "term_us": round(_term_us([one for one in typed if not one.isascii()][:5_000], dictionary), 1),
    }


def _term_us(typed: Sequence[str], dictionary: Dictionary | None) -> float:
    """The median of compiling each word for the first time."""
    taken = []
    for one in typed:
        began = time.perf_counter()
        expand(one, dictionary=dictionary)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e6


def peak(folder: Path, queries: Sequence[str]) -> dict[str, float]:
    write(folder, queries)
    kept = build(folder, words.dictionary(_say))
    del kept
    return {"peak_mb": round(peak_mb(os.getpid()))}


def grown(folder: Path, queries: Sequence[str]) -> dict[str, float]:
    assert daemon  # all that the daemon imports is in memory
    bare = Matcher([])
    gc.collect()
    before = resident_mb(os.getpid())
    write(folder, queries)
    built = build(folder, words.dictionary(_say))
    gc.collect()
    after = resident_mb(os.getpid())
    del bare, built
    return {"grown_mb": round(after - before, 1)}


def main() -> None:
    what, count, file = sys.argv[1:]
    queries = Path(file).read_text(encoding="utf-8").splitlines()[: int(count)]
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps({"load": load, "peak": peak, "daemon": grown}[what](Path(name), queries)))


if __name__ == "__main__":
    main()
