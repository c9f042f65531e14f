"""One spelling for text: what every comparison of words starts from. Pure; hostile text costs linear time.

The *soft* form drops marks and maps look-alike letters, but keeps hamza, alef maqsura and ta marbuta; Latin loses case
and accents. The *folded* form also levels hamza and maqsura, letter for letter, so that offsets hold between the two.
"""

from __future__ import annotations

import re
import unicodedata
from array import array

# Combining marks, and what is invisible (zero-width, bidi, soft hyphen, variation selectors): never part of a spelling.
MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u08d3-\u08ff\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
TATWEEL = "\u0640"

_PLAIN = re.compile("[ء-غف-ي]+").fullmatch
_LATIN_PLAIN = re.compile("[a-z0-9]+").fullmatch
_DROP = re.compile(f"[{MARKS}{INVISIBLE}{TATWEEL}]+")
# The Unicode algorithm sorts a run of marks in quadratic time; no spelling needs more than a few.
_LONG_RUN = re.compile(f"([{MARKS}]{{4}})[{MARKS}]+")
# Isolated marks: NFKC would turn each into a space and a mark, and break the word.
_ISOLATED = re.compile("[\ufe70-\ufe7f\ufc5e-\ufc63\ufcf2-\ufcf4]")
_ACCENTED = re.compile("[\u00c0-\u024f\u0370-\u03ff\u1e00-\u1fff]")

_LETTERS = {
    ord(letter): plain
    for plain, letters in (
        *(("ا", "ٱ"), ("أ", "ٲ"), ("إ", "ٳ"), ("ك", "کڪګڭگڬ"), ("ي", "یۍېێے"), ("ئ", "ۓ"), ("ف", "ڤڥ"), ("ق", "ڨ")),
        *(("ب", "پ"), ("ج", "چ"), ("ز", "ژ"), ("ه", "ھہەۀۂ"), ("ة", "ۃ"), ("و", "ۆۇۈ"), ("ر", "ڕڑ"), ("ل", "ڵ")),
        *(("ت", "ٹ"), ("د", "ڈ"), ("ن", "ں")),
    )
    for letter in letters
}
_DIGITS = {start + i: str(i) for start in (0x0660, 0x06F0) for i in range(10)}
_LATIN = {ord(a): b for a, b in zip("øłđıðħŧ", "oldidht", strict=True)} | {
    ord("æ"): "ae",
    ord("œ"): "oe",
    ord("þ"): "th",
}
_SOFT = _LETTERS | _DIGITS | _LATIN
_FOLD = str.maketrans("أإآىؤ", "ااايئ")
_FOLDED = re.compile("[أإآىؤ]").search
_BARE_ALEF = str.maketrans("أإآ", "ااا")


def soft(token: str) -> str:
    """The soft form of a word or text: same words, one spelling of each letter; hamza, ى and ة stay."""
    if _PLAIN(token) or _LATIN_PLAIN(token):
        return token
    if len(token) > 8:
        token = _LONG_RUN.sub(r"\1", token)
    token = unicodedata.normalize("NFKC", _ISOLATED.sub("", token)).casefold()
    if _ACCENTED.search(token):
        token = "".join(unicodedata.normalize("NFD", c)[0] if _ACCENTED.match(c) else c for c in token)
    return _DROP.sub("", token).translate(_SOFT)


def fold(soft: str) -> str:
    """The folded form of a soft form: of the same length, with أ إ آ → ا, ى → ي, ؤ → ئ."""
    return soft.translate(_FOLD) if _FOLDED(soft) else soft


def bare_alef(soft: str) -> str:
    """A soft form as it is written without the hamza of its alefs, which many do."""
    return soft.translate(_BARE_ALEF)


def fold_pattern(pattern: str) -> str:
    """A regular expression as it must be written to find folded text: its letters folded, its syntax untouched."""
    letters = {code: to for code, to in _SOFT.items() if len(to) == 1}
    return fold(_DROP.sub("", pattern).translate(letters))


class Folded:
    """A folded text that knows where each of its code points came from."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, text: str, starts: array[int], ends: array[int]) -> None:
        self.text = text
        self._starts = starts
        self._ends = ends

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The place [start, end) of the folded text as code points of the original; marks go with their letter."""
        if start >= len(self._starts):
            last = self._ends[-1] if self._ends else 0
            return last, last
        if end <= start:
            return self._starts[start], self._starts[start]
        return self._starts[start], self._ends[end - 1]


_EXTENDERS = f"[{MARKS}{INVISIBLE}{TATWEEL}]"
# Runs that fold one to one, and anything else with the marks that hang on it.
_SEGMENT = re.compile(
    rf"(?P<even>(?:[ء-غف-ي\t-~\u060c\u061b\u061f«»…–—“”](?!{_EXTENDERS}))+)|.{_EXTENDERS}*", re.DOTALL
)


def fold_text(text: str) -> Folded:
    """Soften and fold a whole text, remembering places. Lone surrogates become U+FFFD; white space stays."""
    pieces: list[str] = []
    starts, ends = array("I"), array("I")
    for found in _SEGMENT.finditer(text):
        start, end = found.span()
        if found["even"] is not None:
            pieces.append(fold(found["even"].lower()))
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
            continue
        piece = found[0]
        new = "\ufffd" if "\ud800" <= piece[0] <= "\udfff" else fold(soft(piece))
        if not new and ends:
            ends[-1] = end  # marks of the letter before
        pieces.append(new)
        starts.extend([start] * len(new))
        ends.extend([end] * len(new))
    return Folded("".join(pieces), starts, ends)


def plain(text: str) -> str:
    """The folded words of a text with one space between, for hashes and comparison."""
    from monitor.arabic.tokens import words

    return " ".join(words(text))
