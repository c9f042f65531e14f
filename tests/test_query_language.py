"""The page docs/query-language.md tells the truth: every line of its tables is tried."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from monitor.errors import QueryError
from monitor.matching.examples import article
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse, show
from monitor.matching.tree import Node
from monitor.model import Rule
from monitor.runtime.words import dictionary

PAGE = Path(__file__).parents[1] / "docs" / "query-language.md"
LISTS: dict[str, Node] = {"drones": parse("طائرة مسيرة OR درون OR UAV", phrases=True)}
EXAMPLES = ("| query | finds | does not find |", "| الاستعلام | يجد | لا يجد |")
OTHERS = re.compile(r"\| (Meltwater|Brandwatch|Factiva|Lexis|Lucene|FreshRSS, EMM|هناك) \| (here|هنا) \| \|")
SAME, REFUSED, OTHER = ("as it is", "كما هو"), ("not read", "لا يُقرأ"), ("otherwise",)


def rows(wanted: re.Pattern[str]) -> list[list[str]]:
    """The cells of every table whose first line fits, without that line."""
    found: list[list[str]] = []
    inside = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            inside = False
        elif wanted.fullmatch(line):
            inside = True
        elif inside and not line.startswith("|---"):
            found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


EXAMPLE_ROWS = rows(re.compile("|".join(map(re.escape, EXAMPLES))))
OTHER_ROWS = rows(OTHERS)


def code(cell: str) -> str:
    assert cell[0] == cell[-1] == "`", cell
    return cell[1:-1]


def hits(query: str, text: str) -> bool:
    title, _, body = text.partition(" ¶ ")
    read = dataclasses.replace(article(title), body=body.replace("¶", "\n"))
    node = parse(query, lists=LISTS)
    return bool(Matcher([(Rule("r", "", ""), node)], dictionary=dictionary(print)).match(read))


@pytest.mark.parametrize(("query", "found", "missed"), EXAMPLE_ROWS, ids=[row[0] for row in EXAMPLE_ROWS])
def test_a_query_of_the_page_finds_what_it_says_and_not_the_other(query: str, found: str, missed: str) -> None:
    assert hits(code(query), found)
    assert not hits(code(query), missed)


@pytest.mark.parametrize(("there", "here", "how"), OTHER_ROWS, ids=[row[0] for row in OTHER_ROWS])
def test_what_the_page_says_of_other_tools_is_so(there: str, here: str, how: str) -> None:
    wanted = show(parse(code(here)))
    if how.startswith(SAME):
        assert show(parse(code(there))) == wanted
    elif how.startswith(REFUSED):
        with pytest.raises(QueryError):
            parse(code(there))
    else:
        assert how.startswith(OTHER)
        assert show(parse(code(there))) != wanted


def test_every_table_was_found() -> None:
    assert len(EXAMPLE_ROWS) >= 65
    assert len(OTHER_ROWS) >= 65
    assert sum(line.startswith("|---") for line in PAGE.read_text(encoding="utf-8").splitlines()) == 17
