"""Text → words with their places, and a word → what may stand in it after its proclitics. No dictionary.

A word is a run of letters with the marks on them, or of digits; everything else separates, also the underscore of
hashtags. Letters and digits are two words (شاهد136, F16), but a number keeps the proclitics before it (و136, ال24). A
ة ends its word, and so does a ى before two letters or more: newspapers lose spaces (غزةفي, إلىروسيا). «الـ» written
apart (الـ"شاهد") is no word of its own. The same cut serves texts and queries.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from monitor.arabic.normalise import INVISIBLE, MARKS, TATWEEL, fold, soft

BARE, AL = 1, 2  # modes: without the article, with it

_ON = f"{MARKS}{INVISIBLE}"  # what hangs on a letter
_DRAWN = f"{_ON}{TATWEEL}"  # and what only draws it out
# Most words, then numbers with their separators (3.5 is one word), then any letters with marks on them.
_EASY = rf"[^\W\dةى]+[ةى]?(?![\w{_ON}])"
_DIGITS = rf"(?:[وف]?(?:[بك]?ال|لل|[بكل])?{TATWEEL}*)?\d[\d{_ON}]*"
# A ى that does not end the word: مفاجىء.
_MAQSURA = rf"ى(?![{_DRAWN}]*[^\W\dءئيةى{TATWEEL}][{_DRAWN}]*[^\W\d{TATWEEL}])"
_LETTERS = rf"(?=[^\W\d])[^\W\dةى]*(?:(?:[{_ON}]+|{_MAQSURA})[^\W\dةى]*)*(?:[ةى][{_ON}]*)?"
WORD = re.compile(rf"{_EASY}|{_DIGITS}(?:[.,٫٬]\d+)*|{_LETTERS}")
_NUMBER = re.compile(rf"{_DIGITS}(?:[.,٫٬]\d+)+")
_THOUSANDS = re.compile(r"[,٬](?=\d{3}(?!\d))")
_TRAILING = re.compile(f"[{INVISIBLE}{TATWEEL}]").match
_TRIMMED = frozenset(chr(c) for c in (*range(0x3000), *range(0xFE00, 0xFF00)) if _TRAILING(chr(c)))
_PARAGRAPH = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")
_SENTENCE = re.compile("[!?؟۔…]|\\.(?!$)|\\.\\.")
_KEPT = 30_000  # words remembered, some 6 MB
_LONGEST_KEPT = 48
LONGEST = 100  # letters of a word that count; no language writes longer ones, but floods do
_LONGEST_RUN = 1_000


class Token(NamedTuple):
    """A word of a text: its forms, its place [start, end) in code points, its sentence and paragraph (from 0)."""

    soft: str
    folded: str
    start: int
    end: int
    sentence: int
    paragraph: int


_known: dict[str, tuple[str, str] | None] = {}


def word(raw: str) -> tuple[str, str] | None:
    """The (soft, folded) forms of one run of letters; None where it is no word (a stray tatweel, «الـ» apart)."""
    if raw in _known:
        return _known[raw]
    spelled = _number(raw) if _NUMBER.fullmatch(raw) else soft(raw[:_LONGEST_RUN])[:LONGEST]
    if not (spelled.isalnum() or _NUMBER.fullmatch(spelled)):  # a ligature of several words, as in ﷺ, counts once
        spelled = next(iter(re.findall(r"[^\W_]+", spelled)), "")
    if spelled == "ال" and raw[-1] == TATWEEL:
        spelled = ""
    found = (spelled, fold(spelled)) if spelled else None
    if len(raw) <= _LONGEST_KEPT:
        if len(_known) >= _KEPT:
            _known.clear()
        _known[raw] = found
    return found


def _number(raw: str) -> str:
    """1,500 is 1500, and ٣٫٥ is 3.5."""
    return soft(_THOUSANDS.sub("", raw))[:LONGEST].replace("٫", ".").replace("٬", ",")


def runs(text: str) -> list[str]:
    """The runs of letters of a text, as written; the `word` of each, in order, are its tokens."""
    return WORD.findall(text.replace("_", " "))


def places(text: str) -> list[tuple[int, int]]:
    """Where the runs of `runs` stand; see `trimmed` for their ends."""
    return [found.span() for found in WORD.finditer(text.replace("_", " "))]


def trimmed(text: str, end: int) -> int:
    """The end of a run without the invisible characters and tatweel that trail it: what a reader takes for its end."""
    while end > 0 and text[end - 1] in _TRIMMED:
        end -= 1
    return end


def tokenise(text: str) -> list[Token]:
    """All words of a text, in order."""
    tokens: list[Token] = []
    sentence = paragraph = 0
    before, previous = 0, ""
    for raw, (start, end) in zip(runs(text), places(text), strict=True):
        found = word(raw)
        if not found:
            continue
        gap = text[before:start]
        if gap != " " and tokens:
            if _PARAGRAPH.search(gap):
                paragraph += 1
                sentence += 1
            elif _ends_sentence(gap, previous):
                sentence += 1
        before = trimmed(text, end)
        previous = found[0]
        tokens.append(Token(previous, found[1], start, before, sentence, paragraph))
    return tokens


def _ends_sentence(gap: str, previous: str) -> bool:
    """3.5 and site.com do not end a sentence, nor does the dot of «د. أحمد»."""
    if not _SENTENCE.search(gap):
        return False
    return not (gap[0] == "." and len(previous) == 1 and ".." not in gap and not previous.isdigit())


def words(text: str) -> list[str]:
    """The folded words of a text."""
    return [found[1] for found in map(word, runs(text)) if found]


class Proclitic(NamedTuple):
    """What a word may begin with; its remainder is without the first `cut` letters, and has two or more."""

    text: str
    cut: int
    mode: int


def _proclitics() -> tuple[Proclitic, ...]:
    found = [Proclitic("ال", 2, AL), Proclitic("ل", 1, BARE), Proclitic("ب", 1, BARE), Proclitic("ك", 1, BARE)]
    found += [Proclitic("بال", 3, AL), Proclitic("كال", 3, AL)]
    found += [Proclitic("لل", 2, AL), Proclitic("لل", 1, AL)]  # للجنة: the first ل of لجنة is written once
    for letter in "وف":
        found += [Proclitic(letter + text, cut + 1, mode) for text, cut, mode in found if text[0] not in "وف"]
        found.append(Proclitic(letter, 1, BARE))
    return tuple(found)


PROCLITICS = _proclitics()
_FIRST = frozenset(one.text[0] for one in PROCLITICS)
_LONGEST_PROCLITIC = 4


@lru_cache(10_000)
def _cuts(beginning: str, size: int) -> tuple[tuple[int, int], ...]:
    """How many letters may be cut off a word: the first four say it."""
    found = [(cut, mode) for text, cut, mode in PROCLITICS if beginning.startswith(text) and size - len(text) >= 2]
    return ((0, BARE), *sorted(found))


def candidates(soft: str) -> tuple[tuple[str, int], ...]:
    """What a word may be after its proclitics: (remainder, BARE or AL), the longest first.

    وبالطائرة → وبالطائرة, بالطائرة, الطائرة … طائرة with the article.
    """
    if soft[:1] not in _FIRST:
        return ((soft, BARE),)
    cuts = _cuts(soft[:_LONGEST_PROCLITIC], min(len(soft), _LONGEST_PROCLITIC + 2))
    return tuple([(soft[cut:], mode) for cut, mode in cuts])


def index_text(text: str) -> str:
    """What full-text search indexes: the folded words, each followed by its remainders, so that a look-up finds it."""
    out: list[str] = []
    for found in filter(None, map(word, runs(text))):
        spelled, folded = found
        out.append(folded)
        out.extend(sorted({fold(rest) for rest, _ in candidates(spelled)} - {folded}))
    return " ".join(out)
