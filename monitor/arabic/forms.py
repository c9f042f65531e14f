"""A term → the surface forms it may take in a text. The query side does this once; texts are only cut (tokens.py).

Without a dictionary the rules decide by the ending alone: a *word* inflects and takes pronouns, a *name* hardly does.
A dictionary, where there is one, adds the forms of the word's lemmas and refuses forms that are other words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from monitor.arabic.names import territories
from monitor.arabic.normalise import fold, soft
from monitor.arabic.tokens import AL, BARE

Kind = Literal["auto", "name", "word"]
ANY = BARE | AL
PRONOUNS = ("ه", "ها", "هم", "هن", "هما", "نا", "ك", "كم", "كن", "كما")
_BY_LAST = {last: tuple(p for p in PRONOUNS if p[-1] == last) for last in {p[-1] for p in PRONOUNS}}
_NUMBERED = ("ان", "ين", "ون")
_FEMININE = ("ات", "تان", "تين")


class Dictionary(Protocol):
    """What a dictionary must know of soft forms; forms.py works with none."""

    def lemmas(self, word: str) -> frozenset[str]:
        """The lemmas a term stands for; empty where the word is unknown."""

    def forms(self, lemma: str) -> frozenset[str]:
        """The nominal forms of a lemma, those with the article written with it."""

    def refuses(self, form: str, lemmas: frozenset[str]) -> bool:
        """Whether this form (article included) is known only as a form of other lemmas."""

    def other_words(self, forms: Iterable[str], lemmas: frozenset[str]) -> frozenset[str]:
        """Folded tokens, clitic and all, that are words of their own (باسم, بسبب) and so no clitic + form."""


@dataclass(frozen=True, slots=True)
class Forms:
    """What a term may look like. modes: folded form → BARE | AL; refused: folded tokens that are other words.

    typed is the term's soft form: a function word matches only a term typed just so. stem is the term without a typed
    article (of a name the article is otherwise required). hosts are the folded forms that take a pronoun: modes also
    holds each of them with every pronoun, but for those a dictionary refuses; who must save memory strips pronouns
    from texts instead.
    """

    typed: str
    stem: str
    kind: Literal["name", "word"]
    modes: Mapping[str, int]
    refused: frozenset[str] = field(default_factory=frozenset)
    hosts: frozenset[str] = field(default_factory=frozenset)


def strip_pronoun(word: str) -> tuple[str, ...]:
    """What a word may be without a pronoun at its end: none, one or more remainders (folded in, folded out)."""
    endings = _BY_LAST.get(word[-1:])
    if not endings:
        return ()
    return tuple(word[: -len(ending)] for ending in endings if len(word) > len(ending) and word.endswith(ending))


def expand(term: str, kind: Kind = "auto", *, dictionary: Dictionary | None = None) -> Forms:
    """All forms of one word (any spelling of it); a term in Latin letters or digits has only itself."""
    typed = soft(term)
    if not _arabic(typed):
        return Forms(typed, typed, "name", {fold(typed): ANY})
    with_al = typed.startswith("ال") and len(typed) >= 5 and typed != "الله"
    stem = typed[2:] if with_al else typed
    lemmas = dictionary.lemmas(typed) if dictionary else frozenset[str]()
    sort = _kind(typed, stem, bool(lemmas), dictionary) if kind == "auto" else kind
    found: dict[str, int] = {}
    if with_al:
        _add(found, typed, BARE)
        _add(found, stem, ANY if sort == "word" else AL)
    else:
        _add(found, stem, ANY)
    if (
        kind == "auto"
        and sort == "name"
        and len(stem) >= 4
        and stem[-1] not in "اويىءهة"
        and not _territory(typed, stem)
    ):
        _add(found, stem + "ات", ANY)  # an unknown word may be a common one after all
    for form, modes in _generated(stem, sort, lemmas, dictionary).items():
        kept = _kept(form, modes, lemmas, dictionary)
        if kept and form not in (typed, stem):
            _add(found, form, kept)
    hosts = _hosts(found, typed) if sort == "word" else set()
    for form in {host + pronoun for host in hosts for pronoun in PRONOUNS}:
        if not (dictionary and dictionary.refuses(form, lemmas)):
            _add(found, form, BARE)
    refused = dictionary.other_words(found, lemmas) if dictionary else frozenset[str]()
    modes_of: dict[str, int] = {}
    for form, modes in found.items():
        _add(modes_of, fold(form), modes)
    return Forms(typed, stem, sort, modes_of, refused - modes_of.keys(), frozenset(map(fold, hosts)))


def _kind(typed: str, stem: str, known: bool, dictionary: Dictionary | None) -> Literal["name", "word"]:
    if _territory(typed, stem):
        return "name"
    if known or not dictionary:
        return "word"  # measured without a dictionary: lemma F1 .88 against .82, and names lose nothing
    return "word" if stem[-1] in "ةي" and len(stem) > 4 else "name"


def _territory(typed: str, stem: str) -> bool:
    return fold(typed) in territories() or fold(stem) in territories()


def _generated(stem: str, kind: str, lemmas: frozenset[str], dictionary: Dictionary | None) -> dict[str, int]:
    found: dict[str, int] = {}
    if kind == "word" and dictionary:
        for lemma in lemmas:
            for form in dictionary.forms(lemma):
                if form.startswith("ال") and len(form) > 4:
                    _add(found, form[2:], AL)
                else:
                    _add(found, form, ANY)
    bases = {stem} | ({lemma for lemma in lemmas if lemma[:2] != "ال"} if kind == "word" else set())
    if kind == "word" and not lemmas:
        bases |= _singulars(stem)
        found.update(dict.fromkeys(bases, ANY))
    for base in bases:
        _by_rule(base, found, kind == "word")
    return found


def _by_rule(base: str, found: dict[str, int], word: bool) -> None:
    """The regular inflections of a word by its ending (design: dual, sound plurals, construct, accusative)."""
    if len(base) < 3:
        return
    head = base[:-1]
    if base[-1] == "ة":
        _add(found, head + "ه", ANY)
        if word:
            _each(found, head, _FEMININE, ANY)
            _each(found, head, ("تا", "تي"), BARE)
    elif base[-1] == "ه":
        _add(found, head + "ة", ANY)
    elif base[-1] == "ي" and word:
        _add(found, base + "ا", BARE)
        _each(found, base, ("ة", *_FEMININE, *_NUMBERED), ANY)
    elif base.endswith("اء") and word:
        _each(found, base, ("ات", "ان", "ين"), ANY)
        _each(found, head + "ئ", ("ان", "ين"), ANY)
        _add(found, base + "ا", BARE)
    elif base[-1] not in "اويىءه" and word:
        _add(found, base + "ا", BARE)
        if len(base) > 3:
            _each(found, base, ("ات", *_NUMBERED), ANY)


def _singulars(stem: str) -> set[str]:
    """What an unknown word typed in the plural, dual or feminine may come from (طائرات → طائرة, روسية → روسي)."""
    if len(stem) >= 6 and stem.endswith("تين"):
        return {stem[:-3] + "ة", stem[:-2]}
    if len(stem) >= 6 and stem.endswith(("ين", "ون")):
        return {stem[:-2]}
    if len(stem) >= 6 and stem.endswith("ية"):
        return {stem[:-1]}
    return {stem[:-2] + "ة"} if len(stem) >= 5 and stem.endswith("ات") else set()


def _kept(form: str, modes: int, lemmas: frozenset[str], dictionary: Dictionary | None) -> int:
    if dictionary and lemmas:
        if modes & BARE and dictionary.refuses(form, lemmas):
            modes &= ~BARE
        if modes & AL and dictionary.refuses("ال" + form, lemmas):
            modes &= ~AL
    return modes


def _hosts(found: Mapping[str, int], typed: str) -> set[str]:
    """ة opens to ت, ى to ا or ي, the hamza of اء also sits on ي; duals and sound plurals lose their ن instead."""
    hosts: set[str] = set()
    for form, modes in found.items():
        if not modes & BARE or (form == typed and typed.startswith("ال")):
            continue
        if form[-1] == "ة":
            hosts.add(form[:-1] + "ت")
        elif form[-1] == "ى":
            hosts |= {form[:-1] + "ا", form[:-1] + "ي"}
        elif not (form.endswith(_NUMBERED) and form[:-1] in found):
            hosts.add(form)
            if form.endswith("اء"):
                hosts.add(form[:-1] + "ئ")
    return hosts


def _arabic(word: str) -> bool:
    return bool(word) and "\u0621" <= word[-1] <= "\u064a"


def _add(found: dict[str, int], form: str, modes: int) -> None:
    found[form] = found.get(form, 0) | modes


def _each(found: dict[str, int], base: str, endings: Iterable[str], modes: int) -> None:
    for ending in endings:
        _add(found, base + ending, modes)
