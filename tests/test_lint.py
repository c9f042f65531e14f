"""`rasid rules lint`: every doubt is found at its place, what is fine is left alone, and the archive is counted."""

from __future__ import annotations

import json
import textwrap
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import QueryError
from monitor.matching.covers import Covers, never
from monitor.matching.doubts import findings, warnings
from monitor.matching.examples import article
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.matching.tree import And, Node, Or
from monitor.model import Placement, Rule
from monitor.store.store import Store
from tests.command import rasid
from tests.small_dictionary import SMALL

LISTS: dict[str, Node] = {"drones": parse("مسيّرة OR درون")}


def codes(text: str) -> list[tuple[str, str]]:
    """(code, the part of the query that is pointed at) of every doubt."""
    query = parse(text, lists=LISTS)
    found = [*warnings(query, text), *findings(query, text, SMALL)]
    return [(one.code, text[one.at[0] : one.at[1]]) for one in sorted(found, key=lambda one: one.at)]


DOUBTS = [
    ("NOT طائرة", [("always", "NOT طائرة")]),
    ("صاروخ OR -طائرة", [("always", "صاروخ OR -طائرة")]),
    ("~باكو زلزال", [("short", "~باكو")]),
    ("طائرة w/3 صاروخ", [("order", "w/3")]),
    ("title:body:طائرة", [("never", "body:طائرة")]),
    ("title:طائرة NEAR/3 body:صاروخ", [("never", "title:طائرة NEAR/3 body:صاروخ")]),
    ("زلزلة OR (url:طائرة SENTENCE صاروخ NEAR/2 lang:ar)", [("never", "url:طائرة SENTENCE صاروخ NEAR/2 lang:ar")]),
    ("SCORE/9 [3 طائرة, 5 صاروخ, -2 فيديو]", [("never", "SCORE/9 [3 طائرة, 5 صاروخ, -2 فيديو]")]),
    ("طائرة NOT طائرة", [("killed", "طائرة")]),
    ('"شاهد عيان" NOT شاهد', [("killed", '"شاهد عيان"')]),
    ("(مسيرات روسية OR طائرة) -مسيرة", [("killed", "مسيرات روسية")]),
    ("lead:صاروخ -صاروخ", [("killed", "lead:صاروخ")]),
    ("طائرات NOT NEAR/3 طائرة", [("killed", "طائرات NOT NEAR/3 طائرة")]),
    ("طائرة OR صاروخ OR طائرة", [("duplicate", "طائرة")]),
    ('صاروخ OR "صاروخ روسي"', [("covered", '"صاروخ روسي"')]),
    ("صاروخ OR =صاروخ", [("covered", "=صاروخ")]),
    ("طائرة OR title:طائرة", [("covered", "title:طائرة")]),
    ("title:طائرة OR lead:طائرة", [("covered", "title:طائرة")]),
    ('"طائرات شاهد"~3 OR "طائرات شاهد المسيرة"', [("covered", '"طائرات شاهد المسيرة"')]),
    ("طائرة NEAR/3 صاروخ OR طائرة NEAR/9 صاروخ", [("covered", "طائرة NEAR/3 صاروخ")]),
    ("ATLEAST/3 طائرة OR ATLEAST/2 طائرة", [("covered", "ATLEAST/3 طائرة")]),
    ('طائرة AND "طائرة روسية"', [("needless", "طائرة")]),
    ("=من", [("grammar", "=من")]),
    ("شاهد", [("ambiguous", "شاهد")]),
    ("طائرة OR lead:مسيرة", [("ambiguous", "مسيرة")]),
    ("شاهد NOT عيان", [("ambiguous", "شاهد")]),
    ("$drones", [("ambiguous", "$drones")]),
    ("136", [("number", "136")]),
    ("/شاهد[0-9]+/", [("slow", "/شاهد[0-9]+/")]),
]
FINE = [
    "طائرة",
    "شاهد NEAR/3 طائرة",
    '"شاهد 136"',
    "شاهد AND /شاهد[0-9]/",
    "صاروخ OR طائرة",
    "title:طائرة NEAR/3 صاروخ",
    "طائرة -شاهد",
    "lang:من",
    "شاهد NOT ONEAR/0 (شاهد OR عيان) AND طائرة",
    "title:صاروخ NOT body:صاروخ",
    "title:(NOT طائرة) OR NOT طائرة AND صاروخ",
    "SCORE/8 [3 طائرة, 5 صاروخ]",
    "$drones NEAR/3 (طائرة OR درون)",
]


