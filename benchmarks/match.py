"""How fast all rules are matched against an article, beside Lucene Monitor in the same run.

    python benchmarks/match.py [--rules FILE] [--articles FILE] [--sizes 100,1000,10000,100000] [--json]

The product's own Matcher with its dictionary, spans and all, in pure Python and (compiled_…) with its kernel where that
was built, against Lucene Monitor, which only says which queries
match. Both get the same rules and articles (watched.py, or --rules: rule files, --articles: JSON lines) and take turns,
fifty articles each, so that a busy machine slows both; times are CPU time of the one thread that matches, after both
have read some thousand articles. Lucene has its ArabicAnalyzer, which finds inflected words by their stem and so does
about what our terms do (with --analyzer plain it cuts and normalises only, and finds far less), and the presearcher
that is the fastest for this number of rules. Where Java or Maven is missing, `re` rule by rule takes its place
(patterns.py), with fewer articles the more rules there are, and beside it, up to a hundred rules, the slow matcher that
ours is tested against (the oracle). Rules that the peer has no query for are left out on both sides; all_us is the time
of ours for all. If it has none for any, the oracle is the peer. Of few articles half are read before.

Below: what rules cost to load and keep (loading.py). Ends with 1 where a goal is missed, with 2 where a file cannot be
used.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.lucene import jars, lucene, written
from benchmarks.patterns import Patterns, holds
from benchmarks.watched import Unusable, articles, queries
from monitor.arabic.dictionary import Dictionary
from monitor.errors import ConfigError
from monitor.matching import kernel, oracle
from monitor.matching import rules as rule_file
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.matching.tree import Node
from monitor.matching.view import BODY
from monitor.model import Article, Rule
from monitor.runtime import words

ROOT = Path(__file__).resolve().parents[1]
SIZES = (100, 1_000, 10_000, 100_000)
READ_BEFORE = 6_000  # articles; by then nearly every word was met
WARM = 1_000  # articles for Lucene: its code is compiled by then
BLOCK, ROUNDS = 50, 12
PASSES = (1, 2, 4)  # presearchers: one pass, or so many
TRIED = 40  # articles by which the fastest is found
RATIOS = {
    "ratio": {1_000: 1.5, 10_000: 2.0, 100_000: 5.0},
    "compiled_ratio": {1_000: 15.0, 10_000: 20.0, 100_000: 80.0},
}
GOALS = {"growth": 3.0, "load_s": 10.0, "reload_s": 2.0, "peak_mb": 1_500.0, "grown_mb": 60.0, "term_us": 400.0}
GOALS |= {"words_us": 25.0, "compiled_growth": 3.0, "compiled_words_us": 25.0}
SAID = {
    "growth": "cost of an article, from the fewest rules to the most, times",
    "compiled_growth": "the same with the kernel",
    "words_us": "to cut, normalise and look up the words of an article, µs",
    "compiled_words_us": "the same with the kernel, µs",
    "term_us": "to compile a term with the dictionary, median, µs",
    "load_s": "to load 10,000 rules from their files, s",
    "reload_s": "to load them again after one was edited, s",
    "peak_mb": "most memory while 100,000 rules are loaded, MB",
    "grown_mb": "what 1,000 rules and the dictionary add to the daemon, MB",
}
Peer = Callable[[int, int], tuple[float, int]]  # articles [first, end) → (microseconds, matches)
Row = dict[str, Any]


class Ours:
    """The product's matcher, pure and compiled (where the kernel was built), asked as the peers are."""

    def __init__(self, trees: Sequence[Node], read: Sequence[Article], dictionary: Dictionary | None) -> None:
        rules = [(Rule(f"r{number}", "ق", "r"), tree) for number, tree in enumerate(trees)]
        self._pure = Matcher(rules, dictionary=dictionary, kernel=False)
        built = kernel.library() is not None
        self._compiled = Matcher(rules, dictionary=dictionary, before=self._pure) if built else None
        self._articles = read

    def match(self, first: int, end: int) -> tuple[float, int]:
        return self._timed(self._pure, first, end)

    def compiled(self, first: int, end: int) -> tuple[float, int] | None:
        return self._timed(self._compiled, first, end) if self._compiled else None

    def _timed(self, matcher: Matcher, first: int, end: int) -> tuple[float, int]:
        began = time.thread_time()
        found = sum(len(matcher.match(one)) for one in self._articles[first:end])
        return (time.thread_time() - began) * 1e6, found

    def words_us(self) -> dict[str, float]:
        """Microseconds an article to cut it and look up its words, when all of them were met before."""
        some = self._articles[:200]
        self.match(0, len(some))
        self.compiled(0, len(some))
        memory = self._pure._memory.__getitem__
        found = {"words_us": _median_us(some, lambda body: list(map(memory, body.replace("_", " ").split())))}
        if self._compiled and (compiled := self._compiled._kernel):
            found["compiled_words_us"] = _median_us(some, lambda body: compiled.cut([(BODY, body)]))
        return found


