"""Text of strangers made fit to show: cleaned, cut around what matched, its Latin runs isolated, then as HTML.

Pure. A Passage is text with marked places; every step keeps the marks in step with the text. The order is the law:
clean → cut → isolate → escape, so that no cut can split an entity, a tag or an isolate.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

RLM, LRM, FSI, PDI = "\u200f", "\u200e", "\u2068", "\u2069"
ELLIPSIS = "…"
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f")
_LONGEST_MARKS = 4  # combining marks on one letter; more is ornament meant to break lines


class Mark(NamedTuple):
    """A matched place [start, end) of a passage's text; term tells matches of different terms apart."""

    start: int
    end: int
    term: str


@dataclass(frozen=True, slots=True)
class Passage:
    """Shown text. marks are sorted and do not overlap."""

    text: str
    marks: tuple[Mark, ...] = ()


def clean(text: str, marks: Iterable[Mark] = (), limit: int = 200_000) -> Passage:
    """Strip controls, bidi and zero-width characters, fold white space to single blanks; marks follow their words.

    ZWNJ survives between letters (Persian) and ZWJ between pictures (emoji); everything else invisible goes.
    """
    text = text[:limit]
    out: list[str] = []
    at: list[int] = []  # at[i]: how long the output is before original code point i
    piled = 0
    for index, char in enumerate(text):
        at.append(len(out))
        if char.isspace():
            if out and out[-1] != " ":
                out.append(" ")
            piled = 0
            continue
        category = unicodedata.category(char)
        if category[0] == "M":
            piled += 1
            if piled > _LONGEST_MARKS or char in _INVISIBLE_LETTERS or not out:
                continue
        elif category[0] == "C" or char in _INVISIBLE_LETTERS:
            if not (char in "\u200c\u200d" and _joins(text, index)):
                continue
        else:
            piled = 0
        out.append(char)
    at.append(len(out))
    shown = "".join(out).rstrip()
    moved = (Mark(at[min(m.start, len(text))], at[min(m.end, len(text))], m.term) for m in marks if m.start < m.end)
    return Passage(shown, _merge(moved, shown))


def _joins(text: str, index: int) -> bool:
    if not 0 < index < len(text) - 1:
        return False
    before, after = text[index - 1], text[index + 1]
    if text[index] == "\u200c":
        return before.isalpha() and after.isalpha()
    return unicodedata.category(after) == "So" and unicodedata.category(before) in ("So", "Sk", "Mn")


def _merge(marks: Iterable[Mark], text: str) -> tuple[Mark, ...]:
    """Trim marks to visible text, sort them, join those that overlap or touch across one blank."""
    merged: list[Mark] = []
    for mark in sorted(marks):
        start, end = mark.start, min(mark.end, len(text))
        while start < end and text[start] == " ":
            start += 1
        while end > start and text[end - 1] == " ":
            end -= 1
        if start >= end:
            continue
        if merged and start <= merged[-1].end + (text[merged[-1].end : merged[-1].end + 1] == " "):
            last = merged.pop()
            merged.append(Mark(last.start, max(last.end, end), last.term))
        else:
            merged.append(Mark(start, end, mark.term))
    return tuple(merged)


def cut(text: str, limit: int) -> str:
    """At most limit code points, ended by … at a word boundary where one is near; no letter loses its marks."""
    if len(text) <= limit:
        return text
    if limit < 2:
        return ELLIPSIS[:limit]
    return text[: _end_at(text, limit - 1)].rstrip(" ,،;؛:-–—") + ELLIPSIS


def _end_at(text: str, end: int) -> int:
    """The last place ≤ end where text may end: before a blank, else between two letters with their marks."""
    if end >= len(text):
        return len(text)
    blank = text.rfind(" ", max(0, end - 40), end + 1)
    if blank > 0:
        return blank
    while end > 1 and not _may_part(text, end):
        end -= 1
    return end


def _may_part(text: str, at: int) -> bool:
    after = text[at]
    return not (unicodedata.category(after)[0] == "M" or after == "\u200d" or text[at - 1] == "\u200d")


