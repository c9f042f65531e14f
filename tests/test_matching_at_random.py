"""What holds for every query and every text, however they are written: the fast matcher finds what the slow one finds,
spans lie on the text and read back as what matched, and a query that is printed is read as itself.

Words come as newspapers and feeds write them: with proclitics and pronouns, vowel signs, tatweel, presentation forms,
Persian letters, invisible signs, other digits. 300 examples each in the test run, 10,000 in the soak.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.arabic.dictionary import Dictionary
from monitor.arabic.tokens import tokenise
from monitor.errors import QueryError
from monitor.matching import oracle
from monitor.matching.examples import article as headline
from monitor.matching.explain import leaf_text
from monitor.matching.matcher import Matcher
from monitor.matching.query import parse, show
from monitor.matching.tree import Node, Phrase, Regex, Term
from monitor.matching.view import field_text
from monitor.matching.walk import bare, walk
from monitor.model import Article, Outlet, Rule
from tests.small_dictionary import SMALL

SOAK = 10_000
QUICK = 150
OUTLET = Outlet("o", "شاهد نيوز", "Shahed News", "JO", "ar")
RULE = Rule("r", "ق", "r")

WORDS = [
    *(
        "شاهد",
        "صاروخ",
        "مسيرة",
        "طائرات",
        "الطائرة",
        "قصف",
        "أوكرانيا",
        "روسي",
        "كاراباخ",
        "عدد",
        "بحر",
        "لقاء",
        "عمليات",
    ),
    *("مستشفى", "رئيس", "الله", "عبد الله", "أبوظبي", "قره باغ", "باسل", "إعداد", "سأل", "قال", "أعلن", "ابن", "ذو"),
    *("Shahed", "Shahed-136", "136", "3.5", "U.S.", "État", "إس-400", "زيلينسكي", "من", "في"),
]
BEFORE = [*[""] * 20, "و", "ف", "ب", "ك", "ل", "ال", "وال", "بال", "فلل", "لل", "وب", "س", "ي"]
BEHIND = ["", "", "", "", "ه", "ها", "هم", "نا", "ين", "ات", "ان", "ا", "ي", "ني", "ون", "تين", "ة", "في"]
GAPS = [
    *" " * 8,
    ". ",
    "؟ ",
    "! ",
    "\n",
    ' "',
    '" ',
    "، ",
    "-",
    "_",
    " «",
    "» ",
    "… ",
    "/",
    " ( ",
    "\u200f ",
    "\u00a0",
    ".. ",
]
_FORMS = {
    unicodedata.normalize("NFKC", chr(code)): chr(code)
    for code in range(0xFE80, 0xFEFD)
    if len(unicodedata.normalize("NFKC", chr(code))) == 1
}


def _each(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda word: "".join(map(change, word))


DRESSES: list[Callable[[str], str]] = [
    *[str] * 12,
    _each(lambda letter: letter + "\u064e" * ("\u0621" <= letter <= "\u064a")),  # a vowel sign on each letter
    _each(lambda letter: letter + "\u0651" * (letter in "يدط")),
    _each(lambda letter: letter + "\u0640" * (letter in "هصش")),  # tatweel
    _each(lambda letter: _FORMS.get(letter, letter)),  # presentation forms
    lambda word: word.translate(str.maketrans("يكهة", "یکہۃ")),
    lambda word: word.translate(str.maketrans("أإآىئ", "ااايي")),
    lambda word: word.translate(str.maketrans("ايةه", "أىهة")),
    lambda word: word.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    lambda word: word.translate(str.maketrans("خغق", "غجك")),  # other spellings of foreign names
    lambda word: word.replace("اخ", "خ").replace("لين", "لن"),
    lambda word: word[:2] + "\u200c" + word[2:],
    lambda word: "\u200f" + word + "\u200e",
    str.upper,
    lambda word: word.replace(" ", ""),
    lambda word: word.replace("-", " "),
]


def _dressed(word: st.SearchStrategy[str], plainly: int) -> st.SearchStrategy[str]:
    """Of one word in so many plainly, the others with what may stand before and behind it, and in any dress."""
    return st.builds(
        lambda before, word, behind, dress: dress(before + word + behind if word[0] > "\u0600" else word),
        *(st.sampled_from(BEFORE), word, st.sampled_from(BEHIND + [""] * plainly), st.sampled_from(DRESSES)),
    )


# ── queries, as they are typed ──

single = st.builds(
    lambda mark, word: mark + (word if word.isalnum() else f'"{word}"'),
    *(
        st.sampled_from(["", "", "", "=", "^", "~"]),
        st.one_of(st.sampled_from(WORDS), _dressed(st.sampled_from(WORDS), 0).filter(str.isalnum)),
    ),
)
stars = st.sampled_from(["مسير*", "*باغ", "*رات*", "شا*هد", "Sha*", "شاهد1*", "*هد1*6", "أوكر*", "*خبار"])
phrases = st.builds(
    lambda mark, several, quotes, slop: mark + quotes[0] + " ".join(several) + quotes[1] + slop,
    st.sampled_from(["", "", "=", "~", "^"]),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3),
    st.sampled_from(["“”", '""', "«»"]),
    st.sampled_from(["", "", "", "~1", "~3"]),
)
mixed = st.sampled_from(['"=شاهد مسير*"', '"طائرات ~كاراباخ"', '"^قصف =الطائرة"~2', '"*باغ عدد"'])
regexes = st.sampled_from(["/شاهد/", "/طائر[ةه]/", r"/\d+/", r"/قصف\s+\S+/", "/[.؟]/", "/(ال)?طا.*ة/", '/["«]شاهد/'])
lists = st.sampled_from(["$drones", "$all"])
NEARS = [
    "NEAR/0",
    "NEAR/1",
    "NEAR/2",
    "ONEAR/1",
    "ONEAR/2",
    "near3",
    "adj2",
    "w/4",
    "pre/3",
    "NOT NEAR/1",
    "NOT ONEAR/0",
]
near = st.builds(lambda one, joint, other: f"({one} {joint} {other})", single, st.sampled_from(NEARS), single)
leaves = st.one_of(single, single, single, stars, phrases, mixed, regexes, lists, near, near)
LISTS: dict[str, Node] = {"drones": parse("مسيرة OR طائرة بدون طيار OR UAV", phrases=True)}
LISTS["all"] = parse("$drones OR ~كاراباخ OR صاروخ NEAR/2 =قصف", lists=LISTS, phrases=True)
UNITS = ["SENTENCE", "/p"]
SCOPES = ["title", "summary", "lead", "body", "author", "outlet", "tag", "url"]


def _branches(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = inner.map(lambda text: f"({text})")
    joints = st.sampled_from(["AND", "OR", "", "AND NOT", "OR"])
    weights = st.lists(st.tuples(st.sampled_from(["1", "2.5", "-1", "4"]), group), min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda left, joint, right: f"{left} {joint} {right}", group, joints, group),
        st.builds(lambda left, joint, right: f"{left} {joint} {right}", inner, st.sampled_from(["AND", "OR"]), inner),
        st.builds(lambda left, near, right: f"{left} {near} {right}", group, st.sampled_from(NEARS), group),
        st.builds(
            lambda left, unit, right: f"{left} {unit} {right}", group, st.sampled_from(["SENTENCE", "/p"]), group
        ),
        st.builds(lambda count, child: f"ATLEAST/{count} {child}", st.integers(1, 3), group),
        st.builds(lambda child: f"NOT {child}", group),
        st.builds(lambda name, child: f"{name}:{child}", st.sampled_from(SCOPES), group),
        st.builds(
            lambda least, parts: f"SCORE/{least} [{', '.join(f'{weight} {part}' for weight, part in parts)}]",
            st.sampled_from(["1", "3", "4.5"]),
            weights,
        ),
    )


def _readable(text: str) -> Node | None:
    try:
        return parse(text, lists=LISTS)
    except QueryError:  # NOT inside NEAR, a word of grammar alone
        return None


queries: st.SearchStrategy[Any] = st.recursive(leaves, _branches, max_leaves=6).map(_readable).filter(bool)

# ── articles that have to do with a query ──


def _asked(query: Node) -> list[str]:
    """The words that a query asks for, and some that its patterns do."""
    terms = [one for one in walk(query) if isinstance(one, Term)]
    terms += [word for one in walk(query) if isinstance(one, Phrase) for word in one.words]
    return [term.text.replace("*", "ات") for term in terms] or ["شاهد 136", "طائرة", "قصف عنيف"]


def _articles(query: Node) -> st.SearchStrategy[Article]:
    asked = st.sampled_from(_asked(query))
    # Half of the texts are of the words asked for and one other, so that places lie close to each other and to a limit.
    close = st.builds(str.__add__, st.sampled_from(["", "", "", "و", "ال", "ب"]), asked)
    dense = st.lists(st.one_of(close, close, st.just("كلمة")), min_size=2, max_size=10).map(" ".join)
    words = _dressed(st.one_of(asked, asked, asked, st.sampled_from(WORDS)), 30)
    texts = st.lists(st.tuples(words, st.sampled_from(GAPS)), min_size=1, max_size=14).map(
        lambda pairs: "".join(word + gap for word, gap in pairs)
    )
    texts = st.one_of(texts, dense, dense)
    return st.builds(
        lambda title, summary, body, author, tags: Article(
            *("f", "o", "k", "https://example.org/shahed/136", "", title, summary, body, author, tuple(tags), "ar"),
            *(None, datetime(2026, 1, 1, tzinfo=UTC), "h"),
        ),
        *(texts, st.one_of(st.just(""), texts), texts, st.sampled_from(["", "شاهد قصف"])),
        st.lists(words, max_size=2),
    )


pairs = queries.flatmap(lambda query: st.tuples(st.just(query), _articles(query)))
dictionaries = st.sampled_from([None, SMALL])


def _matches(query: Node, read: Article, dictionary: Dictionary | None) -> None:
    expected = oracle.matches(RULE, query, read, OUTLET, dictionary)
    for kernel in (True, False):
        found = Matcher([(RULE, query)], {"o": OUTLET}, dictionary=dictionary, kernel=kernel).match(read)
        assert found == ([expected] if expected else []), show(query)


def _reads_back(query: Node, read: Article, dictionary: Dictionary | None) -> None:
    """Every span is whole words of its field, and the term that it names finds them where they stand alone."""
    leaves = [one for one in walk(query) if isinstance(one, Term | Phrase | Regex)]
    for match in Matcher([(RULE, query)], {"o": OUTLET}, dictionary=dictionary).match(read):
        for span in match.spans:
            text = field_text(read, OUTLET, span.field)
            assert 0 <= span.start < span.end <= len(text)
            excerpt = text[span.start : span.end]
            named = [one for one in leaves if _label(one) == span.term]
            assert named, span
            if not all(isinstance(one, Regex) for one in named):
                tokens = tokenise(text)
                assert span.start in {token.start for token in tokens} and span.end in {token.end for token in tokens}
            assert any(_alone(one, excerpt, dictionary) for one in named), (span, excerpt)


def _label(leaf: Term | Phrase | Regex) -> str:
    return leaf_text(leaf).lstrip("=^~").removesuffix(f"~{getattr(leaf, 'slop', 0)}").strip('"')


def _alone(leaf: Node, excerpt: str, dictionary: Dictionary | None) -> bool:
    read = dataclasses.replace(headline("x"), body=excerpt)
    return bool(Matcher([(RULE, leaf)], dictionary=dictionary).match(read))


def _prints(query: Node) -> None:
    assert bare(parse(show(query))) == bare(query)


_slow = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@settings(max_examples=QUICK, deadline=None, suppress_health_check=_slow)
@given(pairs, dictionaries)
def test_the_matcher_finds_what_the_slow_one_finds(pair: tuple[Node, Article], dictionary: Dictionary | None) -> None:
    _matches(*pair, dictionary)


@settings(max_examples=QUICK, deadline=None, suppress_health_check=_slow)
@given(pairs, dictionaries)
def test_spans_lie_on_the_text_and_read_back(pair: tuple[Node, Article], dictionary: Dictionary | None) -> None:
    _reads_back(*pair, dictionary)


@settings(max_examples=QUICK, deadline=None, suppress_health_check=_slow)
@given(queries)
def test_a_query_that_is_printed_is_read_as_itself(query: Node) -> None:
    _prints(query)


@pytest.mark.soak
@settings(max_examples=SOAK, deadline=None, suppress_health_check=_slow)
@given(pairs, dictionaries)
def test_at_length_the_matcher_finds_what_the_slow_one_finds(
    pair: tuple[Node, Article], dictionary: Dictionary | None
) -> None:
    _matches(*pair, dictionary)


@pytest.mark.soak
@settings(max_examples=SOAK, deadline=None, suppress_health_check=_slow)
@given(pairs, dictionaries)
def test_at_length_spans_lie_on_the_text_and_read_back(
    pair: tuple[Node, Article], dictionary: Dictionary | None
) -> None:
    _reads_back(*pair, dictionary)


@pytest.mark.soak
@settings(max_examples=SOAK, deadline=None, suppress_health_check=_slow)
@given(queries)
def test_at_length_a_query_that_is_printed_is_read_as_itself(query: Node) -> None:
    _prints(query)
