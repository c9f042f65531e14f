"""Which forms a term may take, by rule and with a dictionary."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from monitor.arabic.forms import PRONOUNS, expand, strip_pronoun
from monitor.arabic.loose import is_loose, skeleton, sounds_like
from monitor.arabic.names import territories
from monitor.arabic.tokens import AL, BARE
from monitor.arabic.verbs import conjugations, verb_forms
from monitor.matching.matcher import Matcher
from monitor.matching.tree import Term
from monitor.model import Article, Rule


@pytest.mark.parametrize(
    ("term", "forms"),
    [
        ("طائرة", "طائرة طائره طائرات طائرتان طائرتين طائرتا طائرتها طائراتهم"),
        ("طائرات", "طائرات طائرة طائرتان"),
        ("روسي", "روسي روسية روسيون روسيين روسيات"),
        ("إيرانية", "ايراني ايرانية ايرانيات ايرانيون"),
        ("مهندس", "مهندسا مهندسان مهندسين مهندسون مهندسات مهندسه"),
        ("لقاء", "لقاءات لقاءان لقائين لقائه"),
        ("مستوى", "مستوي مستواه مستويها"),
    ],
)
def test_a_word_takes_its_regular_forms(term: str, forms: str) -> None:
    assert set(forms.split()) - expand(term).modes.keys() == set()


def test_the_article_as_typed_decides_what_a_name_requires() -> None:
    assert expand("الجزائر").modes == {"الجزائر": BARE, "جزائر": AL}
    assert expand("إيران").modes == {"ايران": BARE | AL}
    assert expand("الله").stem == "الله"


def test_the_rule_file_may_force_a_kind() -> None:
    assert expand("بوتين", "name").modes.keys() == {"بوتين"}
    assert "بوتينا" in expand("بوتين", "word").modes


def test_territories_are_names_whatever_their_ending() -> None:
    assert {"ايران", "سوريا", "تركيا"} <= territories()
    assert expand("سوريا").kind == "name"


def test_latin_and_digits_have_themselves_only() -> None:
    assert expand("UAV").modes == {"uav": BARE | AL}
    assert expand("١٣٦").modes == {"136": BARE | AL}


@pytest.mark.parametrize("term", ["طائرة", "مستوى", "لقاء", "مهندس"])
def test_every_form_with_a_pronoun_is_a_host_again_without_it(term: str) -> None:
    forms = expand(term)
    assert {host + pronoun for host in forms.hosts for pronoun in PRONOUNS} <= forms.modes.keys()
    assert all(host in strip_pronoun(host + pronoun) for host in forms.hosts for pronoun in PRONOUNS)


def test_a_weak_verb_is_conjugated_by_its_shape() -> None:
    assert {"يقول", "قلت", "قالوا", "سيقول"} <= conjugations("قال")
    assert {"يرمي", "رمت", "رموا", "يرمون"} <= conjugations("رمى")
    assert {"قصفوها", "يقصفه", "سيقصفهم", "قصفني"} <= verb_forms("قصف")
    assert conjugations("of") == frozenset()


def alike(one: str, other: str) -> bool:
    mine, theirs = skeleton(one), skeleton(other)
    return is_loose(one) and mine[0] == theirs[0] and sounds_like(mine[0], mine[1], theirs[1])


@pytest.mark.parametrize(
    ("one", "other"), [("بيرقدار", "بيراكدار"), ("زيلينسكي", "زلنسكي"), ("هرتسوغ", "هيرتسوج"), ("كاراباخ", "كراباغ")]
)
def test_spellings_that_sound_alike_have_one_skeleton(one: str, other: str) -> None:
    assert alike(one, other)


@pytest.mark.parametrize(("one", "other"), [("محمود", "محمد"), ("باغ", "باك"), ("بيرقدار", "بايراكاتور")])
def test_short_or_distant_names_are_kept_apart(one: str, other: str) -> None:
    assert not alike(one, other)


class SmallDictionary:
    """Knows one broken plural, and two words that look like an inflection or a clitic."""

    def lemmas(self, word: str) -> frozenset[str]:
        return frozenset({"صاروخ"} if word in ("صاروخ", "صواريخ") else {"اسم"} if word == "اسم" else ())

    def forms(self, lemma: str) -> frozenset[str]:
        return frozenset({"صاروخ", "صواريخ"} if lemma == "صاروخ" else {lemma})

    def refuses(self, form: str, lemmas: frozenset[str]) -> bool:
        return form == "صاروخها"

    def other_words(self, forms: Iterable[str], lemmas: frozenset[str]) -> frozenset[str]:
        return frozenset({"باسم"})


@pytest.mark.parametrize(
    ("term", "text", "held"),
    [
        *(("صاروخ", "بالصواريخ", True), ("صواريخ", "صاروخ", True), ("صاروخ", "صواريخهم", True)),
        *(("صاروخ", "وصاروخها", False), ("اسم", "باسم", False), ("اسم", "لاسم", True)),
    ],
)
def test_a_dictionary_adds_forms_and_refuses_other_words(term: str, text: str, held: bool) -> None:
    matcher = Matcher([(Rule("r", "ق", "r"), Term(term, "word", (0, 0)))], dictionary=SmallDictionary())
    now = datetime(2026, 1, 1, tzinfo=UTC)
    article = Article("f", "o", "k", "", "", text, "", "", "", (), "ar", None, now, "h")
    assert bool(matcher.match(article)) == held
    assert matcher.explain(article, "r").held == held
