"""The golden sentences of tests/golden: what a query must find in a sentence, and what it must leave alone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import yaml

from monitor.arabic.dictionary import Dictionary
from monitor.errors import RasidError
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.model import Article, Rule, RuleMatch
from monitor.runtime import words

GOLDEN = Path(__file__).parent / "golden"
DOCS = Path(__file__).parents[1] / "docs" / "arabic.md"
_ROW = re.compile(r"\s*- (\{.*\})\s*$")
_SECTION = re.compile(r"(\w+):\s*$")


class Pair(NamedTuple):
    """One line: a query, a sentence that it must find and one that it must not; where it is written."""

    place: str
    section: str
    query: str
    hit: str
    miss: str


def pairs(path: Path) -> Iterator[Pair]:
    section = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := _SECTION.match(line):
            section = found[1]
        elif row := _ROW.match(line):
            value = yaml.safe_load(row[1])
            assert set(value) == {"q", "hit", "miss"}, f"{path.name}:{number}: a line has q, hit and miss"
            yield Pair(f"{path.name}:{number}", section, *map(str, (value["q"], value["hit"], value["miss"])))
        else:
            assert not line.strip() or line.startswith("#"), f"{path.name}:{number}: neither a section, a pair nor a #"


def look(query: str, text: str, dictionary: Dictionary | None) -> RuleMatch | None:
    matcher = Matcher([(Rule("r", "ق", "r"), parse(query))], dictionary=dictionary)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    found = matcher.match(Article("f", "o", "k", "", "", "", text, "", "", (), "ar", None, now, "h"))
    return found[0] if found else None


def wrong(pair: Pair, dictionary: Dictionary | None) -> list[str]:
    """What the matcher says otherwise than the line."""
    try:
        hit, miss = look(pair.query, pair.hit, dictionary), look(pair.query, pair.miss, dictionary)
    except RasidError as error:
        return [f"{pair.place}: the query {pair.query} cannot be read: {error}"]
    told = []
    if hit is None:
        told.append(f"{pair.place} ({pair.section}): {pair.query} is not found in: {pair.hit}")
    if miss is not None:
        seen = "، ".join(pair.miss[span.start : span.end] for span in miss.spans)
        told.append(f"{pair.place} ({pair.section}): {pair.query} is found as «{seen}» in: {pair.miss}")
    return told


def test_golden_sentences() -> None:
    """All pairs hold but the undecidable ones; docs/arabic.md tells how many these are."""
    dictionary = words.dictionary(lambda _: None)
    assert dictionary is not None
    failed: list[str] = []
    undecidable = 0
    for path in sorted(GOLDEN.glob("*.yaml")):
        for pair in pairs(path):
            told = wrong(pair, dictionary)
            if path.stem == "undecidable":
                undecidable += 1
                if not told:
                    failed.append(f"{pair.place}: holds; move it to another file")
            else:
                failed += told
    assert not failed, f"{len(failed)} sentences are wrong:\n" + "\n".join(failed)
    told_in_docs = f"{undecidable} pairs cannot be decided"
    assert told_in_docs in DOCS.read_text(encoding="utf-8"), f"docs/arabic.md should say: {told_in_docs}"
