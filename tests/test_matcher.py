"""What each operator and mode finds in real Arabic sentences; spans are always of the original text."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor.errors import QueryError
from monitor.matching.explain import Explained
from monitor.matching.matcher import Matcher
from monitor.matching.tree import And, AtLeast, Near, Node, Not, Or, Phrase, Regex, Same, Scope, Score, Term
from monitor.model import Article, Outlet, Rule, RuleState
from tests.small_dictionary import SMALL

AT = (0, 0)
OUTLETS = {"jn": Outlet("jn", "أخبار الأردن", "Jordan News", "JO", "ar")}


def article(title: str = "", body: str = "", *, summary: str = "", language: str = "ar") -> Article:
    url, now = "https://example.org/mideast/136", datetime(2026, 5, 1, tzinfo=UTC)
    return Article(
        "f", "jn", "k", url, url, title, summary, body, "ليلى حداد", ("سياسة", "حرب"), language, None, now, "h"
    )


def rule(**changes: object) -> Rule:
    return replace(Rule("r", "قاعدة", "rule"), **changes)  # type: ignore[arg-type]


def word(text: str, mode: str = "word", kind: str = "auto") -> Term:
    return Term(text, mode, AT, kind)  # type: ignore[arg-type]


def phrase(text: str, slop: int = 0, mode: str = "word") -> Phrase:
    return Phrase(tuple(word(part, mode) for part in text.split()), slop, AT)


def found(query: Node, read: Article) -> list[str] | None:
    """The texts of the spans, None where the query does not hold."""
    matches = Matcher([(rule(), query)], OUTLETS).match(read)
    if not matches:
        return None
    texts = {"title": read.title, "summary": read.summary, "body": read.body, "author": read.author}
    texts |= {
        "tags": " | ".join(read.tags),
        "url": read.url,
        "outlet": "jn | أخبار الأردن | Jordan News",
        "language": "ar",
    }
    return [texts[span.field][span.start : span.end] for span in matches[0].spans]


def holds(query: Node, text: str) -> bool:
    return found(query, article(text)) is not None


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("طائرة", "إسقاط طائرة قرب الحدود"),
        ("طائرة", "وبالطائرة نفسها عاد الوفد"),
        ("طائرة", "أسقط الجيش طائرتين"),
        ("طائرة", "هبطت طائرته في عمان"),
        ("طائرات", "إسقاط طائرة قرب الحدود"),
        ("أوكرانيا", "الحرب في اوكرانيا"),
        ("أوكرانيا", "مساعدات لأوكرانيا"),
        ("لجنة", "قرار للجنة الوطنية"),
        ("مسيّرة", "المُسَيَّرَة الإيرانية"),
        ("مسيرة", "هجوم بالمـســيرات"),
        ("شاهد", "ﺷﺎﻫﺪ"),
        ("كابول", "کابول تحت النار"),
        ("136", "شاهد-١٣٦"),
        ("UAV", "إسقاط الـUAV فوق البحر"),
        ("Élysée", "قصر ELYSEE"),
        ("كل", "كلهم حضروا"),
        ("غير", "في العراق وغيره من البلدان"),
    ],
)
def test_a_word_is_found_in_the_forms_it_takes(term: str, text: str) -> None:
    assert holds(word(term), text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (word("شاهد", "exact"), "الشاهد وبشاهد وشاهدان"),
        (word("إيران", kind="name"), "إيرانية"),
        (word("بوتين", kind="name"), "بوتينات"),
        (word("علي"), "عليهم أن يحضروا"),
        (word("قصف"), "سيقصفون المدينة"),
        (word("كاراباخ", "loose"), "كركوك"),
        (word("محمود", "loose"), "محمد"),
        (word("!؟"), "شاهد"),
    ],
)
def test_what_only_looks_alike_is_not_found(query: Node, text: str) -> None:
    assert not holds(query, text)


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("قصف", "قصفت يقصف سيقصف وقصفوا تقصفها قصفته ليقصف"),
        ("أعلن", "يعلن أعلنت سيعلنون"),
        ("قال", "يقول قالت قالوا ستقول"),
        ("نفى", "ينفي نفت نفوا ينفون"),
        ("استهدف", "يستهدف استهدفت تستهدفهم"),
        ("أكد", "يؤكد أكدوا"),
    ],
)
def test_a_verb_is_found_conjugated_when_asked_for(verb: str, forms: str) -> None:
    assert [form for form in forms.split() if not holds(word(verb, "verb"), form)] == []


@pytest.mark.parametrize("text", ["كارباخ", "في كراباخ", "وقاراباخ"])
def test_a_loose_name_is_found_in_other_spellings(text: str) -> None:
    assert holds(word("كاراباخ", "loose"), text)


def test_wildcards_look_behind_proclitics_and_the_article() -> None:
    assert found(word("مسير*", "wildcard"), article("بالمسيرات ومسيرين")) == ["بالمسيرات", "ومسيرين"]
    assert found(word("*باغ", "wildcard"), article("قره باغ ولقراباغ")) == ["باغ", "ولقراباغ"]
    assert not holds(word("مسير*", "wildcard"), "سير")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('نفت تزويد روسيا بطائرات "شاهد" المسيّرة', ['بطائرات "شاهد']),
        ("الطائرات الشاهد", ["الطائرات الشاهد"]),
        ('طائرات الـ"شاهد"', ['طائرات الـ"شاهد']),
        ("طائرات وشاهد", None),
        ("طائرات من شاهد", None),
        ("شاهد طائرات", None),
    ],
)
def test_a_phrase_survives_punctuation_and_articles_but_no_other_clitic(text: str, expected: list[str] | None) -> None:
    assert found(phrase("طائرات شاهد"), article(text)) == expected


def test_a_phrase_never_crosses_fields() -> None:
    assert found(phrase("طائرات شاهد"), article("طائرات", "شاهد")) is None
    assert found(Near(word("طائرات"), word("شاهد"), 4, False, AT), article("طائرات", "شاهد")) is None


def test_a_model_number_is_cut_alike_in_query_and_text() -> None:
    assert found(word("Shahed-136"), article("طائرات SHAHED–136 وShahed 136")) == ["SHAHED–136", "وShahed 136"]


def test_a_phrase_with_slop_takes_any_order_and_shows_the_smallest_window() -> None:
    query = phrase("قصف المدينة", 2)
    assert found(query, article("المدينة تحت قصف عنيف")) == ["المدينة تحت قصف"]
    assert found(query, article("قصف على وسط ضواحي المدينة")) is None


def test_near_counts_the_words_between_and_onear_asks_for_order() -> None:
    text = article("قصف روسي عنيف على المدينة")
    assert found(Near(word("قصف"), word("المدينة"), 3, False, AT), text) == ["قصف", "المدينة"]
    assert found(Near(word("قصف"), word("المدينة"), 2, False, AT), text) is None
    assert found(Near(word("المدينة"), word("قصف"), 3, False, AT), text) == ["قصف", "المدينة"]
    assert found(Near(word("المدينة"), word("قصف"), 3, True, AT), text) is None


def test_and_beside_near_asks_each_part_to_be_near_and_not_asks_none_to_be() -> None:
    both = Near(And((word("روسيا"), word("إيران")), AT), word("اتفاق"), 2, False, AT)
    assert holds(both, "روسيا وقعت اتفاق مع إيران")
    assert not holds(both, "روسيا وقعت اتفاق بعد أسبوع من زيارة إيران")
    without = Near(word("شاهد"), Not(word("عيان"), AT), 1, False, AT)
    assert found(without, article("شاهد عيان رأى من بعيد طائرة شاهد")) == ["شاهد"]
    assert not holds(without, "شاهد عيان")


def test_same_sentence_and_same_paragraph() -> None:
    text = article("", "قصفت الطائرات المدينة. ردت أوكرانيا بعد ساعة.\nوفي فيينا توقفت المحادثات.")
    assert found(Same(word("الطائرات"), word("المدينة"), "sentence", AT), text) == ["الطائرات", "المدينة"]
    assert found(Same(word("المدينة"), word("أوكرانيا"), "sentence", AT), text) is None
    assert found(Same(word("المدينة"), word("أوكرانيا"), "paragraph", AT), text) == ["المدينة", "أوكرانيا"]
    assert found(Same(word("أوكرانيا"), word("فيينا"), "paragraph", AT), text) is None
    assert found(Same(word("أوكرانيا"), Not(word("المدينة"), AT), "sentence", AT), text) == ["أوكرانيا"]


def test_at_least_counts_places_over_all_fields() -> None:
    text = article("طائرة", "طائرة ثانية. ثم الطائرة")
    assert found(AtLeast(3, word("طائرة"), AT), text) == ["طائرة", "الطائرة", "طائرة"]
    assert found(AtLeast(4, word("طائرة"), AT), text) is None


@pytest.mark.parametrize(
    ("field", "term"),
    [
        *(("title", "عنوان"), ("body", "متن"), ("summary", "ملخص"), ("author", "حداد"), ("tag", "حرب")),
        *(("url", "mideast"), ("outlet", "الأردن"), ("outlet", "jn"), ("lang", "ar"), ("lead", "متن")),
    ],
)
def test_a_scope_looks_in_its_field_only(field: str, term: str) -> None:
    text = article("عنوان", "متن", summary="ملخص")
    assert found(Scope(field, word(term), AT), text)
    assert found(Scope(field, word("غائب"), AT), text) is None
    other = "body" if field not in ("body", "lead") else "author"
    assert found(Scope(other, word(term), AT), text) is None


def test_author_tags_and_urls_are_not_searched_unasked() -> None:
    assert found(Or((word("حداد"), word("حرب"), word("mideast")), AT), article("عنوان")) is None


def test_lead_is_the_title_and_fifty_words() -> None:
    filler = "كلام " * 49
    assert found(Scope("lead", word("شاهد"), AT), article("", filler + "شاهد")) == ["شاهد"]
    assert found(Scope("lead", word("شاهد"), AT), article("", filler + "كلام شاهد")) is None
    assert found(Scope("lead", word("شاهد"), AT), article("", "", summary="شاهد")) == ["شاهد"]


def test_a_regular_expression_reads_folded_text_and_points_into_the_original() -> None:
    text = article("مقتل ١٢ شخصًا فِي أُوكرانيا")
    assert found(Regex(r"\d+ شخص", AT), text) == ["١٢ شخصً"]
    assert found(Regex("أوكران.ا", AT), text) == ["أُوكرانيا"]
    assert found(Regex("SHAHED", AT), article("shahed")) == ["shahed"]


def test_a_regular_expression_that_re2_refuses_says_where() -> None:
    with pytest.raises(QueryError, match="RE2") as caught:
        Matcher([(rule(), Regex(r"(\w)\1", (3, 9)))])
    assert (caught.value.start, caught.value.end) == (3, 9)


def test_a_rule_that_is_only_a_not_holds_with_no_spans() -> None:
    assert found(Not(word("شاهد"), AT), article("طائرة")) == []
    assert found(Not(word("شاهد"), AT), article("شاهد")) is None


def test_not_inside_or_holds_without_spans_of_its_own() -> None:
    query = Or((word("طائرة"), Not(word("شاهد"), AT)), AT)
    assert found(query, article("طائرة شاهد")) == ["طائرة"]
    assert found(query, article("خبر")) == []
    assert found(query, article("شاهد")) is None


def test_weights_add_up_to_the_threshold_and_are_reported() -> None:
    query = Score(((word("طائرة"), 3.0), (word("شاهد"), 5.0), (word("رياضة"), -4.0)), 8.0, AT)
    matcher = Matcher([(rule(), query)])
    assert [match.score for match in matcher.match(article("طائرة شاهد"))] == [8.0]
    assert matcher.match(article("شاهد")) == []
    assert matcher.match(article("طائرة شاهد رياضة")) == []


def test_filters_of_a_rule_come_before_its_query() -> None:
    query, text = word("شاهد"), article("شاهد")
    admitted = {"languages": ("ar",), "outlets_include": ("jn",), "outlets_exclude": ("x",), "countries": ("jo",)}
    refused = {"languages": ("en",), "outlets_include": ("x",), "outlets_exclude": ("jn",), "countries": ("EG",)}
    assert Matcher([(rule(**admitted), query)], OUTLETS).match(text)
    for name, value in refused.items():
        matcher = Matcher([(rule(**{name: value}), query)], OUTLETS)
        assert matcher.match(text) == []
        told = matcher.explain(text, "r")
        assert told.root.held and not told.held and told.excluded
    assert Matcher([(rule(state=RuleState.OFF), query)], OUTLETS).match(text) == []
    assert Matcher([(rule(state=RuleState.TRIAL), query)], OUTLETS).match(text)


def test_the_explanation_shows_every_node() -> None:
    query = And((phrase("طائرات شاهد"), Or((word("إيران"), word("روسيا")), AT), Not(word("عيان"), AT)), AT)
    told = Matcher([(rule(), query)], OUTLETS).explain(article("بطائرات شاهد من ايران"), "r")

    def flat(node: Explained) -> list[tuple[str, bool]]:
        return [(node.text, node.held), *(pair for child in node.children for pair in flat(child))]

    assert flat(told.root) == [
        *(("AND", True), ('"طائرات شاهد"', True), ("OR", True), ("إيران", True), ("روسيا", False)),
        *(("NOT", True), ("عيان", False)),
    ]
    assert told.root.children[0].note == "بطائرات شاهد in title"
    assert told.held and told.excluded == ""


def test_what_stands_under_not_is_explained_when_it_spoils_the_match() -> None:
    query = And((word("شاهد"), Not(word("عيان"), AT)), AT)
    told = Matcher([(rule(), query)], OUTLETS).explain(article("شاهد عيان"), "r")
    spoiler = told.root.children[1].children[0]
    assert not told.held and spoiler.held and [span.term for span in spoiler.spans] == ["عيان"]
    assert told.lacks() == ["must not occur: عيان"]


def test_explaining_an_unknown_rule_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Matcher([]).explain(article("شاهد"), "nothing")


def test_learning_what_is_rare_changes_no_answer() -> None:
    rules: list[tuple[Rule, Node]] = [
        (rule(id="a"), And((word("خبر"), word("زلزال")), AT)),
        (rule(id="b"), phrase("خبر عاجل")),
    ]
    matcher = Matcher(rules)
    for _ in range(1_200):
        matcher.match(article("خبر عادي من المدينة"))
    assert [match.rule_id for match in matcher.match(article("خبر عاجل زلزال"))] == ["a", "b"]


HOSTILE = {
    "one long word": "ا" * 1_000_000,
    "one word many times": "شاهد " * 200_000,
    "marks": "شاهد" + "\u0650\u064b\u0655\u0654" * 25_000,
    "surrogates": "\ud800شاهد\udfff" * 1_000,
    "zero width": "\u200f\u200e" * 50_000 + "شاهد",
    "sentences": "شاهد. " * 50_000,
    "no spaces": "شاهد،" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_in_bounded_time(name: str) -> None:
    seen, near = word("شاهد"), Near(word("شاهد"), word("شاهد", "exact"), 3, False, AT)
    same = Same(word("شاهد"), word("طائرة"), "sentence", AT)
    query = Or((seen, phrase("شاهد شاهد", 2), near, AtLeast(2, seen, AT), same, Regex("شاه.", AT)), AT)
    matcher = Matcher([(rule(), query)])
    start = time.process_time()
    matches = matcher.match(article("شاهد", HOSTILE[name]))
    assert time.process_time() - start < 10
    assert matches and len(matches[0].spans) <= 201


def test_a_query_nested_too_deep_is_refused_with_the_mend() -> None:
    query: Node = word("شاهد")
    for _ in range(100_000):
        query = Not(query, AT)
    with pytest.raises(QueryError, match="split it up"):
        Matcher([(rule(), query)])


def test_a_tree_as_deep_as_allowed_works() -> None:
    query: Node = word("شاهد")
    for _ in range(118):
        query = Not(query, AT)
    matcher = Matcher([(rule(), query)])
    assert matcher.match(article("شاهد")) and matcher.explain(article("شاهد"), "r").held


# ── a matcher made from the one before ───────────────────────────────────────────────────────────────────────────


def many(changed: str = "زلزال") -> list[tuple[Rule, Node]]:
    words = ["خبر", "مسيرة", "صواريخ", changed, "قصف"]
    return [(rule(id=f"r{number}"), And((word(one), word("مدينة")), AT)) for number, one in enumerate(words)]


def test_after_an_edit_only_the_changed_rule_is_compiled() -> None:
    before = Matcher(many())
    assert before.compiled == 5
    after = Matcher(many("بركان"), before=before)
    assert after.compiled == 1
    read = article("بركان قرب المدينة وقصف وخبر")
    assert [match.rule_id for match in after.match(read)] == ["r0", "r3", "r4"]
    assert [match.rule_id for match in before.match(read)] == ["r0", "r4"]
    assert after.match(article("زلزال في المدينة")) == []


def test_what_a_matcher_had_looked_up_does_not_hide_new_words() -> None:
    before = Matcher(many())
    assert before.match(article("بركان قرب المدينة")) == []
    assert Matcher(many("بركان"), before=before).match(article("بركان قرب المدينة"))


def test_a_kind_a_list_or_a_dictionary_that_came_changes_what_is_compiled() -> None:
    before = Matcher(many())
    kinds = [*many()[:-1], (rule(id="r4"), And((word("قصف", kind="name"), word("مدينة")), AT))]
    assert Matcher(kinds, before=before).compiled == 1
    small = Matcher(many(), before=before, dictionary=SMALL)
    assert small.compiled == 5
    assert small.match(article("صاروخ سقط قرب المدينة")) and not before.match(article("صاروخ سقط قرب المدينة"))


def test_rules_that_are_off_or_gone_are_no_longer_matched() -> None:
    before = Matcher(many())
    rules = [(rule(id="r0", state=RuleState.OFF), many()[0][1]), *many()[1:4]]
    after = Matcher(rules, before=before)
    assert after.compiled == 0
    assert after.match(article("خبر عن قصف المدينة")) == []
    again = Matcher(many(), before=after)
    assert again.compiled == 2
    assert [match.rule_id for match in again.match(article("خبر عن قصف المدينة"))] == ["r0", "r4"]


def test_many_edits_do_not_pile_up_words_of_queries_long_gone() -> None:
    matcher = Matcher(many())
    anew = 0
    for number in range(1_100):
        matcher = Matcher(many(f"كلمة{number}"), before=matcher)
        anew += matcher.compiled == 5
    assert anew >= 1
    assert [match.rule_id for match in matcher.match(article("كلمة1099 في المدينة"))] == ["r3"]
