"""Why a rule hit or did not, as people read it: what was missing, what stood in the way, the tree, the passages."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from monitor.faces.cli import explained
from monitor.matching.examples import article
from monitor.matching.explain import Explanation
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.model import Article, Rule, Span

QUERY = "($drones OR طائرة) NEAR/2 شاهد AND lead:(إيران OR روسيا) -(فيديو OR title:لحظة)"
LISTS = {"drones": parse("مسيّرة OR درون")}


def told(text: str, query: str = QUERY, body: str = "", **filters: object) -> Explanation:
    rule = dataclasses.replace(Rule("r", "ق", "r"), **filters)  # type: ignore[arg-type]
    read = dataclasses.replace(article(text), body=body)
    return Matcher([(rule, parse(query, lists=LISTS))]).explain(read, "r")


def console(width: int = 80, *, colour: bool = False) -> Console:
    return Console(
        file=StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None,
        highlight=False, soft_wrap=True,
    )  # fmt: skip


def printed(lines: Iterable[Text], on: Console) -> str:
    for line in lines:
        on.print(line)
    file = on.file
    assert isinstance(file, StringIO)
    return file.getvalue().replace("\u2068", "").replace("\u2069", "")


LACKS = [
    ("مسيرات شاهد الإيرانية في إيران", []),
    ("إيران تعرض مسيّرة", ["missing: شاهد"]),
    ("طائرات شاهد في اليمن", ["missing: lead: one of إيران، روسيا"]),
    ("مسيرات شاهد من روسيا بالفيديو", ["must not occur: فيديو"]),
    ("لحظة إطلاق مسيرات شاهد من روسيا", ["must not occur: لحظة"]),
    (
        "طائرة روسية من نوع جديد وشاهد في روسيا",
        ["missing: (مسيّرة، درون … (+1)) NEAR/2 شاهد (both occur, 4 words between them at the closest)"],
    ),
    ("زلزال", ["missing: one of مسيّرة، درون، طائرة", "missing: شاهد", "missing: lead: one of إيران، روسيا"]),
]


@pytest.mark.parametrize(("text", "lacks"), LACKS, ids=[text for text, _ in LACKS])
def test_what_a_miss_lacks_is_told_in_its_terms(text: str, lacks: list[str]) -> None:
    assert told(text).lacks() == lacks


WONDERED = [
    ("طائرة SENTENCE شاهد", "طائرة فوق كييف. شاهد عيان", "both occur, never in one sentence"),
    ("شاهد ONEAR/3 طائرة", "طائرة شاهد", "both occur, never in this order"),
    ("شاهد NOT ONEAR/0 عيان", "شاهد عيان", "each time beside it"),
    ("ATLEAST/3 شاهد", "شاهد شاهد", "occurs 2 times"),
    ("body:شاهد", "شاهد", "occurs elsewhere in the article"),
    ("SCORE/8 [3 شاهد, 6 طائرة]", "شاهد", "reaches 3"),
]


@pytest.mark.parametrize(("query", "text", "note"), WONDERED, ids=[query for query, _, _ in WONDERED])
def test_what_a_reader_wonders_about_is_answered(query: str, text: str, note: str) -> None:
    found = told(text, query)
    assert not found.held
    assert note in found.root.note
    assert note in found.lacks()[0]


def test_a_filter_is_told_before_the_query() -> None:
    found = told("شاهد", "شاهد", languages=("fa",))
    assert not found.held
    assert "the rule asks for fa" in found.lacks()[0]


def test_closeness_is_how_much_of_the_query_holds() -> None:
    texts = ["مسيرات شاهد من روسيا بالفيديو", "طائرات شاهد في اليمن", "طائرة في اليمن", "زلزال"]
    found = [told(text).closeness() for text in texts]
    assert found == sorted(found, reverse=True)
    assert found[-1] == 0
    assert told("مسيرات شاهد في إيران").closeness() == 1


def test_the_tree_opens_what_decided_and_sums_up_the_rest() -> None:
    found = told("مسيرات شاهد الإيرانية في إيران")
    assert printed(explained.tree(found.root, QUERY, console()), console()).splitlines() == [
        "  ✓ AND",
        "  ├── ✓ NEAR/2",
        "  │   ├── ✓ OR",
        "  │   │   ├── ✓ $drones مسيّرة: مسيرات in title",
        "  │   │   └── ✗ none of درون، طائرة",
        "  │   └── ✓ شاهد: شاهد in title",
        "  ├── ✓ lead:OR",
        "  │   ├── ✓ إيران: إيران in title",
        "  │   └── ✗ none of روسيا",
        "  └── ✓ NOT: none of فيديو، title:لحظة",
    ]
    whole = printed(explained.tree(found.root, QUERY, console(), whole=True), console())
    assert "✗ $drones درون" in whole
    assert "✗ title:لحظة" in whole


def test_a_list_that_is_used_twice_is_opened_once() -> None:
    found = told("مسيرات شاهد", "$drones NEAR/1 شاهد OR $drones NEAR/2 شاهد")
    lines = printed(explained.tree(found.root, "$drones NEAR/1 شاهد OR $drones NEAR/2 شاهد", console()), console())
    assert "$drones OR" in lines
    assert "$drones: as above" in lines


def test_passages_show_the_words_in_brackets_or_in_colour_and_fit_the_terminal() -> None:
    body = "كلمة " * 30 + "أسقطت كييف مسيرة شاهد فوق المدينة " + "كلمة " * 30 + "\nفقرة أخرى عن شاهد"
    read = dataclasses.replace(article("عنوان"), body=body)
    spans = tuple(Span("body", at, at + 4, "شاهد") for at in (body.find("شاهد"), body.rfind("شاهد")))
    plain = printed(explained.passages(read, spans, console()), console()).splitlines()
    assert [line.count("[شاهد]") for line in plain] == [1, 1]
    assert plain[1].endswith("فقرة أخرى عن [شاهد]")
    narrow = console(60, colour=True)
    coloured = printed(explained.passages(read, spans, narrow), narrow)
    assert "\x1b[1;32mشاهد" in coloured
    assert "[شاهد]" not in coloured
    assert max(map(len, plain)) > 60
    assert all(len(_without_colour(line)) <= 60 for line in coloured.splitlines())


def _without_colour(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def test_places_that_overlap_are_marked_once() -> None:
    read: Article = article('طائرات "شاهد" المسيرة')
    spans = (Span("title", 7, 13, "a"), Span("title", 7, 21, "b"), Span("title", 8, 12, "c"))
    assert 'طائرات ["شاهد" المسيرة]' in printed(explained.passages(read, spans, console()), console())