@pytest.mark.parametrize(("text", "doubts"), DOUBTS, ids=[text for text, _ in DOUBTS])
def test_a_doubt_is_found_and_pointed_at(text: str, doubts: list[tuple[str, str]]) -> None:
    assert codes(text) == doubts


@pytest.mark.parametrize("text", FINE)
def test_what_is_fine_is_left_alone(text: str) -> None:
    assert [code for code, _ in codes(text) if code != "always"] == []


def test_a_plural_that_only_the_dictionary_knows_is_of_use_without_it() -> None:
    tree = parse("صاروخ OR صواريخ")
    assert isinstance(tree, Or)
    one, many = tree.children
    assert Covers(tree, SMALL).implies(many, one)
    assert not Covers(tree).implies(many, one)
    assert codes("صاروخ OR صواريخ") == []


# ── a yes is certain ──

LATIN = st.sampled_from(
    ["alpha", "bravo", "charlie", '"alpha bravo"', '"bravo charlie alpha"', "=alpha", "alp*", "*arlie"]
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = inner.map(lambda text: f"({text})")
    joints = ["AND", "OR", "AND NOT", "NEAR/1", "NEAR/3", "ONEAR/3", "NOT NEAR/1", "SENTENCE"]
    return st.one_of(
        st.builds(lambda one, joint, other: f"{one} {joint} {other}", group, st.sampled_from(joints), group),
        st.builds(lambda name, one: f"{name}:{one}", st.sampled_from(["title", "body", "lead"]), group),
        st.builds(lambda count, one: f"ATLEAST/{count} {one}", st.integers(1, 3), group),
        st.builds(lambda one, other: f"SCORE/3 [2 {one}, 1 {other}]", group, group),
    )


def _readable(text: str) -> Node | None:
    try:
        return parse(text)
    except QueryError:
        return None


latin: Any = st.recursive(LATIN, _larger, max_leaves=4).map(_readable).filter(bool)
latin_texts = st.lists(st.sampled_from(["alpha", "bravo", "charlie", "alphas.", "delta", "bravo,"]), max_size=7).map(
    " ".join
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(latin, latin, st.sampled_from("ion"), latin_texts, latin_texts)
def test_what_is_said_to_hold_wherever_another_does_and_never_at_all(
    one: Node, other: Node, how: str, title: str, body: str
) -> None:
    narrow, wide = one, other
    if how != "i":  # pairs of which one does
        narrow, wide = (And((one, other), one.at), one) if how == "n" else (one, Or((other, one), one.at))
    both = Or((narrow, wide), one.at)
    implied = Covers(both).implies(narrow, wide)
    matcher = Matcher([(Rule("narrow", "", ""), narrow), (Rule("wide", "", ""), wide)])
    hits = {match.rule_id for match in matcher.match(replace(article(title), body=body))}
    assert not implied or "narrow" not in hits or "wide" in hits
    assert how == "i" or implied
    assert never(narrow) is None or "narrow" not in hits


RULES = """\
    terms:
      drones: [طائرة مسيرة, مسيّرة]
      unused: [درون]
    rules:
      - id: broad
        match: كلمة
        examples: {match: [كلمة], skip: [أخرى]}
      - id: shahed
        any:
          - '"طائرات شاهد"'
          - شاهد
        none: [عيان]
      - id: killed
        match: |
          صاروخ
          AND كييف
        none: [كلمة]
        examples: {match: [صاروخ على كييف], skip: [أخرى]}
      - id: drones
        match: $drones AND كييف
        examples: {match: [مسيرة في كييف], skip: [أخرى]}
      - id: again
        match: $drones كييف
        examples: {match: [مسيرة في كييف], skip: [أخرى]}
    """


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "rules.yaml").write_text(textwrap.dedent(RULES), encoding="utf-8")
    return tmp_path


def stored(url: str) -> None:
    """300 articles: each has كلمة, ten have شاهد, four of these عيان, seven صاروخ and كييف."""
    now = datetime.now(UTC) - timedelta(hours=1)
    store = Store.open(url, owner="test")
    try:
        with store.intake(now) as tx:
            for number in range(300):
                words = f"كلمة {number}"
                words += " شاهد" * (number < 10) + " عيان" * (number < 4) + " صاروخ كييف" * (20 < number < 28)
                one = replace(article(words), key=str(number), first_seen=now, canonical_url=f"https://e.org/{number}")
                tx.add_article(one, tx.open_story(now), Placement(None, "new"), False)
    finally:
        store.close()


def test_each_finding_has_its_place_and_the_archive_is_counted(folder: Path, store_url: str) -> None:
    stored(store_url)
    done = rasid(folder, "rules", "lint", "--json", environ={"RASID_DATABASE__URL": store_url})
    told = json.loads(done.stdout)
    found = [(one["line"], one["column"], one["where"], one["code"], one["hint"]) for one in told["findings"]]
    assert found == [
        (2, 12, "$drones", "covered", True),
        (3, 3, "$unused", "unused", True),
        (5, 1, "broad", "broad", False),
        (8, 1, "shahed", "untested", True),
        (10, 10, "shahed", "covered", True),
        (11, 9, "shahed", "ambiguous", False),
        (13, 1, "killed", "killed", False),
        (22, 1, "again", "same", False),
    ]
    assert done.returncode == 1
    assert told["articles"] == 300
    assert told["hits"] == {"broad": 300, "shahed": 6, "killed": 0, "drones": 0, "again": 0}
    by_code = {one["code"]: one for one in told["findings"]}
    assert by_code["ambiguous"]["articles"] == 10
    assert "stands in 10 of 300 stored articles" in by_code["ambiguous"]["what"]
    assert "all of the 7 stored articles" in by_code["killed"]["what"]
    assert "300 of 300 stored articles (100%)" in by_code["broad"]["what"]


def test_without_an_archive_the_queries_alone_are_read(folder: Path) -> None:
    done = rasid(folder, "rules", "lint", environ={})
    assert done.returncode == 1
    assert "config/rules.yaml:11:9: shahed: شاهد alone is ambiguous (a drone" in done.stdout
    assert "no articles are stored yet" in done.stderr
    assert not (folder / "data").exists()


def test_hints_alone_and_clean_rules_end_with_0(folder: Path) -> None:
    rules = folder / "config" / "rules.yaml"
    rules.write_text("rules: [{id: a, match: صاروخ OR صاروخ}]\n", encoding="utf-8")
    done = rasid(folder, "rules", "lint", environ={})
    assert (done.returncode, "0 doubts, 2 hints in 1 rules" in done.stdout) == (0, True)


def test_what_check_warns_of_is_in_the_list_once(folder: Path) -> None:
    rules = folder / "config" / "rules.yaml"
    rules.write_text("rules: [{id: a, match: زلزال w/3 ~باكو}]\n", encoding="utf-8")
    done = rasid(folder, "rules", "lint", "--json", environ={})
    found = [(one["column"], one["code"]) for one in json.loads(done.stdout)["findings"] if not one["hint"]]
    assert found == [(30, "check"), (34, "check")]
    assert done.stderr.count("باكو") == 0


def test_a_broken_file_ends_with_2(folder: Path) -> None:
    (folder / "config" / "rules.yaml").write_text("rules: [{id: a, match: (زلزال}]\n", encoding="utf-8")
    done = rasid(folder, "rules", "lint", environ={})
    assert (done.returncode, "rules.yaml:1:24" in done.stderr) == (2, True)
