"""What the terms of a query would match, in words: the forms of each and the rule that gives them.

What may stand before and behind a form is told as a rule, for written out it is thousands of words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.arabic import forms
from monitor.arabic.dictionary import Dictionary
from monitor.arabic.loose import is_loose
from monitor.arabic.normalise import fold, soft
from monitor.arabic.pronouns import PRONOUNS
from monitor.arabic.tokens import AL, BARE
from monitor.arabic.verbs import conjugations, opened
from monitor.matching.explain import leaf_text
from monitor.matching.lexicon import Word, words_of
from monitor.matching.rows import rows_of
from monitor.matching.tree import Node, Phrase, Regex, Term
from monitor.matching.walk import walk

PROCLITICS = ("و", "ف", "ب", "ك", "ل", "ال", "بال", "كال", "لل")


@dataclass(frozen=True, slots=True)
class Group:
    """Forms that one rule gives. article: "" with or without, "only", "never". note: where they cannot be listed."""

    why: str
    forms: tuple[str, ...]
    article: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ExpandedWord:
    """One word of a term. sort: what it is taken for, and why.

    before: what may stand before a form, and و or ف before these. pronouns stand behind the forms of `hosts`. others:
    words of a text that only look like a form, and are not taken for one.
    """

    text: str
    sort: str
    groups: tuple[Group, ...]
    before: tuple[str, ...] = ()
    pronouns: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpandedTerm:
    """A term or phrase as written, its words, the other ways the whole is written, and what holds for all of it."""

    text: str
    words: tuple[ExpandedWord, ...]
    also: tuple[str, ...] = ()
    note: str = ""


def expand(query: Node, dictionary: Dictionary | None = None) -> list[ExpandedTerm]:
    """Every term of a query once, in the order written."""
    found: dict[str, ExpandedTerm] = {}
    for node in walk(query):
        if isinstance(node, Term | Phrase):
            text = leaf_text(node)
            found.setdefault(text, _term(node, text, dictionary))
        elif isinstance(node, Regex):
            text = leaf_text(node)
            note = "an expression over the folded text: no vowel signs, أ إ آ as ا, ى as ي, ؤ as ئ, digits 0-9"
            found.setdefault(text, ExpandedTerm(text, (), note=note))
    return list(found.values())


def _term(node: Term | Phrase, text: str, dictionary: Dictionary | None) -> ExpandedTerm:
    terms = (node,) if isinstance(node, Term) else node.words
    free = isinstance(node, Phrase) and node.slop > 0
    words = [word for i, term in enumerate(terms) for word in words_of(term, later=i > 0 and not free)]
    also = [" ".join(word.text for word in row) for row in rows_of(node)[1:]]
    note = ""
    if free:
        assert isinstance(node, Phrase)
        note = f"the words in any order, at most {node.slop} others between them"
    elif len(words) > 1:
        note = "the words in a row; punctuation between them does not matter"
    return ExpandedTerm(text, tuple(_word(word, dictionary) for word in words), tuple(also), note)


def _word(word: Word, dictionary: Dictionary | None) -> ExpandedWord:
    match word.mode:
        case "exact":
            group = Group("as spelled", (soft(word.text),))
            return ExpandedWord(word.text, "nothing attached; أ إ آ are one letter, so are ى ي and ؤ ئ", (group,))
        case "wildcard":
            group = Group("any word", (), note=_starred(word.text))
            return ExpandedWord(word.text, "a pattern", (group,), _before(word))
    kind: forms.Kind = "name" if word.mode == "loose" else word.kind
    found = forms.expand(word.text, kind, dictionary=dictionary)
    groups = list(_groups(word.text, kind, dictionary))
    hosts = set(found.hosts)
    if word.mode == "verb":
        groups += _conjugated(word.text)
        hosts |= {opened(form) for form in conjugations(word.text)}
    if word.mode == "loose":
        groups += [Group("what sounds like it", (), note=_sounding(found.stem))]
    before = () if found.typed.isdigit() else _before(word)
    others = found.refused | found.barred if word.mode != "verb" else frozenset[str]()
    return ExpandedWord(
        word.text,
        _sort(word, found, dictionary),
        tuple(groups),
        before,
        PRONOUNS if hosts else (),
        tuple(sorted(hosts, key=_by_length)),
        tuple(sorted(others)),
    )


def _arabic(word: str) -> bool:
    return "\u0621" <= soft(word)[-1:] <= "\u064a"


def _before(word: Word) -> tuple[str, ...]:
    return ("ال",) if word.later else PROCLITICS


def _groups(word: str, kind: forms.Kind, dictionary: Dictionary | None) -> Iterator[Group]:
    """The forms by the rule that gives them and by how they stand with the article."""
    grouped: dict[tuple[str, str], dict[str, None]] = {}
    seen: dict[str, int] = {}
    for form in forms.explain(word, kind, dictionary=dictionary):
        new = form.modes & ~seen.get(fold(form.text), 0)
        if new:
            seen[fold(form.text)] = seen.get(fold(form.text), 0) | new
            article = {BARE: "never", AL: "only"}.get(new, "")
            grouped.setdefault((form.why, article), {})[form.text] = None
    for (why, article), texts in grouped.items():
        yield Group(why, tuple(texts), article)


def _conjugated(verb: str) -> list[Group]:
    found = conjugations(verb)
    present = {form for form in found if "س" + form in found}
    past = found - present - {"س" + form for form in present}
    return [
        Group("the verb, past", tuple(sorted(past, key=_by_length)), "never"),
        Group("the verb, present; future with س", tuple(sorted(present, key=_by_length)), "never"),
        Group("behind the verb also", (), note="ني, me"),
    ] if found else []  # fmt: skip


def _by_length(form: str) -> tuple[int, str]:
    return len(form), form


def _sounding(stem: str) -> str:
    if not is_loose(fold(stem)):
        return "nothing: it is too short (four consonants)"
    return "غ ج ك ق alike, ت ط, س ص ث, ذ ز ظ ض; some long vowels more or less; see rasid rules variants"


def _starred(text: str) -> str:
    head, *_, tail = text.split("*")
    parts = [f"begins with {head}"] if head else []
    parts += [f"has {part} within" for part in text.split("*")[1:-1] if part]
    parts += [f"ends in {tail}"] if tail else []
    return f"that {' and '.join(parts)}"


def _sort(word: Word, found: forms.Forms, dictionary: Dictionary | None) -> str:
    if not _arabic(word.text):
        return "letters of any case, with or without accents" if not word.text.isdigit() else "a number, in any digits"
    why = "as the rule says" if word.kind != "auto" else _reason(found, dictionary)
    inflects = "a word, which inflects" if found.kind == "word" else "a name, which hardly inflects"
    return f"{inflects}: {why}"


def _reason(found: forms.Forms, dictionary: Dictionary | None) -> str:
    if found.kind == "name":
        return "a country, or no word that is known"
    if dictionary is None:
        return "by its ending, for there is no dictionary"
    known = dictionary.lemmas(found.stem) or dictionary.lemmas(found.typed)
    return f"listed under {'، '.join(sorted(known))}" if known else "by its shape"