def around(passage: Passage, limit: int) -> Passage:
    """The window of at most limit code points that shows most different terms, then most marks, then comes first."""
    text, marks = passage.text, passage.marks
    if len(text) <= limit or not marks:
        shown = cut(text, limit)
        return Passage(
            shown, tuple(m for m in marks if m.end <= len(shown) and text[m.start : m.end] == shown[m.start : m.end])
        )
    first, last = _best(marks, max(limit - 40, limit // 2))
    left, right = marks[first].start, min(marks[last].end, marks[first].start + limit)
    spare = max(limit - (right - left) - 2, 0)
    start = _start_at(text, left, max(0, left - spare // 2), near=True)
    end = min(len(text), start + limit - (start > 0))
    end = max(_end_at(text, end - (end < len(text))), min(right, end))
    end = _whole_sentence(text, max(right, start + limit * 3 // 5), end)
    if end == len(text):  # room is left at the front
        start = _start_at(text, left, max(0, end - limit + 1))
    head, tail = (ELLIPSIS if start else ""), ("" if end == len(text) or _ends_sentence(text, end) else ELLIPSIS)
    body = text[start:end]
    shift = len(head) - start
    inside = (Mark(max(m.start, start) + shift, min(m.end, end) + shift, m.term) for m in marks)
    shown = f"{head}{body.rstrip()}{tail}"
    kept = (m for m in inside if len(head) <= m.start < m.end <= len(shown) - len(tail))
    return Passage(shown, _merge(kept, shown))


def _best(marks: Sequence[Mark], width: int) -> tuple[int, int]:
    best, score = (0, 0), (0, 0)
    last = 0
    for first in range(len(marks)):
        last = max(last, first)
        while last + 1 < len(marks) and marks[last + 1].end - marks[first].start <= width:
            last += 1
        reached = marks[first : last + 1]
        value = (len({m.term for m in reached}), len(reached))
        if value > score:
            best, score = (first, last), value
    return best


# Three letters or closing marks stand before the stop: «د. أحمد» and «5. ثم» end no sentence.
_SENTENCE_END = re.compile(r"(?<=[\w\"»”)]{3})[.!?؟…][\"»”)]?\s")


def _whole_sentence(text: str, earliest: int, end: int) -> int:
    """The last end of a sentence in [earliest, end], else end."""
    if end >= len(text):
        return end
    return max((found.end() - 1 for found in _SENTENCE_END.finditer(text, earliest, end + 1)), default=end)


def _ends_sentence(text: str, end: int) -> bool:
    return _SENTENCE_END.search(text, max(0, end - 2), end + 1) is not None


def _start_at(text: str, left: int, earliest: int, near: bool = False) -> int:
    """A place in [earliest, left] to begin: a sentence's start (near: the last one), else a word's, else left."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text, earliest, left + 1) if found.end() <= left]
    if near and ends:
        return ends[-1]
    if earliest <= 0:
        return 0
    if ends:
        return ends[0]
    blank = text.find(" ", earliest, left)
    if blank >= 0:
        return blank + 1
    while left > earliest and not _may_part(text, left):
        left -= 1
    return left


# ── direction ────────────────────────────────────────────────────────────────────────────────────────────────────

_RTL, _LTR = frozenset({"R", "AL"}), frozenset({"L"})


def is_rtl(text: str, default: bool = False) -> bool:
    """Whether most letters of a text run right to left; default where it has none."""
    right = left = 0
    for char in text[:2000]:
        kind = unicodedata.bidirectional(char)
        right += kind in _RTL
        left += kind in _LTR
    return default if right == left == 0 else right >= left


def _foreign_runs(text: str, rtl: bool) -> list[tuple[int, int]]:
    """The runs of the other direction's letters, with the digits and joints inside them (Shahed-136, BBC News)."""
    ours, theirs = (_RTL, _LTR) if rtl else (_LTR, _RTL)
    runs: list[tuple[int, int]] = []
    start = end = -1
    gap_blank = False
    for index, char in enumerate(text):
        kind = unicodedata.bidirectional(char)
        if kind in theirs:
            if start < 0:
                start = _with_number_before(text, index)
            end, gap_blank = index + 1, False
        elif start >= 0:
            if kind in ours or kind == "B" or index - end > 2:
                runs.append((start, end))
                start = -1
            elif char == " ":
                gap_blank = True
            elif kind in ("NSM",) or (char.isdigit() and not gap_blank):
                end = index + 1
    if start >= 0:
        runs.append((start, end))
    return runs


def _with_number_before(text: str, index: int) -> int:
    start = index
    while start > 0 and (text[start - 1].isascii() and (text[start - 1].isdigit() or text[start - 1] in "@#-$")):
        start -= 1
    return start


def isolate(passage: Passage, rtl: bool) -> Passage:
    """Put FSI…PDI around runs of the other direction, and RLM first where an Arabic line would else begin as Latin."""
    runs = _foreign_runs(passage.text, rtl)
    inserts: list[tuple[int, str]] = []
    for start, end in runs:
        inserts += [(start, FSI), (end, PDI)]
    if rtl and begins_foreign(passage.text):
        inserts.insert(0, (0, RLM))
    if not inserts:
        return passage
    pieces: list[str] = []
    done = 0
    for at, char in inserts:
        pieces += [passage.text[done:at], char]
        done = at
    pieces.append(passage.text[done:])
    opens = [at for at, char in inserts if char != PDI]
    closes = [at for at, char in inserts if char == PDI]
    marks = tuple(
        Mark(
            m.start + bisect_right(opens, m.start) + bisect_right(closes, m.start),
            m.end + bisect_right(opens, m.end - 1) + bisect_right(closes, m.end - 1),
            m.term,
        )
        for m in passage.marks
    )
    return Passage("".join(pieces), marks)


def begins_foreign(text: str) -> bool:
    """Whether the first letter runs left to right, or there is none in a text that is not empty."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in _RTL:
            return False
        if kind in _LTR:
            return True
    return bool(text)


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def to_html(passage: Passage, most_marks: int = 30) -> str:
    """Escaped text with the marks in bold. At most most_marks: Telegram drops all entities past the hundredth."""
    pieces: list[str] = []
    done = 0
    for start, end, _ in passage.marks[:most_marks]:
        pieces += [escape(passage.text[done:start]), "<b>", escape(passage.text[start:end]), "</b>"]
        done = end
    pieces.append(escape(passage.text[done:]))
    return "".join(pieces)


_UNSAFE_IN_URL = re.compile(r"[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e\u00a1-\U0010ffff]")
LONGEST_URL = 2000


def safe_url(url: str) -> str:
    """An http(s) URL fit for an href or a line of its own; "" where it is none or too long."""
    url = "".join(c for c in url.strip() if unicodedata.category(c)[0] != "C")
    if not re.match(r"https?://[^/\s?#]", url, re.IGNORECASE):
        return ""
    url = _UNSAFE_IN_URL.sub(lambda found: "".join(f"%{b:02X}" for b in found.group().encode()), url)
    return url if len(url) <= LONGEST_URL else ""
