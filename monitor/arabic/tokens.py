"""Text → words with their places, and a word → what may stand in it after its proclitics. No dictionary.

A word is a run of letters and digits with the marks on them; everything else separates, also the underscore of
hashtags. «الـ» written apart (الـ"شاهد") is no word of its own. The same cut serves texts and queries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from monitor.arabic.normalise import INVISIBLE, MARKS, TATWEEL, fold, soft

BARE, AL = 1, 2  # modes: without the article, with it

WORD = re.compile(rf"\w[\w{MARKS}{INVISIBLE}]*")
_TRAILING = re.compile(f"[{INVISIBLE}{TATWEEL}]+$")
_PARAGRAPH = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")
_SENTENCE = re.compile("[!?؟۔…]|\\.(?!$)|\\.\\.")
_KEPT = 50_000  # words remembered; a year of news has more, a day has fewer
_LONGEST_KEPT = 48


class Token(NamedTuple):
    """A word of a text: its forms, its place [start, end) in code points, its sentence and paragraph (from 0)."""

    soft: str
    folded: str
    start: int
    end: int
    sentence: int
    paragraph: int


_known: dict[str, tuple[tuple[str, str], ...]] = {}


def pieces(raw: str) -> tuple[tuple[str, str], ...]:
    """The (soft, folded) words in one run of letters: nearly always one; none for a stray tatweel, four in ﷺ."""
    known = _known.get(raw)
    if known is not None:
        return known
    spelled = soft(raw)
    if spelled == "ال" and raw.rstrip().endswith(TATWEEL):
        found: tuple[tuple[str, str], ...] = ()
    elif spelled.isalnum():
        found = ((spelled, fold(spelled)),)
    else:
        found = tuple((word, fold(word)) for word in re.findall(r"[^\W_]+", spelled))
    if len(raw) <= _LONGEST_KEPT:
        if len(_known) >= _KEPT:
            _known.clear()
        _known[raw] = found
    return found


def runs(text: str) -> list[str]:
    """The runs of letters of a text, as written; `pieces` of each, in order, are its words."""
    return WORD.findall(text.replace("_", " "))


def places(text: str) -> Iterator[tuple[str, int, int]]:
    """Each run with its place; invisible characters and tatweel at its end are left out of the place."""
    for found in WORD.finditer(text.replace("_", " ")):
        raw = found[0]
        start, end = found.span()
        if not raw[-1].isalpha() or raw[-1] == TATWEEL:
            trailing = _TRAILING.search(raw)
            end -= len(trailing[0]) if trailing else 0
        yield raw, start, end


def tokenise(text: str) -> list[Token]:
    """All words of a text, in order."""
    tokens: list[Token] = []
    sentence = paragraph = 0
    before, previous = 0, ""
    for raw, start, end in places(text):
        gap = text[before:start]
        if gap != " " and tokens:
            if _PARAGRAPH.search(gap):
                paragraph += 1
                sentence += 1
            elif _ends_sentence(gap, previous):
                sentence += 1
        for spelled, folded in pieces(raw):
            tokens.append(Token(spelled, folded, start, end, sentence, paragraph))
            previous = spelled
        before = end
    return tokens


def _ends_sentence(gap: str, previous: str) -> bool:
    """3.5 and site.com do not end a sentence, nor does the dot of «د. أحمد»."""
    if not _SENTENCE.search(gap):
        return False
    return not (gap[0] == "." and len(previous) == 1 and ".." not in gap and not previous.isdigit())


def words(text: str) -> list[str]:
    """The folded words of a text."""
    return [folded for raw in runs(text) for _, folded in pieces(raw)]


def candidates(soft: str) -> tuple[tuple[str, int], ...]:
    """What a word may be after its proclitics: (remainder, BARE or AL), the word itself first.

    وبالطائرة → وبالطائرة, بالطائرة, الطائرة … طائرة with the article. A remainder has two letters or more.
    """
    found = [(soft, BARE)]
    _split(soft, found)
    if soft[:1] in ("و", "ف") and len(soft) > 2:
        found.append((soft[1:], BARE))
        _split(soft[1:], found)
    return tuple(found)


def _split(word: str, found: list[tuple[str, int]]) -> None:
    first, length = word[0] if word else "", len(word)
    if first == "ا":
        if word[1:2] == "ل" and length > 3:
            found.append((word[2:], AL))
    elif first == "ل" and length > 2:
        found.append((word[1:], BARE))
        if word[1] == "ل" and length > 3:
            found.append((word[2:], AL))
            found.append((word[1:], AL))  # للجنة: the first ل of لجنة is written once
    elif first in ("ب", "ك") and length > 2:
        found.append((word[1:], BARE))
        if word[1:3] == "ال" and length > 4:
            found.append((word[3:], AL))


def index_text(text: str) -> str:
    """What full-text search indexes: the folded words, each followed by its remainders, so that a look-up finds it."""
    out: list[str] = []
    for raw in runs(text):
        for spelled, folded in pieces(raw):
            out.append(folded)
            out.extend(sorted({fold(rest) for rest, _ in candidates(spelled)} - {folded}))
    return " ".join(out)
