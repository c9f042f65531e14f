"""Where the query language and Lucene's overlap, both find the same: benchmarks/semantics.py [--seed N] [--json].

300 queries of plain Latin words, as Lucene's classic query parser reads them and as its span queries, over 3,000 texts
made for it; then the differences that docs/query-language.md names, each held to what it is said to be. Needs Java 17
and Maven. Ends with 1 where a hit differs that should not.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from benchmarks.lucene import HERE, jars
from monitor.matching.examples import article
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.model import Article, Rule

ARTICLES = 3_000
_TEXT = """
    alpha bravo charlie delta foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo sierra
    tango uniform victor whiskey xray yankee zulu anchor beacon cargo dagger ember falcon garnet harbor island jetty
    kernel lantern market needle orchid
"""
WORDS = _TEXT.split()
SIGNS = [" "] * 12 + [", ", ". ", "; ", " - ", '" ', " ("]


@dataclass(frozen=True)
class Pair:
    """One query in both languages. lucene: a line of Semantics.java. equal: what of ours finds the same as Lucene.

    repeated: where one of these words occurs twice, Lucene may find less: of spans within spans it tries the shortest.
    """

    kind: str
    ours: str
    lucene: str
    equal: str = ""
    repeated: tuple[str, ...] = ()

    def differences(self, ours: set[int], theirs: set[int], articles: Sequence[Article]) -> list[int]:
        """Articles that one finds and the other does not, although they should agree."""
        return sorted((theirs - ours) | {one for one in ours - theirs if not self._twice(articles[one])})

    def _twice(self, one: Article) -> bool:
        words = re.findall(r"\w+", f"{one.title} {one.body}")
        return any(words.count(word) > 1 for word in self.repeated)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    classes = jars()
    if classes is None:
        raise SystemExit(0)
    random = Random(chosen.seed)
    articles = [_article(random) for _ in range(ARTICLES)]
    shared, differing = list(_shared(_Maker(random))), list(_differing(_Maker(random)))
    theirs = _lucene(classes, [pair.lucene for pair in (*shared, *differing)], articles)
    ours = _ours([pair.ours for pair in (*shared, *differing)], articles)
    equal = _ours([pair.equal or pair.ours for pair in (*shared, *differing)], articles)
    rows: dict[str, Counter[str]] = {}
    wrong = []
    for number, pair in enumerate((*shared, *differing)):
        row = rows.setdefault(pair.kind, Counter())
        row.update(queries=1, hits=len(theirs[number]), found=bool(theirs[number]), same=ours[number] == theirs[number])
        differences = pair.differences(equal[number], theirs[number], articles)
        row.update(explained=not differences)
        if differences:
            wrong.append((pair, differences[:3]))
    _print(rows, wrong, articles, as_json=chosen.json)
    raise SystemExit(1 if wrong else 0)


def _print(
    rows: dict[str, Counter[str]],
    wrong: Sequence[tuple[Pair, list[int]]],
    articles: Sequence[Article],
    *,
    as_json: bool,
) -> None:
    if as_json:
        failed = [{"ours": pair.ours, "lucene": pair.lucene, "articles": ids} for pair, ids in wrong]
        print(json.dumps({"kinds": rows, "wrong": failed}, indent=2))
        return
    print(f"{'':<34}{'queries':>8}{'with hits':>10}{'hits':>9}{'same':>7}{'as said':>9}")
    for kind, row in rows.items():
        print(f"{kind:<34}{row['queries']:>8}{row['found']:>10}{row['hits']:>9}{row['same']:>7}{row['explained']:>9}")
    for pair, ids in wrong[:10]:
        print(f"\n{pair.kind}: {pair.ours}\n  Lucene: {pair.lucene}")
        for number in ids:
            print(f"  {articles[number].title} ¶ {articles[number].body}")


# ── texts and queries ────────────────────────────────────────────────────────────────────────────────────────────


def _article(random: Random) -> Article:
    def text(least: int, most: int) -> str:
        picked = [WORDS[min(int(random.expovariate(0.09)), len(WORDS) - 1)] for _ in range(random.randint(least, most))]
        return "".join(word + random.choice(SIGNS) for word in picked).strip()

    return replace(article(text(3, 8)), body=text(8, 40))


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random

    def word(self) -> str:
        return self.random.choice(WORDS)

    def words(self, count: int) -> list[str]:
        return self.random.sample(WORDS, count)

    def phrase(self) -> str:
        return f'"{" ".join(self.words(2))}"'

    def star(self) -> str:
        word = self.word()
        return self.random.choice([f"{word[:3]}*", f"*{word[-3:]}", f"{word[:2]}*{word[-2:]}"])

    def tree(self, depth: int) -> str:
        """Of both languages: every operator in parentheses, NOT only beside what must occur."""
        kind = self.random.choice(["and", "or", "not", "leaf"] if depth else ["leaf"])
        if kind == "leaf":
            return self.random.choice([self.word, self.word, self.word, self.phrase, self.star])()
        if kind == "not":
            return f"({self.tree(depth - 1)} AND NOT {self.tree(depth - 1)})"
        joint = f" {kind.upper()} "
        return f"({joint.join(self.tree(depth - 1) for _ in range(self.random.randint(2, 3)))})"

    def side(self) -> tuple[str, str]:
        """A side of NEAR in both: a word, a phrase, or words with OR."""
        kind = self.random.choice("wwpo")
        if kind == "w":
            word = self.word()
            return word, f"w {word}"
        found = self.words(2 if kind == "p" else self.random.randint(2, 4))
        if kind == "p":
            return f'"{" ".join(found)}"', f"p {len(found)} {' '.join(found)}"
        return f"({' OR '.join(found)})", f"o {len(found)} {' '.join(f'w {word}' for word in found)}"


def _shared(make: _Maker) -> Iterator[Pair]:
    def each(kind: str, count: int, one: Callable[[], tuple[str, str]]) -> Iterator[Pair]:
        return (Pair(kind, *one()) for _ in range(count))

    def parsed(made: Callable[[], str]) -> Callable[[], tuple[str, str]]:
        def one() -> tuple[str, str]:
            text = made()
            return text, f"parse {text}"

        return one

    yield from each("AND, OR, NOT, ( )", 80, parsed(lambda: make.tree(3)))
    yield from each("words in a row (AND)", 10, parsed(lambda: " ".join(make.words(2))))
    yield from each("phrases", 40, parsed(make.phrase))
    yield from each("wildcards", 30, parsed(make.star))
    yield from each("fields", 30, parsed(lambda: f"{make.random.choice(['title', 'body'])}:{make.tree(1)}"))
    yield from each("fields on groups", 10, parsed(lambda: f"(title:{make.tree(1)} AND body:{make.tree(2)})"))
    yield from each("- (NOT)", 10, parsed(lambda: f"{make.word()} -{make.word()}"))
    yield from each("NEAR", 30, lambda: _near(make, ordered=False))
    yield from each("ONEAR", 30, lambda: _near(make, ordered=True))
    yield from each("NOT NEAR, NOT ONEAR", 20, lambda: _apart(make))
    yield from each("SCORE (minimum should match)", 10, lambda: _least(make))


def _near(make: _Maker, *, ordered: bool) -> tuple[str, str]:
    (left, there), (right, other) = make.side(), make.side()
    while set(_named(left)) & set(_named(right)):  # one word cannot be near to itself there
        right, other = make.side()
    slop = make.random.randint(0, 6)
    return f"{left} {'O' * ordered}NEAR/{slop} {right}", f"spans near {slop} {str(ordered).lower()} 2 {there} {other}"


def _named(side: str) -> list[str]:
    return [word for word in side.replace("(", " ").replace(")", " ").replace('"', " ").split() if word != "OR"]


def _apart(make: _Maker) -> tuple[str, str]:
    kept, banned = make.words(2)
    slop, ordered = make.random.randint(0, 6), make.random.random() < 0.5
    before = 0 if ordered else slop + 1
    return f"{kept} NOT {'O' * ordered}NEAR/{slop} {banned}", f"spans apart {before} {slop + 1} w {kept} w {banned}"


def _least(make: _Maker) -> tuple[str, str]:
    parts = [make.tree(1) for _ in range(make.random.randint(3, 5))]
    least = make.random.randint(2, len(parts))
    return f"SCORE/{least} [{', '.join(f'1 {part}' for part in parts)}]", f"least {least} " + "\t".join(parts)


def _differing(make: _Maker) -> Iterator[Pair]:
    """What differs, and what of ours finds what Lucene's does. docs/query-language.md says why."""
    for _ in range(30):
        one, other = make.words(2)
        slop = make.random.randint(1, 6)
        turned = f" OR {other} ONEAR/{slop - 2} {one}" if slop >= 2 else ""
        query = f'"{one} {other}"~{slop}'
        yield Pair("phrase with slop: moves", query, f"parse {query}", f"{one} ONEAR/{slop} {other}{turned}")
    for _ in range(10):
        one, two, three = make.words(3)
        query = f"{one} OR {two} AND {three}"
        yield Pair("OR and AND without ( )", query, f"parse {query}", f"{two} AND {three}")
    for _ in range(10):
        one, two = make.words(2)
        yield Pair("OR with NOT", f"{one} OR NOT {two}", f"parse {one} OR NOT {two}", f"{one} AND NOT {two}")
    for _ in range(5):
        word = make.word()
        yield Pair("a NOT alone", f"NOT {word}", f"parse NOT {word}", f"{word} AND NOT {word}")
    for _ in range(15):
        one, two, three = make.words(3)
        near = make.random.randint(1, 5)
        far = make.random.randint(near - 1, 6)
        query = f"({one} NEAR/{near} {two}) NEAR/{far} {three}"
        inner = f"near {near} false 2 w {one} w {two}"
        window = f'"{one} {three} {two}"~{near - 1}' if near > 1 else f'"{one} {three} {two}" OR "{two} {three} {one}"'
        within = f"{query} OR {window}"
        lucene = f"spans near {far} false 2 {inner} w {three}"
        yield Pair("NEAR of what stands inside", query, lucene, within, (one, two))


# ── the two engines ──────────────────────────────────────────────────────────────────────────────────────────────


def _lucene(classes: Path, queries: Sequence[str], articles: Sequence[Article]) -> list[set[int]]:
    with tempfile.TemporaryDirectory() as folder:
        asked, read = Path(folder) / "queries", Path(folder) / "articles"
        asked.write_text("".join(f"{query}\n" for query in queries), encoding="utf-8")
        read.write_text("".join(f"{one.title}\t{one.body}\n" for one in articles), encoding="utf-8")
        command = ["java", "-cp", f"{classes}/*", str(HERE / "Semantics.java"), str(asked), str(read)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"Lucene did not answer: {done.stderr[-1000:]}")
    return [set(map(int, line.split())) for line in done.stdout.splitlines()]


def _ours(queries: Sequence[str], articles: Sequence[Article]) -> list[set[int]]:
    matcher = Matcher([(Rule(str(number), "", ""), parse(query)) for number, query in enumerate(queries)])
    found: list[set[int]] = [set() for _ in queries]
    for at, one in enumerate(articles):
        for match in matcher.match(one):
            found[int(match.rule_id)].add(at)
    return found


if __name__ == "__main__":
    main()
