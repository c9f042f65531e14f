"""How fast all rules are matched against an article, beside Lucene Monitor in the same run.

    python benchmarks/match.py [--rules FILE] [--articles FILE] [--sizes 100,1000,10000,100000] [--json]

The product's own Matcher with its dictionary, spans and all, against Lucene Monitor, which only says which queries
match. Both get the same rules and articles (watched.py, or --rules: rule files, --articles: JSON lines) and take turns,
fifty articles each, so that a busy machine slows both; times are CPU time of the one thread that matches, after both
have read some thousand articles. Lucene has its ArabicAnalyzer, which finds inflected words by their stem and so does
about what our terms do (with --analyzer plain it cuts and normalises only, and finds far less), and the presearcher
that is the fastest for this number of rules. Rules that Lucene has no query for are left out on both sides. Where Java
or Maven is missing, the slow matcher that ours is tested against takes its place, on a hundred rules.

Below: what rules cost to load and keep (loading.py). Ends with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.lucene import jars, lucene, written
from benchmarks.watched import articles, queries
from monitor.arabic.dictionary import Dictionary
from monitor.matching import oracle
from monitor.matching import rules as rule_file
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.matching.tree import Node
from monitor.model import Article, Rule
from monitor.runtime import words

ROOT = Path(__file__).resolve().parents[1]
SIZES = (100, 1_000, 10_000, 100_000)
READ_BEFORE = 6_000  # articles; by then nearly every word was met
WARM = 1_000  # articles for Lucene: its code is compiled by then
BLOCK, ROUNDS = 50, 12
PASSES = (1, 2, 4)  # presearchers: one pass, or so many
TRIED = 40  # articles by which the fastest is found
RATIOS = {1_000: 1.5, 10_000: 2.0, 100_000: 5.0}
GOALS = {"growth": 3.0, "load_s": 10.0, "reload_s": 2.0, "peak_mb": 1_500.0, "grown_mb": 60.0, "term_us": 400.0}
GOALS |= {"words_us": 25.0}
SAID = {
    "growth": "cost of an article, from the fewest rules to the most, times",
    "words_us": "to cut, normalise and look up the words of an article, µs",
    "term_us": "to compile a term with the dictionary, median, µs",
    "load_s": "to load 10,000 rules from their files, s",
    "reload_s": "to load them again after one was edited, s",
    "peak_mb": "most memory while 100,000 rules are loaded, MB",
    "grown_mb": "what 1,000 rules and the dictionary add to the daemon, MB",
}
Peer = Callable[[int, int], tuple[float, int]]  # articles [first, end) → (microseconds, matches)


class Ours:
    """The product's matcher, asked as the peers are."""

    def __init__(self, trees: Sequence[Node], read: Sequence[Article], dictionary: Dictionary | None) -> None:
        rules = [(Rule(f"r{number}", "ق", "r"), tree) for number, tree in enumerate(trees)]
        self._matcher = Matcher(rules, dictionary=dictionary)
        self._articles = read
        self.memory = self._matcher._memory

    def match(self, first: int, end: int) -> tuple[float, int]:
        began = time.thread_time()
        found = sum(len(self._matcher.match(one)) for one in self._articles[first:end])
        return (time.thread_time() - began) * 1e6, found


def paired(ours: Ours, peer: Peer | None, first: int, block: int = BLOCK) -> dict[str, float | None]:
    """Both in turn on the same articles: medians over the rounds, an article."""
    rows = []
    for start in range(first, first + ROUNDS * block, block):
        mine = ours.match(start, start + block)
        rows.append((mine, peer(start, start + block) if peer else (0.0, 0)))
    us = statistics.median(mine[0] for mine, _ in rows) / block
    row: dict[str, float | None] = {"us": round(us, 1), "compiled_us": None, "compiled_ratio": None}
    row["hits"] = round(sum(mine[1] for mine, _ in rows) / len(rows) / block, 2)
    if peer:
        row["peer_us"] = round(statistics.median(theirs[0] for _, theirs in rows) / block, 1)
        row["ratio"] = round(statistics.median(theirs[0] / mine[0] for mine, theirs in rows), 2)
        row["peer_hits"] = round(sum(theirs[1] for _, theirs in rows) / len(rows) / block, 2)
    return row


def beside_lucene(
    trees: Sequence[Node], read: Sequence[Article], classes: Path, analyzer: str, dictionary: Dictionary | None
) -> dict[str, float | None]:
    """One row of the table, with the fastest presearcher."""
    known = [(tree, query) for tree in trees if (query := written(tree)) is not None]
    ours = Ours([tree for tree, _ in known], read, dictionary)
    asked = [query for _, query in known]
    ours.match(0, READ_BEFORE)
    taken = {}
    with tempfile.TemporaryDirectory() as folder:
        for passes in PASSES:
            with lucene(Path(folder), classes, asked, read, analyzer, passes) as tried:
                tried.match(0, TRIED)
                taken[passes] = tried.match(TRIED, 2 * TRIED)[0]
        best = min(taken, key=lambda passes: taken[passes])
        with lucene(Path(folder), classes, asked, read, analyzer, best) as peer:
            peer.match(0, WARM)
            return paired(ours, peer.match, READ_BEFORE) | {"passes": best, "left_out": len(trees) - len(known)}


