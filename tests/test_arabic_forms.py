"""Which forms a term may take, by rule and with a dictionary."""

from datetime import UTC, datetime

import pytest

from monitor.arabic.forms import expand
from monitor.arabic.loose import is_common, is_loose, keys, skeleton, sounds_like
from monitor.arabic.names import territories
from monitor.arabic.normalise import fold, soft
from monitor.arabic.pronouns import PRONOUNS, strip_pronoun
from monitor.arabic.tokens import AL, BARE
from monitor.arabic.verbs import conjugations, verb_forms
from monitor.matching.matcher import Matcher
from monitor.matching.tree import Term
from monitor.model import Article, Rule
from tests.small_dictionary import SMALL


@pytest.mark.parametrize(
    ("term", "forms"),
    [
        ("طائرة", "طائرة طائره طائرات طائرتان طائرتين طائرتا"),
        ("طائرات", "طائرات طائرة طائرتان"),
        ("روسي", "روسي روسية روسيون روسيين روسيات"),
        ("إيرانية", "ايراني ايرانية ايرانيات ايرانيون"),
        ("مهندس", "مهندسا مهندسان مهندسين مهندسون مهندسات"),
        ("لقاء", "لقاءات لقاءان لقائين"),
    ],
)
def test_a_word_takes_its_regular_forms(term: str, forms: str) -> None:
    assert set(forms.split()) - expand(term).modes.keys() == set()


def test_the_article_as_typed_decides_what_a_name_requires() -> None:
    assert expand("الجزائر").modes == {"الجزائر": BARE | AL, "جزائر": AL}
    assert expand("إيران").modes == {"ايران": BARE | AL}
    assert expand("الله").stem == "الله"


def test_the_rule_file_may_force_a_kind() -> None:
    assert expand("بوتين", "name").modes.keys() == {"بوتين"}
    assert "بوتينا" in expand("بوتين", "word").modes


def test_territories_are_names_whatever_their_ending() -> None:
    assert {"ايران", "سوريا", "تركيا"} <= territories()
    assert expand("سوريا").kind == "name"
    for capital in ("يريفان", "الرياض", "الخرطوم", "القاهرة"):
        assert expand(capital).kind == "name"


def test_latin_and_digits_have_themselves_only() -> None:
    assert expand("UAV").modes == {"uav": BARE | AL}
    assert expand("١٣٦").modes == {"136": BARE | AL}


@pytest.mark.parametrize(
    ("term", "hosts"),
    [("طائرة", "طائرت طائرات"), ("مستوى", "مستوا مستوي"), ("لقاء", "لقاء لقائ"), ("مهندس", "مهندس مهندسات")],
)
def test_a_pronoun_changes_the_end_of_its_word(term: str, hosts: str) -> None:
    found = expand(term).hosts
    assert set(hosts.split()) - found == set()
    assert all(host in strip_pronoun(host + pronoun) for host in found for pronoun in PRONOUNS)


def test_a_weak_verb_is_conjugated_by_its_shape() -> None:
    assert {"يقول", "قلت", "قالوا", "سيقول"} <= conjugations("قال")
    assert {"يرمي", "رمت", "رموا", "يرمون"} <= conjugations("رمى")
    assert {"قصفوها", "يقصفه", "سيقصفهم", "قصفني"} <= verb_forms("قصف")
    assert conjugations("of") == frozenset()


def alike(one: str, other: str) -> bool:
    mine, theirs = skeleton(fold(one)), skeleton(fold(other))
    return is_loose(one) and theirs.classes in keys(mine) and sounds_like(mine, theirs)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("بيرقدار", "بيراكدار"), ("زيلينسكي", "زلنسكي"), ("هرتسوغ", "هيرتسوج"), ("كاراباخ", "كراباغ")),
        *(("غوتيريش", "غوتيريس"), ("بريغوجين", "بريغوزين"), ("تشيلسي", "تشلسي"), ("رونالدينيو", "رونالدينهو")),
    ],
)
def test_spellings_that_sound_alike_have_one_skeleton(one: str, other: str) -> None:
    assert alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("محمود", "محمد"), ("باغ", "باك"), ("بيرقدار", "بايراكاتور"), ("ماكرون", "مقارنة"), ("هولاند", "هولندا")),
        *(("ميركل", "ماركل"), ("كاميرون", "قمرين"), ("هولاند", "هالاند"), ("غوتيريش", "غوتيريز")),
    ],
)
def test_short_or_distant_names_are_kept_apart(one: str, other: str) -> None:
    assert not alike(one, other)


def test_what_the_dictionary_knows_as_a_common_word_is_no_spelling_of_a_name() -> None:
    assert is_common("عملية", SMALL) and is_common("العملية", SMALL) and is_common("صواريخهم", SMALL)
    assert is_common("ليبيا", None)
    assert not is_common("كاراباخ", SMALL)


@pytest.mark.parametrize(
    ("term", "text", "held"),
    [
        *(("صاروخ", "بالصواريخ", True), ("صواريخ", "صاروخ", True), ("صاروخ", "صواريخهم", True)),
        *(("أسعار", "السعر", True), ("سعر", "أسعاره", True)),  # a second lemma, by the form with the article
        *(("اسم", "باسم", True), ("اسم", "باسمهم", True), ("اسل", "باسل", False), ("باسل", "وباسل", True)),
        *(("عدد", "وأعداد", True), ("عدد", "إعداد", False), ("عدد", "اعداد", True), ("إعداد", "أعداد", False)),
        *(("عملي", "عملية", False), ("عملي", "عمليا", True), ("عملية", "العملية", True)),
        *(("خطاب", "خطابا", True), ("بحر", "بحرين", True), ("بحر", "البحرين", False)),
        *(("عد", "وعد", False), ("وعد", "بوعودهم", True)),
    ],
)
def test_a_dictionary_adds_forms_and_refuses_other_words(
    term: str,
    text: str,
    held: bool,
) -> None:
    matcher = Matcher([(Rule("r", "ق", "r"), Term(term, "word", (0, 0)))], dictionary=SMALL)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    article = Article("f", "o", "k", "", "", text, "", "", "", (), "ar", None, now, "h")
    assert bool(matcher.match(article)) == held
    assert matcher.explain(article, "r").held == held


@pytest.mark.parametrize("term", ["صواريخ", "الأسعار", "عدد", "إعداد", "باسل"])
def test_the_typed_word_is_always_found(term: str) -> None:
    forms = expand(term, dictionary=SMALL)
    assert forms.modes[fold(soft(term))] & BARE
    assert term not in forms.refused | forms.barred
