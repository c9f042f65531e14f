"""The fast matcher and the slow, obvious one give the same truth, spans and score on generated queries and texts."""

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.arabic.dictionary import Dictionary
from monitor.matching import oracle
from monitor.matching.matcher import Matcher
from monitor.matching.tree import And, AtLeast, Near, Node, Not, Or, Phrase, Regex, Same, Scope, Score, Term
from monitor.model import Article, Outlet, Rule
from tests.small_dictionary import SMALL

AT = (0, 0)
WORDS = [
    *("شاهد", "صاروخ", "عدد", "اسل", "مسيرة", "طائرات", "الطائرة", "قصف", "أوكرانيا", "من", "روسية", "باغ", "كاراباخ"),
    *("Shahed-136", "أبوظبي", "عبد الله", "US", "قره باغ", "شاهد136", "بريغوجين"),
]
TEXT_WORDS = [
    *("شاهد", "الشاهد", "وشاهد", "بشاهد", "شَاهِد", "مسيّرة", "المسيّرة", "بالمسيرات", "طائرات", "بطائرات", "الطائرة"),
    *("قصف", "يقصف", "سيقصفون", "اوكرانيا", "لأوكرانيا", "من", "منها", "روسي", "الروسية", "Shahed", "136", "قراباغ"),
    *("صواريخهم", "وإعداد", "أعدادها", "باسل", "والاعداد"),
    *("أبو", "بأبي", "ظبي", "بأبوظبي", "عبدالله", "عباد", "الله", "U.S", "قرهباغ", "شاهد136", "و136", "غزةفي"),
    *("أوكرانيافي", "أنأوكرانيا", "أبوظبيفي", "بريغوزين", "بريجوجن", "بروجكت", "كاراباخ"),
    *("كراباخ", "للجنة", "عيان", "ال\u0640", "ﷺ", "3.5"),
]
GAPS = [" ", " ", " ", " ", ". ", "؟ ", "\n", ' "', "، ", "-", "_"]

terms = st.builds(
    Term,
    st.sampled_from(WORDS),
    st.sampled_from(["word", "word", "word", "exact", "verb", "loose"]),
    st.just(AT),
    st.sampled_from(["auto", "name", "word"]),
)
stars = st.builds(
    Term,
    st.sampled_from(["مسير*", "*باغ", "*رات*", "شا*هد", "Sha*", "شاهد1*", "F*16"]),
    st.just("wildcard"),
    st.just(AT),
)
words = st.one_of(terms, terms, stars)
phrases = st.builds(
    Phrase, st.lists(words, min_size=1, max_size=3).map(tuple), st.sampled_from([0, 0, 0, 1, 3]), st.just(AT)
)
regexes = st.builds(Regex, st.sampled_from(["شاهد", "طائر[ةه]", r"\d+", r"قصف\s+\S+", "[.؟]", "ط.*ة"]), st.just(AT))
leaves = st.one_of(words, words, phrases, regexes)


def grow(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    at = st.just(AT)
    fields = st.sampled_from(["title", "summary", "lead", "body", "author", "outlet", "tag", "url", "lang"])
    weights = st.lists(st.tuples(inner, st.sampled_from([1.0, 2.0, 3.5, -1.0])), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(And, several, at),
        st.builds(Or, several, at),
        st.builds(Not, inner, at),
        st.builds(Near, inner, inner, st.integers(0, 4), st.booleans(), at),
        st.builds(Same, inner, inner, st.sampled_from(["sentence", "paragraph"]), at),
        st.builds(AtLeast, st.integers(0, 3), inner, at),
        st.builds(Scope, fields, inner, at),
        st.builds(Score, weights, st.sampled_from([-0.5, 0.0, 1.0, 3.0, 4.5]), at),
    )


queries: st.SearchStrategy[Node] = st.recursive(leaves, grow, max_leaves=7)
texts = st.lists(st.tuples(st.sampled_from(TEXT_WORDS), st.sampled_from(GAPS)), max_size=14).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)
articles = st.builds(
    lambda title, summary, body, author, tags: Article(
        *("f", "o", "k", "https://example.org/shahed/136", "", title, summary, body, author, tuple(tags), "ar"),
        *(None, datetime(2026, 1, 1, tzinfo=UTC), "h"),
    ),
    *(texts, texts, st.one_of(st.just(""), texts), st.sampled_from(["", "شاهد قصف"])),
    st.lists(st.sampled_from(["مسيرة", "أوكرانيا"]), max_size=2),
)
OUTLET = Outlet("o", "شاهد نيوز", "Shahed News", "JO", "ar")
RULE = Rule("r", "ق", "r")


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(queries, articles, st.sampled_from([None, SMALL]))
def test_matcher_equals_oracle(query: Node, article: Article, dictionary: Dictionary | None) -> None:
    found = Matcher([(RULE, query)], {"o": OUTLET}, dictionary=dictionary).match(article)
    expected = oracle.matches(RULE, query, article, OUTLET, dictionary)
    assert found == ([expected] if expected else [])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(queries, min_size=2, max_size=6), st.lists(articles, min_size=1, max_size=3))
def test_many_rules_at_once_find_what_each_finds_alone(trees: list[Node], read: list[Article]) -> None:
    rules = [(Rule(f"r{i}", "ق", "r"), tree) for i, tree in enumerate(trees)]
    matcher = Matcher(rules, {"o": OUTLET})
    for article in read:
        alone = [oracle.matches(rule, tree, article, OUTLET) for rule, tree in rules]
        assert matcher.match(article) == [match for match in alone if match]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(queries, articles)
def test_the_explanation_agrees_with_the_match(query: Node, article: Article) -> None:
    matcher = Matcher([(RULE, query)], {"o": OUTLET})
    told = matcher.explain(article, "r")
    found = matcher.match(article)
    assert told.held == bool(found)
    assert not found or told.root.spans == found[0].spans