def _median_us(read: Sequence[Article], call: Callable[[str], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for one in read:
            call(one.body)
        taken.append((time.thread_time() - began) * 1e6 / len(read))
    return round(statistics.median(taken), 1)


def read_before(read: Sequence[Article]) -> int:
    """How many articles are read before the clock counts."""
    return min(READ_BEFORE, len(read) // 2)


def paired(ours: Ours, peer: Peer | None, read: Sequence[Article], block: int = BLOCK) -> Row:
    """Both in turn on the same articles: medians over the rounds, an article."""
    first = read_before(read)
    block = max(1, min(block, (len(read) - first) // ROUNDS))
    rows = []
    for start in range(first, min(first + ROUNDS * block, len(read)), block):
        mine, compiled = ours.match(start, start + block), ours.compiled(start, start + block)
        if compiled and compiled[1] != mine[1]:
            raise AssertionError(f"the kernel finds {compiled[1]} hits where Python finds {mine[1]}")
        rows.append((mine, compiled or (math.nan, 0), peer(start, start + block) if peer else (math.nan, 0)))
    us, compiled_us, peer_us = (
        statistics.median(one[0] for one in column) / block for column in zip(*rows, strict=True)
    )
    row: Row = {"us": us, "compiled_us": compiled_us, "compiled_ratio": math.nan}
    row["hits"] = sum(mine[1] for mine, *_ in rows) / len(rows) / block
    if peer:
        row["peer_us"] = peer_us
        row["ratio"] = statistics.median(theirs[0] / mine[0] for mine, _, theirs in rows)
        row["compiled_ratio"] = statistics.median(theirs[0] / fast[0] for _, fast, theirs in rows)
        row["peer_hits"] = sum(theirs[1] for *_, theirs in rows) / len(rows) / block
    return {name: None if math.isnan(figure) else round(figure, 2) for name, figure in row.items()}


def ready(trees: Sequence[Node], read: Sequence[Article], dictionary: Dictionary | None) -> Ours:
    """Our matcher, which has met most words."""
    ours = Ours(trees, read, dictionary)
    ours.match(0, read_before(read))
    ours.compiled(0, read_before(read))
    return ours


def beside(
    trees: Sequence[Node], read: Sequence[Article], classes: Path | None, analyzer: str, dictionary: Dictionary | None
) -> Row:
    """One row of the table."""
    peer = written if classes else holds
    known = [tree for tree in trees if peer(tree) is not None]
    if not known:
        row = beside_oracle(trees, read, dictionary)
    elif classes:
        row = beside_lucene(known, read, classes, analyzer, dictionary)
    else:
        row = beside_patterns(known, read, dictionary)
    row["left_out"] = len(trees) - len(known) if known else 0
    if row["left_out"]:
        row["all_us"] = paired(ready(trees, read, dictionary), None, read)["us"]
    return row


def beside_lucene(
    trees: Sequence[Node], read: Sequence[Article], classes: Path, analyzer: str, dictionary: Dictionary | None
) -> Row:
    """With the fastest presearcher."""
    ours = ready(trees, read, dictionary)
    asked = [query for tree in trees if (query := written(tree)) is not None]
    taken = {}
    with tempfile.TemporaryDirectory() as folder:
        for passes in PASSES:
            with lucene(Path(folder), classes, asked, read, analyzer, passes) as tried:
                tried.match(0, min(TRIED, len(read)))
                taken[passes] = tried.match(0, min(TRIED, len(read)))[0]
        best = min(taken, key=lambda passes: taken[passes])
        with lucene(Path(folder), classes, asked, read, analyzer, best) as peer:
            warm = max(1, min(WARM, read_before(read)))
            for _ in range(0, WARM, warm):
                peer.match(0, warm)
            return paired(ours, peer.match, read) | {"peer": "lucene", "passes": best}


def beside_patterns(trees: Sequence[Node], read: Sequence[Article], dictionary: Dictionary | None) -> Row:
    """With regular expressions, of which 100,000 rules take a second an article; of few rules the oracle's time too."""
    ours = ready(trees, read, dictionary)
    block = max(1, min(BLOCK, BLOCK * SIZES[1] // len(trees)))
    peer = Patterns([rule for tree in trees if (rule := holds(tree))], read)
    row = paired(ours, peer.match, read, block) | {"peer": "re"}
    if len(trees) <= SIZES[0]:
        row["oracle_us"] = beside_oracle(trees, read, dictionary)["peer_us"]
    return row


def beside_oracle(trees: Sequence[Node], read: Sequence[Article], dictionary: Dictionary | None) -> Row:
    """With the oracle, where there are few rules: of a hundred it takes a second an article."""
    rules = [(Rule("r", "ق", "r"), tree) for tree in trees]

    def slow(first: int, end: int) -> tuple[float, int]:
        began = time.thread_time()
        found = sum(
            bool(oracle.matches(*one, article, None, dictionary)) for article in read[first:end] for one in rules
        )
        return (time.thread_time() - began) * 1e6, found

    ours = ready(trees, read, dictionary)
    return paired(ours, slow, read, 1) | {"peer": "oracle"} if len(trees) <= SIZES[0] else paired(ours, None, read)


def loading(what: str, count: int, written_to: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.loading", what, str(count), str(written_to)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    read = articles(options.articles)
    dictionary = words.dictionary(lambda text: print(text, file=sys.stderr))
    if options.rules:
        trees = [one.query for one in rule_file.load([options.rules]).rules]
        sizes = [len(trees)]
        if not trees:
            raise Unusable(f"{options.rules}: there are no rules in it")
    else:
        sizes = options.sizes
        made = queries(read, max(*sizes, SIZES[-1]))
        trees = list(map(parse, made[: max(sizes)]))
    read = read[: READ_BEFORE + ROUNDS * BLOCK]
    classes = jars()
    rows: dict[str, Row] = {}
    for size in sizes:
        rows[str(size)] = beside(trees[:size], read, classes, options.analyzer, dictionary)
        print(size, rows[str(size)], file=sys.stderr)
    found: dict[str, Any] = {"rules": rows} | Ours(trees[: sizes[-1]], read, dictionary).words_us()
    fewest, most = rows[str(sizes[0])], rows[str(sizes[-1])]
    for growth, us in (("growth", "us"), ("compiled_growth", "compiled_us")):
        if len(sizes) > 1 and fewest[us]:
            found[growth] = round(most[us] / fewest[us], 2)
    if not options.rules:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "queries"
            file.write_text("\n".join(made), encoding="utf-8")
            found |= loading("load", 10_000, file) | loading("peak", 100_000, file) | loading("daemon", 1_000, file)
    return found


def missed(found: dict[str, Any]) -> list[str]:
    """The goals that were not reached, in words."""
    late = [f"{SAID[name]}: {found[name]}, goal {most:g}" for name, most in GOALS.items() if found.get(name, 0) > most]
    for name, goals in RATIOS.items():
        for size, least in goals.items():
            row = found["rules"].get(str(size), {})
            if row.get("peer") == "lucene" and row[name] is not None and row[name] < least:
                late.append(f"{size:,} rules: {name} {row[name]} to Lucene Monitor, goal {least:g}")
    return late


def table(found: dict[str, Any]) -> str:
    titles = ("rules", "hits", "peer", "its hits", "its µs", "ours µs", "times", "goal", "compiled µs", "times", "goal")
    lines = ["".join(f"{title:>12}" for title in titles)]
    for size, row in found["rules"].items():
        cells = [f"{int(size):,}", row["hits"], row.get("peer"), row.get("peer_hits"), row.get("peer_us")]
        for us, ratio in (("us", "ratio"), ("compiled_us", "compiled_ratio")):
            goal = RATIOS[ratio].get(int(size)) if row.get("peer") == "lucene" else None
            cells += [row[us], row.get(ratio), goal]
        lines.append("".join(f"{'' if cell is None else cell:>12}" for cell in cells).rstrip())
        if "all_us" in row:
            lines.append(f"{row['left_out']} of them ask for more than the peer knows; all of ours: {row['all_us']} µs")
        if "oracle_us" in row:
            lines.append(f"the slow matcher that ours is tested against: {row['oracle_us']} µs")
    lines += [f"{said:65} {found[name]:>8}   goal ≤ {GOALS[name]:g}" for name, said in SAID.items() if name in found]
    late = missed(found)
    return "\n".join([*lines, *(["missed:", *late] if late else ["all goals reached"])])


def sizes(typed: str) -> list[int]:
    """Numbers of rules, the fewest first."""
    numbers = sorted(set(map(int, typed.split(","))))
    if numbers[0] < 1:
        raise ValueError(typed)
    return numbers


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=Path, help="rule file or folder, instead of rules made of the articles' words")
    parser.add_argument("--articles", type=Path, help="JSON lines with title and body, .gz or not")
    parser.add_argument("--sizes", type=sizes, default=SIZES, help="how many rules, with commas between")
    parser.add_argument("--analyzer", choices=("arabic", "plain"), default="arabic", help="of Lucene")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        found = measure(options)
    except (ConfigError, Unusable) as problem:
        print(problem, file=sys.stderr)
        return 2
    print(json.dumps(found) if options.json else table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
