"""`rasid rules expand`: what it lists is what the matcher finds, and what it leaves out is not found."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.arabic.dictionary import Dictionary
from monitor.arabic.normalise import fold
from monitor.arabic.tokens import tokenise
from monitor.matching.examples import article
from monitor.matching.expand import ExpandedWord, expand
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse
from monitor.model import Rule
from tests.command import rasid
from tests.small_dictionary import SMALL

WORDS = ["مسيرة", "صاروخ", "شاهد", "أوكرانيا", "الطائرة", "روسي", "لقاء", "مستشفى", "بوتين", "الجزائر", "Shahed"]


@cache
def matcher(query: str, dictionary: Dictionary | None) -> Matcher:
    return Matcher([(Rule("r", "", ""), parse(query))], dictionary=dictionary)


def finds(query: str, text: str, dictionary: Dictionary | None) -> bool:
    return bool(matcher(query, dictionary).match(article(text)))


def surfaces(word: ExpandedWord) -> set[str]:
    """Every form as a text may have it, some of them with what may stand before and behind."""
    found: set[str] = set()
    for group in word.groups:
        for form in group.forms:
            before = word.before if word.before else ("",)
            if group.article != "only":
                found |= {form, *(f"و{form}", f"ب{form}") * bool(word.before)}
            if group.article != "never" and form[:2] != "ال":
                found |= {f"{one}{form}" for one in before if one.endswith("ال")}
    return found | {host + pronoun for host in word.hosts for pronoun in word.pronouns}


@pytest.mark.parametrize("dictionary", [None, SMALL], ids=["by rule", "dictionary"])
@pytest.mark.parametrize("mark", ["", "^"])
@pytest.mark.parametrize("word", WORDS)
def test_what_is_listed_is_found(word: str, mark: str, dictionary: Dictionary | None) -> None:
    [term] = expand(parse(mark + word), dictionary)
    [told] = term.words
    refused = {fold(other) for other in told.others}
    for text in surfaces(told):
        if fold(text) not in refused and len(tokenise(text)) == 1:
            assert finds(mark + word, text, dictionary), text


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WORDS), st.sampled_from(["", "ا", "ات", "ين", "ة", "ه", "ها", "وها", "تم", "ي"]), st.booleans())
def test_what_is_found_is_listed(word: str, ending: str, cut: bool) -> None:
    text = (word[:-1] if cut else word) + ending
    [term] = expand(parse(word), SMALL)
    listed = {fold(one) for one in surfaces(term.words[0])}
    if finds(word, text, SMALL) and len(tokenise(text)) == 1:
        assert tokenise(text)[0].folded in listed


def test_others_are_not_found() -> None:
    [term] = expand(parse("عدد"), SMALL)
    assert term.words[0].others
    assert not any(finds("عدد", other, SMALL) for other in term.words[0].others)


def test_marks_phrases_and_patterns_are_told_in_words() -> None:
    told = expand(parse('"طائرات =شاهد" OR مسير* OR ~كاراباخ OR ^قصف OR /x[0-9]/ OR مسير*'), None)
    assert [one.text for one in told] == ['"طائرات شاهد"', "مسير*", "~كاراباخ", "^قصف", "/x[0-9]/"]
    first, second = told[0].words
    assert "ال" in first.before and second.before == ()
    assert told[0].note.startswith("the words in a row")
    assert told[1].words[0].groups[0].note == "that begins with مسير"
    assert "ج ك ق" in told[2].words[0].groups[-1].note
    assert [group.why for group in told[3].words[0].groups][-3:-1] == [
        "the verb, past",
        "the verb, present; future with س",
    ]
    assert told[4].note.startswith("an expression")


def test_a_name_written_apart_is_told() -> None:
    [term] = expand(parse("أبوظبي"), None)
    assert term.also == ("أبو ظبي",)


def test_the_command_knows_lists_and_kinds(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "rules.yaml").write_text(
        "terms: {drones: [مسيّرة, درون]}\nrules: [{id: a, match: شاهد $drones, kinds: {شاهد: name}}]\n", encoding="utf-8"
    )
    lists = rasid(tmp_path, "rules", "expand", "$drones", "--json", environ={})
    assert [one["text"] for one in json.loads(lists.stdout)] == ["مسيّرة", "درون"]
    plain = json.loads(rasid(tmp_path, "rules", "expand", "شاهد", "--json", environ={}).stdout)
    named = json.loads(rasid(tmp_path, "rules", "expand", "شاهد", "--rule", "a", "--json", environ={}).stdout)
    assert plain[0]["words"][0]["sort"].startswith("a word")
    assert named[0]["words"][0]["sort"] == "a name, which hardly inflects: as the rule says"


def test_a_query_that_cannot_be_read_and_a_rule_that_is_not_there_end_with_2(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    broken = rasid(tmp_path, "rules", "expand", "(طائرة", environ={})
    assert (broken.returncode, "not closed" in broken.stderr) == (2, True)
    missing = rasid(tmp_path, "rules", "expand", "$drones", environ={})
    assert (missing.returncode, "rasid init" in missing.stderr) == (2, True)
    shown = rasid(tmp_path, "rules", "expand", "طائرة", environ={})
    assert (shown.returncode, "as typed" in shown.stdout) == (0, True)
