"""The query language: what is read as what, and what every mistake is told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.arabic.function_words import is_function_word
from monitor.arabic.normalise import soft
from monitor.errors import QueryError
from monitor.matching.query import parse, references, show
from monitor.matching.tree import And, AtLeast, Mode, Near, Node, Not, Or, Phrase, Regex, Same, Scope, Score, Term
from monitor.matching.walk import bare, rebuild, walk

HERE = (0, 0)


def term(text: str, mode: Mode = "word") -> Term:
    return Term(text, mode, HERE)


def phrase(text: str, slop: int = 0, mode: Mode = "word") -> Phrase:
    return Phrase(tuple(term(word, mode) for word in text.split()), slop, HERE)


A, B, C, D = (term(word) for word in ("طائرة", "صاروخ", "سفينة", "ميناء"))
TREES: list[tuple[str, Node]] = [
    ("طائرة", A),
    ('"طائرات شاهد"', phrase("طائرات شاهد")),
    ("=شاهد", term("شاهد", "exact")),
    ('="شاهد عيان"', phrase("شاهد عيان", mode="exact")),
    ("^قصف", term("قصف", "verb")),
    ("~كاراباخ", term("كاراباخ", "loose")),
    ('~"ناغورنو قره باغ"', phrase("ناغورنو قره باغ", mode="loose")),
    ("مسير*", term("مسير*", "wildcard")),
    ("*باغ", term("*باغ", "wildcard")),
    ("طائرة AND صاروخ", And((A, B), HERE)),
    ("طائرة صاروخ", And((A, B), HERE)),
    ("طائرة OR صاروخ", Or((A, B), HERE)),
    ("طائرة NOT صاروخ", And((A, Not(B, HERE)), HERE)),
    ("طائرة -صاروخ", And((A, Not(B, HERE)), HERE)),
    ("طائرة –صاروخ", And((A, Not(B, HERE)), HERE)),
    ("طائرة صاروخ OR سفينة", Or((And((A, B), HERE), C), HERE)),
    ("طائرة AND (صاروخ OR سفينة)", And((A, Or((B, C), HERE)), HERE)),
    ("NOT طائرة OR صاروخ", Or((Not(A, HERE), B), HERE)),
    ("طائرة NEAR صاروخ", Near(A, B, 4, False, HERE)),
    ("طائرة NEAR/7 صاروخ", Near(A, B, 7, False, HERE)),
    ("طائرة NEAR/٧ صاروخ", Near(A, B, 7, False, HERE)),
    ("طائرة ONEAR/2 صاروخ", Near(A, B, 2, True, HERE)),
    ("طائرة NEAR/2f صاروخ", Near(A, B, 2, True, HERE)),
    ("طائرة NOT NEAR/3 صاروخ", Near(A, Not(B, HERE), 3, False, HERE)),
    ("طائرة NEAR/1 صاروخ NEAR/2 سفينة", Near(Near(A, B, 1, False, HERE), C, 2, False, HERE)),
    ('"طائرات شاهد"~3', phrase("طائرات شاهد", 3)),
    ("طائرة SENTENCE صاروخ", Same(A, B, "sentence", HERE)),
    ("طائرة PARAGRAPH صاروخ", Same(A, B, "paragraph", HERE)),
    ("ATLEAST/3 طائرة", AtLeast(3, A, HERE)),
    ("ATLEAST/3 (طائرة OR صاروخ)", AtLeast(3, Or((A, B), HERE), HERE)),
    ("title:طائرة", Scope("title", A, HERE)),
    ("title: طائرة", Scope("title", A, HERE)),
    ("intitle:طائرة", Scope("title", A, HERE)),
    ("lead:(طائرة صاروخ)", Scope("lead", And((A, B), HERE), HERE)),
    ('outlet:"وكالة أنباء"', Scope("outlet", phrase("وكالة أنباء"), HERE)),
    ("lang:ar طائرة", And((Scope("lang", term("ar"), HERE), A), HERE)),
    ("author:من", Scope("author", term("من"), HERE)),
    ("/شاهد[ -]?1[0-9]{2}/", Regex("شاهد[ -]?1[0-9]{2}", HERE)),
    (r"/a\/b/", Regex(r"a\/b", HERE)),
    ("Shahed-136", phrase("Shahed 136")),
    ("#حرب_غزة", phrase("حرب غزة")),
    ("1,500", term("1,500")),
    ('"OR"', term("OR")),
    ('"طائرة"', A),
    ('"=شاهد ^قصف مسير*"', Phrase((term("شاهد", "exact"), term("قصف", "verb"), term("مسير*", "wildcard")), 0, HERE)),
    ('SCORE/8 [3 طائرة, -5 "كرة قدم"]', Score(((A, 3.0), (phrase("كرة قدم"), -5.0)), 8.0, HERE)),
    ("SCORE/2.5 [1.5 طائرة OR صاروخ، 1 سفينة]", Score(((Or((A, B), HERE), 1.5), (C, 1.0)), 2.5, HERE)),
    ("SCORE/٢٫٥ [١٫٥ طائرة، ٣ صاروخ]", Score(((A, 1.5), (B, 3.0)), 2.5, HERE)),
    ("ATLEAST/٣ طائرة", AtLeast(3, A, HERE)),
    ('"طائرات شاهد"~٣', phrase("طائرات شاهد", 3)),
    ("„طائرات شاهد“", phrase("طائرات شاهد")),
    ("‹طائرات شاهد›", phrase("طائرات شاهد")),
    ("O'Neill", phrase("O Neill")),
    ("طائرة؟ صاروخ!", And((A, B), HERE)),
    ("“طائرات شاهد”", phrase("طائرات شاهد")),
    ("”طائرات شاهد“", phrase("طائرات شاهد")),
    ("«طائرات شاهد»", phrase("طائرات شاهد")),
    ("＂طائرات شاهد＂", phrase("طائرات شاهد")),
    ('"طائرات «شاهد»، المسيّرة"', phrase("طائرات شاهد المسيّرة")),
    ("（طائرة　ＯＲ　صاروخ）", Or((A, B), HERE)),
    ("\u200fطائرة\u200f AND\u200f صاروخ\u200e", And((A, B), HERE)),
    ("(((طائرة)))", A),
    ("طائرة\n  OR صاروخ\n", Or((A, B), HERE)),
    ("=من", term("من", "exact")),
    ('"من باكو"', phrase("من باكو")),
]


@pytest.mark.parametrize(("text", "tree"), TREES, ids=[text for text, _ in TREES])
def test_every_spelling_is_read_as_its_tree(text: str, tree: Node) -> None:
    found = parse(text)
    assert bare(found) == tree
    assert bare(parse(show(found))) == tree


SPELLINGS = [  # of Factiva, Lexis, Meltwater, Brandwatch and Lucene, and what they are here
    ("طائرة near5 صاروخ", "طائرة NEAR/4 صاروخ"),
    ("طائرة NEAR5 صاروخ", "طائرة NEAR/4 صاروخ"),
    ("طائرة near١ صاروخ", "طائرة NEAR/0 صاروخ"),
    ("طائرة adj5 صاروخ", "طائرة ONEAR/4 صاروخ"),
    ("طائرة adj صاروخ", "طائرة ONEAR/0 صاروخ"),
    ("طائرة w5 صاروخ", "طائرة ONEAR/4 صاروخ"),
    ("طائرة /N30/ صاروخ", "طائرة NEAR/29 صاروخ"),
    ("طائرة SAME صاروخ", "طائرة PARAGRAPH صاروخ"),
    ("atleast3 طائرة", "ATLEAST/3 طائرة"),
    ("طائرة w/5 صاروخ", "طائرة NEAR/4 صاروخ"),
    ("طائرة W/5 صاروخ", "طائرة NEAR/4 صاروخ"),
    ("طائرة NOT w/5 صاروخ", "طائرة NOT NEAR/4 صاروخ"),
    ("طائرة pre/5 صاروخ", "طائرة ONEAR/4 صاروخ"),
    ("طائرة PRE/1 صاروخ", "طائرة ONEAR/0 صاروخ"),
    ("طائرة w/s صاروخ", "طائرة SENTENCE صاروخ"),
    ("طائرة /s صاروخ", "طائرة SENTENCE صاروخ"),
    ("طائرة w/sent صاروخ", "طائرة SENTENCE صاروخ"),
    ("طائرة /s صاروخ OR سفينة /s ميناء", "طائرة SENTENCE صاروخ OR سفينة SENTENCE ميناء"),
    ("طائرة w/p صاروخ", "طائرة PARAGRAPH صاروخ"),
    ("طائرة /p صاروخ", "طائرة PARAGRAPH صاروخ"),
    ("طائرة w/para صاروخ", "طائرة PARAGRAPH صاروخ"),
    ("atleast10(طائرة)", "ATLEAST/10 طائرة"),
    ("طائرة AND NOT صاروخ", "طائرة AND NOT صاروخ"),
    ("طائرة ONEAR صاروخ", "طائرة ONEAR/4 صاروخ"),
    ("ingress:طائرة", "lead:طائرة"),
    ("طائرة NEAR/2f صاروخ", "طائرة ONEAR/2 صاروخ"),
    ("site:bbc.com", 'url:"bbc com"'),
    ("title:(طائرة صاروخ)", "title:(طائرة AND صاروخ)"),
]


@pytest.mark.parametrize(("there", "here"), SPELLINGS, ids=[there for there, _ in SPELLINGS])
def test_spellings_of_other_tools_are_read(there: str, here: str) -> None:
    assert show(parse(there)) == here


def test_precedence_is_not_then_and_then_or_with_near_tightest() -> None:
    found = bare(parse("NOT طائرة NEAR/3 صاروخ سفينة OR ميناء"))
    assert found == Or((And((Not(Near(A, B, 3, False, HERE), HERE), C), HERE), D), HERE)


def test_in_a_list_of_terms_bare_words_in_a_row_are_a_phrase() -> None:
    assert bare(parse("جنوب القوقاز", phrases=True)) == phrase("جنوب القوقاز")
    assert bare(parse("أذربيجان AND أرمينيا", phrases=True)) == And((term("أذربيجان"), term("أرمينيا")), HERE)
    both = And((phrase("جنوب القوقاز"), term("روسيا")), HERE)
    assert bare(parse("جنوب القوقاز AND روسيا", phrases=True)) == both
    assert bare(parse("طائرة -صاروخ", phrases=True)) == And((A, Not(B, HERE)), HERE)
    assert isinstance(parse("Trinidad and Tobago", phrases=True), Phrase)


def test_a_term_list_stands_where_it_is_named() -> None:
    lists = {"مسيرات": parse("طائرة OR صاروخ")}
    text = "$مسيرات NEAR/3 سفينة"
    found = parse(text, lists=lists)
    assert bare(found) == Near(Or((A, B), HERE), C, 3, False, HERE)
    assert isinstance(found, Near)
    assert {node.at for node in walk(found.left)} == {(0, 7)}
    assert references('$a OR ($b "$c" $a)') == ("a", "b")


def test_places_are_those_of_the_text_as_typed() -> None:
    text = 'طائرة \u200fAND (صاروخ OR "سفينة حربية"~2)'
    found = parse(text)
    assert isinstance(found, And)
    places = [text[node.at[0] : node.at[1]] for node in walk(found)]
    assert places[1:] == ["طائرة", 'صاروخ OR "سفينة حربية"~2', "صاروخ", '"سفينة حربية"~2']


REFUSALS = [
    ("", "", "empty"),
    ("   ", "   ", "empty"),
    ("من", "من", 'inside a phrase "… من …", or write =من'),
    ('"من"', '"من"', "word of grammar"),
    ("باكو OR الذي", "الذي", "word of grammar"),
    ("طائرة أو صاروخ", "أو", "is no operator: write AND, or OR"),
    ("Baku and Yerevan", "and", "in capitals: AND"),
    ("طائرة near/5 صاروخ", "near/5", "in capitals: NEAR/5"),
    ("طائرة OR", "OR", "after OR a term is missing"),
    ("OR طائرة", "OR", "needs a term on its left"),
    ("طائرة AND OR صاروخ", "OR", "needs a term on its left"),
    ("(طائرة OR صاروخ", "(", "not closed: add a )"),
    ("طائرة) OR صاروخ", ")", "closes nothing"),
    ("طائرة OR ()", "()", "empty: remove"),
    ('طائرة "صاروخ', '"صاروخ', "opened and not closed"),
    ('"طائرات شاهد”', '"طائرات شاهد”', "” is of another kind"),
    ('"..."', '"..."', "no word between"),
    ("طائرة، صاروخ", "،", "a comma means nothing in a query: write OR"),
    ("طائرة; صاروخ", ";", "a semicolon means nothing"),
    ("طائرة && صاروخ", "&&", "write AND"),
    ("طائرة | صاروخ", "|", "write OR"),
    ("!طائرة", "!", "write NOT"),
    ("+طائرة", "+", "leave the + out"),
    ("طائرة - صاروخ", "-", "right before the word"),
    ("مس*", "مس*", "three letters or more"),
    ("*", "*", "three letters or more"),
    ("=مسير*", "=مسير*", "takes no ="),
    ("مسي?ة", "?", "write * for any letters"),
    ("كلمة=أخرى", "=", "with a space before it"),
    ("tilte:باكو", "tilte:", "did you mean title?"),
    ("نص:باكو", "نص:", "known are title, summary"),
    ("title:", "title:", "a word, a phrase or ( ) belongs"),
    ("https://example.com/x", "https://example.com/x", 'url:"example.com"'),
    ("$drnoes", "$drnoes", "did you mean $drones?"),
    ("$ باكو", "$", "name of a term list"),
    ("/(شاهد/", "/(شاهد/", "is not an expression that RE2 reads"),
    ("/شاهد", "/شاهد", "is not closed"),
    ("/(?=x)/", "/(?=x)/", "RE2"),
    ("/مسي[ّ]?رة/", "/مسي[ّ]?رة/", "without vowel signs"),
    ("/x*/", "/x*/", "matches even where nothing stands"),
    ("طائرة NEAR/3 NOT صاروخ", "NOT", "`a NOT NEAR/5 c`"),
    ("طائرة NEAR/3 -صاروخ", "-", "`a NOT NEAR/5 c`"),
    ("طائرة NEAR/3 (صاروخ -سفينة)", "-سفينة", "no place to be near to"),
    ("طائرة SENTENCE (صاروخ NOT سفينة)", "NOT سفينة", "no place to be near to"),
    ("ATLEAST/2 (NOT طائرة)", "NOT طائرة", "cannot be counted"),
    ("ATLEAST طائرة", "ATLEAST", "needs a number"),
    ("ATLEAST/0 طائرة", "ATLEAST/0", "1 or more"),
    ("طائرة near0 صاروخ", "near0", "counts positions"),
    ("طائرة NEAR/100000 صاروخ", "NEAR/100000", "at most 9999"),
    ("طائرة NEAR/2.5 صاروخ", "NEAR/2.5", "a whole number"),
    ("طائرة NEAR/x صاروخ", "NEAR/x", "a whole number"),
    ("طائرة ONEAR/-1 صاروخ", "ONEAR/-1", "a whole number"),
    ("ATLEAST/few طائرة", "ATLEAST/few", "a whole number"),
    ('"طائرة"~3', '"طائرة"~3', "needs two words"),
    ('"طائرات شاهد"~', "~", "needs a number"),
    ("'طائرات شاهد'", "'", 'write "…" around'),
    ("‘طائرات شاهد’", "‘", 'write "…" around'),
    ("title : طائرة", ":", "right behind its name"),
    ("طائرة NEAR5f صاروخ", "NEAR5f", "NEAR/5f"),
    ("طائرة onear5 صاروخ", "onear5", "ONEAR/5"),
    ("طائرة^2", "^2", "nothing is ranked here"),
    ("طائرة~", "~", "~طائرة"),
    ("طائرة~0.8", "~0.8", "~طائرة"),
    ("طائرة /F50/", "/F50/", "write lead:"),
    ("طائرة/N5/صاروخ", "/N5/", "a space on either side"),
    ("طائرة /5 صاروخ", "/5", "write w/5, or NEAR/n"),
    ("طائرة /5 صاروخ /5 سفينة", "/5", "write w/5, or NEAR/n"),
    ("طائرة w/seg صاروخ", "w/seg", "write title:( … ) or body:( … )"),
    ("/s طائرة/", "/s", "begin the expression otherwise, /[s] …/"),
    ("hd=طائرة", "hd=", "is written title:… here"),
    ("la=ar طائرة", "la=", "is written lang:… here"),
    ("طائرة same صاروخ", "same", "in capitals: PARAGRAPH"),
    ("طائرة pre/0 صاروخ", "pre/0", "1 means side by side"),
    ("[طائرة]", "[", "SCORE only"),
    ("SCORE/8 طائرة", "SCORE/8", "with its weights"),
    ("SCORE/8 [طائرة]", "طائرة", "a weight"),
    ("SCORE/8 [3 طائرة", "", "not closed with a ]"),
    ("...", "...", "no word in"),
]


@pytest.mark.parametrize(("text", "where", "what"), REFUSALS, ids=[text or "empty" for text, _, _ in REFUSALS])
def test_a_mistake_is_pointed_at_and_told_how_to_mend_it(text: str, where: str, what: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, lists={"drones": A})
    error = caught.value
    assert what in error.what
    if where:
        assert text[error.start : error.end] == where


@pytest.mark.parametrize(
    "opened",
    ["(", "NOT ", "-", "title:", "a:", "/", "/a/", "/-", "ATLEAST/2 ", "SCORE/1 [1 ", "طائرة NEAR/3 (", "[", '"'],
)
def test_deep_nesting_is_an_error_and_not_a_crash(opened: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(opened * (99_000 // len(opened)))
    assert 0 <= caught.value.start <= caught.value.end <= 99_000


def test_a_long_row_of_operators_is_read_or_refused() -> None:
    wide = parse(" OR ".join(["طائرة"] * 5_000))
    assert isinstance(wide, Or)
    assert len(wide.children) == 5_000
    with pytest.raises(QueryError, match="in a row"):
        parse(" NEAR/2 ".join(["طائرة"] * 5_000))
    with pytest.raises(QueryError, match="longer than"):
        parse("طائرة " * 20_000)


def test_lists_of_lists_cannot_explode() -> None:
    lists: dict[str, Node] = {"x0": parse("طائرة OR صاروخ")}
    with pytest.raises(QueryError, match="more than 20000 terms"):
        for level in range(1, 40):
            lists[f"x{level}"] = parse(f"$x{level - 1} OR $x{level - 1}", lists=lists)


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────

ALPHABET = "ابتجحدرسشصطعفقكلمنهويةأإآىءabcXYZ019ًّ"
PIECES = [
    *(
        "AND",
        "OR",
        "NOT",
        "NEAR/3",
        "near4",
        "w2",
        "SENTENCE",
        "ATLEAST/2",
        "SCORE/3",
        "(",
        ")",
        "[",
        "]",
        '"',
        "«",
        "»",
    ),
    *(
        "-",
        "=",
        "^",
        "~",
        "*",
        "/",
        ":",
        "$",
        ",",
        "،",
        "title:",
        "$x",
        "~3",
        "\\",
        "\n",
        " ",
        "شاهد",
        "مسيرة",
        "من",
        "a",
    ),
    *("\u200f", "\u0640", "1,5", "＝", "\ud800", "\x00", "ﷺ", "{", "?", "!", "SCORE/2 [1 x, 2 y]", "3"),
]
texts = st.one_of(
    st.text(max_size=60),
    st.text(st.sampled_from(ALPHABET + " \"()-=~^*/:$[],،«»“”\u200f\u200c\u0640_.'#"), max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=20).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=20).map("".join),
)


@settings(max_examples=600, deadline=None)
@given(texts, st.booleans())
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str, phrases: bool) -> None:
    try:
        found = parse(text, lists={"x": A}, phrases=phrases)
    except QueryError as error:
        assert 0 <= error.start <= error.end <= len(text)
        assert error.end > error.start or not text
        assert error.what
        return
    for node in walk(found):
        assert 0 <= node.at[0] < node.at[1] <= len(text)
    assert bare(parse(show(found))) == bare(found)


def _alone(word: str) -> bool:
    try:
        found = parse(f'"{word}"')
    except QueryError:
        return False
    return isinstance(found, Term) and found.text == word and not is_function_word(soft(word))


words = st.text(st.sampled_from(ALPHABET), min_size=1, max_size=6).filter(_alone)
plain_modes: st.SearchStrategy[Mode] = st.sampled_from(["word", "exact", "verb", "loose"])
starred = st.text(st.sampled_from("بتجحدرسشم"), min_size=3, max_size=5).flatmap(
    lambda word: st.sampled_from([word + "*", "*" + word, word[:2] + "*" + word[2:]])
)
terms = st.one_of(
    st.builds(Term, words, plain_modes, st.just(HERE)),
    starred.map(lambda word: Term(word, "wildcard", HERE)),
)
phrases_ = st.builds(Phrase, st.lists(terms, min_size=2, max_size=4).map(tuple), st.integers(0, 9), st.just(HERE))
patterns = st.sampled_from(["شاهد[0-9]+", r"a\/b", "(x|y)z", "[^/]q".replace("/", "x")])
leaves: st.SearchStrategy[Node] = st.one_of(terms, phrases_, patterns.map(lambda text: Regex(text, HERE)))
weights = st.integers(-900, 900).map(lambda n: n / 4)


def _without_not(node: Node) -> Node:
    """The tree with each Not replaced by what it negates: what NEAR and ATLEAST accept."""
    return rebuild(node, lambda one: one.child if isinstance(one, Not) else one)


def _branches(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    near = inner.map(_without_not)
    right = st.one_of(near, near.map(lambda node: Not(node, HERE)))
    here = st.just(HERE)
    scope: Any = st.sampled_from(["title", "summary", "lead", "body", "author", "outlet", "tag", "url", "lang"])
    unit: Any = st.sampled_from(["sentence", "paragraph"])
    scored = st.lists(st.tuples(inner, weights), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(And, several, here),
        st.builds(Or, several, here),
        st.builds(Not, inner, here),
        st.builds(Near, near, right, st.integers(0, 30), st.booleans(), here),
        st.builds(Same, near, near, unit, here),
        st.builds(AtLeast, st.integers(1, 9), near, here),
        st.builds(Scope, scope, inner, here),
        st.builds(Score, scored, st.integers(0, 90).map(lambda n: n / 4), here),
    )


@settings(max_examples=400, deadline=None)
@given(st.recursive(leaves, _branches, max_leaves=12))
def test_what_is_shown_is_read_back_as_the_same_tree(tree: Node) -> None:
    assert bare(parse(show(tree))) == tree


def test_rebuilding_changes_every_node_and_keeps_the_rest() -> None:
    tree = parse(
        'title:(طائرة OR "صاروخ سفينة") NEAR/2 ATLEAST/2 ميناء'.replace("ATLEAST/2 ميناء", "(ATLEAST/2 ميناء)")
    )
    changed = rebuild(tree, lambda one: dataclasses.replace(one, kind="name") if isinstance(one, Term) else one)
    kinds = [one.kind for one in walk(changed) if isinstance(one, Term)]
    assert kinds == ["name", "name"]
    inner = [one for one in walk(changed) if isinstance(one, Phrase)]
    assert [word.kind for word in inner[0].words] == ["name", "name"]