def beside_oracle(
    trees: Sequence[Node], read: Sequence[Article], dictionary: Dictionary | None
) -> dict[str, float | None]:
    """One row of the table; the oracle on a hundred rules only."""
    ours = Ours(trees, read, dictionary)
    ours.match(0, READ_BEFORE)

    def slow(first: int, end: int) -> tuple[float, int]:
        began = time.thread_time()
        rules = [(Rule("r", "ق", "r"), tree) for tree in trees]
        found = sum(
            bool(oracle.matches(*one, article, None, dictionary)) for article in read[first:end] for one in rules
        )
        return (time.thread_time() - began) * 1e6, found

    return paired(ours, slow if len(trees) <= SIZES[0] else None, READ_BEFORE, 2)  # it takes a second an article


def words_us(read: Sequence[Article], trees: Sequence[Node], dictionary: Dictionary | None) -> float:
    """Microseconds an article to cut it and look up its words, when all of them were met before."""
    matcher = Ours(trees, read, dictionary)
    matcher.match(0, 200)
    memory = matcher.memory.__getitem__
    taken = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for one in read[:200]:
            list(map(memory, one.body.replace("_", " ").split()))
        taken.append((time.thread_time() - began) * 1e6 / 200)
    return round(statistics.median(taken), 1)


def loading(what: str, count: int, written_to: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.loading", what, str(count), str(written_to)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    read = articles(options.articles)
    dictionary = words.dictionary(lambda text: print(text, file=sys.stderr))
    if options.rules:
        trees = [one.query for one in rule_file.load([options.rules]).rules]
        sizes = [len(trees)]
    else:
        sizes = sorted(map(int, options.sizes.split(",")))
        made = queries(read, max(*sizes, SIZES[-1]))
        trees = list(map(parse, made[: max(sizes)]))
    read = read[: READ_BEFORE + ROUNDS * BLOCK]
    classes = jars()
    rows: dict[str, dict[str, float | None]] = {}
    for size in sizes:
        if classes:
            rows[str(size)] = beside_lucene(trees[:size], read, classes, options.analyzer, dictionary)
        else:
            rows[str(size)] = beside_oracle(trees[:size], read, dictionary)
        print(size, rows[str(size)], file=sys.stderr)
    found: dict[str, Any] = {"rules": rows, "words_us": words_us(read, trees[: sizes[-1]], dictionary)}
    if len(sizes) > 1:
        found["growth"] = round((rows[str(sizes[-1])]["us"] or 0) / (rows[str(sizes[0])]["us"] or 1), 2)
    if not options.rules:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "queries"
            file.write_text("\n".join(made), encoding="utf-8")
            found |= loading("load", 10_000, file) | loading("peak", 100_000, file) | loading("daemon", 1_000, file)
    return found


def missed(found: dict[str, Any]) -> list[str]:
    """The goals that were not reached, in words."""
    late = [f"{SAID[name]}: {found[name]}, goal {most:g}" for name, most in GOALS.items() if found.get(name, 0) > most]
    for size, least in RATIOS.items():
        ratio = found["rules"].get(str(size), {}).get("ratio")
        if ratio is not None and ratio < least:
            late.append(f"{size:,} rules: {ratio} times as fast as Lucene Monitor, goal {least:g}")
    return late


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=Path, help="rule file or folder, instead of rules made of the articles' words")
    parser.add_argument("--articles", type=Path, help="JSON lines with title and body, .gz or not")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="how many rules, with commas between")
    parser.add_argument("--analyzer", choices=("arabic", "plain"), default="arabic", help="of Lucene")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options)
    late = missed(found)
    if options.json:
        print(json.dumps(found))
        return 1 if late else 0
    print(f"{'rules':>8} {'µs an article':>14} {'hits':>6} {'peer µs':>9} {'hits':>6} {'times':>6} {'goal':>5}")
    for size, row in found["rules"].items():
        peer = f"{row['peer_us']:9} {row['peer_hits']:6} {row['ratio']:6}" if "ratio" in row else " " * 23
        print(f"{int(size):8,} {row['us']:14} {row['hits']:6} {peer} {RATIOS.get(int(size), ''):>5}")
    for name, said in SAID.items():
        if name in found:
            print(f"{said:65} {found[name]:>8}   goal ≤ {GOALS[name]:g}")
    print("\n".join(["missed:", *late]) if late else "all goals reached")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
