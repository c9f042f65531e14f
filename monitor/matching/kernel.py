"""kernel.c from Python: the compiled half of the matcher, where it was built. The language is all on this side."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import weakref
from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path

from monitor.arabic.loose import sound
from monitor.arabic.normalise import INVISIBLE, MARKS, fold, soft
from monitor.arabic.pronouns import LAST_OF_PRONOUNS
from monitor.arabic.run_on import BEFORE, BEHIND
from monitor.arabic.tokens import PROCLITICS
from monitor.matching import nodes
from monitor.matching.flat import flat
from monitor.matching.lexicon import PUNCTUATION, Lexicon, is_plain
from monitor.matching.spans import MAX_SPANS
from monitor.matching.view import BODY, LEAD_WORDS
from monitor.model import FIELDS, Span

FILE = Path(__file__).with_name("libkernel.so")
_VERSION = 1  # of what kernel.c and this file say to each other
_KEPT = 2_000_000  # numbers of remembered chunks, twice: 16 MB
_FORM, _PREFIX, _SUFFIX, _SOUND, _BEHIND, _BEFORE = range(6)
_LETTER, _LAST, _PROCLITIC, _PRONOUN, _JOINS = 1, 2, 4, 8, 16
_EDGE, _HANGS, _MARGIN = 1, 2, 0x2100
_MARK = re.compile(f"[{MARKS}{INVISIBLE}]").match
_ARABIC = [chr(code) for code in range(0x600, 0x700)]
_CODE_POINTS = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
_Numbers = ctypes.POINTER(ctypes.c_int32)


@cache
def library() -> ctypes.CDLL | None:
    """The compiled library; None where it was not built."""
    if not FILE.exists():
        return None
    found = ctypes.CDLL(str(FILE))
    if found.rasid_version() != _VERSION:
        return None
    kernel, bits, signed, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_uint64
    out = ctypes.POINTER(_Numbers)
    for name, result, *taken in (
        ("new", kernel, size, bits, bits, bits, bits, bits, signed, signed, size),
        ("free", None, kernel),
        ("expect_so_many", signed, kernel, size, signed),
        ("expect", None, kernel, signed, bits, size),
        ("rules", signed, kernel, signed, signed, bits, size, bits, bits, bits, size),
        ("anchors", signed, kernel, bits, bits, size, bits, size, bits, signed),
        ("begin", signed, kernel),
        ("cut", signed, kernel, signed, bits, size, out),
        ("learn", signed, kernel, signed, signed, signed, bits, size),
        ("match", signed, kernel, signed, out),
        ("seen", signed, kernel, out),
    ):
        function = getattr(found, f"rasid_{name}")
        function.restype, function.argtypes = result, taken
    return found


class Kernel:
    """The queries of a matcher, compiled. Used by one thread at a time; MemoryError where there is none left.

    Raises OSError where the library was not built.
    """

    def __init__(self, lexicon: Lexicon, queries: Sequence[nodes.Compiled]) -> None:
        found = library()
        if found is None:
            raise OSError(f"{FILE} was not built")
        self._c = found
        self._lexicon = lexicon
        self._out = _Numbers()
        self._at_out = ctypes.byref(self._out)
        ranks = array("i", (sorted(FIELDS).index(field) for field in FIELDS))
        self._kernel = found.rasid_new(
            int.from_bytes(os.urandom(8)), *_letters(), _margin(), ranks.tobytes(),
            LEAD_WORDS, MAX_SPANS, _KEPT,
        )  # fmt: skip
        _checked(-1 if self._kernel is None else 0)
        weakref.finalize(self, found.rasid_free, self._kernel)
        self._expect()
        code, starts, pure, labels = flat(queries)
        self._labels = sorted(labels)
        rank = {label: number for number, label in enumerate(self._labels)}
        ranks = array("i", map(rank.__getitem__, labels))
        self._atoms = len(lexicon.words)
        _checked(
            found.rasid_rules(
                self._kernel, self._atoms, len(starts), code.tobytes(), len(code), starts.tobytes(), pure,
                ranks.tobytes(), len(ranks),
            )
        )  # fmt: skip

    def _expect(self) -> None:
        forms, prefixes, suffixes, gists, anything = self._lexicon.vocabulary()
        known = {_FORM: forms, _PREFIX: prefixes, _SUFFIX: suffixes, _SOUND: gists, _BEHIND: BEHIND, _BEFORE: BEFORE}
        _checked(self._c.rasid_expect_so_many(self._kernel, sum(map(len, known.values())), anything))
        for kind, texts in known.items():
            text = "".join(f"{one}\n" for one in texts)
            self._c.rasid_expect(self._kernel, kind, _encoded(text), len(text))

    def anchor(self, anchors: Mapping[int, Sequence[tuple[int, Sequence[int]]]], always: Sequence[int]) -> None:
        """Which rules an atom makes worth asking, each with the atoms of which one must occur too; which always are."""
        first, postings, needs = array("i"), array("i"), array("i")
        places: dict[Sequence[int], int] = {}
        for atom in range(self._atoms):
            first.append(len(postings) // 2)
            for rule, need in anchors.get(atom, ()):
                place = places.get(need)
                if place is None:
                    place = places[need] = len(needs)
                    needs.append(len(need))
                    needs.extend(need)
                postings.append(rule)
                postings.append(place)
        first.append(len(postings) // 2)
        _checked(
            self._c.rasid_anchors(
                self._kernel, first.tobytes(), postings.tobytes(), len(postings) // 2, needs.tobytes(), len(needs),
                array("i", always).tobytes(), len(always),
            )
        )  # fmt: skip

    def match(self, texts: Iterable[tuple[int, str]], lead: int = BODY) -> list[tuple[int, tuple[Span, ...] | None]]:
        """The rules that hold, ascending, each with its spans; None: it may hold, and all of its query must be asked.

        texts: the fields, ascending. lead: the one whose first words belong to the lead.
        """
        self.cut(texts)
        size = _checked(self._c.rasid_match(self._kernel, lead, self._at_out))
        return self._read(self._out[:size])

    def cut(self, texts: Iterable[tuple[int, str]]) -> None:
        """The first step of `match`: what the words of an article are."""
        _checked(self._c.rasid_begin(self._kernel))
        for field, text in texts:
            if text:
                unknown = _checked(self._c.rasid_cut(self._kernel, field, _encoded(text), len(text), self._at_out))
                if unknown:
                    self._learn(text, self._out[: 3 * unknown])

    def seen(self) -> list[int]:
        """The atoms of the article that was matched last."""
        size = self._c.rasid_seen(self._kernel, self._at_out)
        return self._out[:size] if size else []

    def _learn(self, text: str, unknown: Sequence[int]) -> None:
        """What chunks are that were never met before: field, start and size of each."""
        for at in range(0, len(unknown), 3):
            field, start, size = unknown[at : at + 3]
            words = self._lexicon.words_in(text[start : start + size])
            data = array("i", [len(words)])
            for begin, end, atoms in words:
                known = [atom for atom in atoms if atom < self._atoms]  # others came after the rules of this kernel
                data.extend((begin, end, len(known), *known))
            _checked(self._c.rasid_learn(self._kernel, field, start, size, data.tobytes(), len(data)))

    def _read(self, numbers: Sequence[int]) -> list[tuple[int, tuple[Span, ...] | None]]:
        found: list[tuple[int, tuple[Span, ...] | None]] = []
        labels, at = self._labels, 0
        while at < len(numbers):
            rule, count = numbers[at], numbers[at + 1]
            at += 2
            if count < 0:
                found.append((rule, None))
                continue
            end = at + 4 * count
            spans = []
            while at < end:
                field, start, stop, label = numbers[at : at + 4]
                spans.append(Span(FIELDS[field], start, stop, labels[label]))
                at += 4
            found.append((rule, tuple(spans)))
        found.sort(key=itemgetter(0))
        return found


def _checked(answer: int) -> int:
    if answer < 0:
        raise MemoryError("no memory is left to match an article")
    return answer


def _encoded(text: str) -> bytes:
    return text.encode(_CODE_POINTS, "surrogatepass")


@cache
def _margin() -> bytes:
    """What is no part of a word's spelling: punctuation about it, and marks, but for those that make another letter."""
    marks = {
        code for code in range(_MARGIN) if _MARK(chr(code)) and all(soft(f"{one}{chr(code)}") == one for one in "اوي")
    }
    edges = set(map(ord, PUNCTUATION))
    return bytes(_EDGE if code in edges else _HANGS if code in marks else 0 for code in range(_MARGIN))


@cache
def _letters() -> tuple[bytes, bytes, bytes]:
    """What each letter may be in a word, its sound, and what it is folded to."""
    kinds = (
        (_LETTER, is_plain),
        (_LAST, lambda letter: is_plain(f"ا{letter}")),
        (_PROCLITIC, PROCLITICS.__contains__),
        (_PRONOUN, {*LAST_OF_PRONOUNS, "ي"}.__contains__),
        (_JOINS, "وف".__contains__),
    )
    letters = bytes(sum(kind for kind, is_so in kinds if is_so(letter)) for letter in _ARABIC)
    sounds = array("H", (ord(sound(letter) or "\0") for letter in _ARABIC)).tobytes()
    return letters, sounds, array("H", (ord(fold(letter)) for letter in _ARABIC)).tobytes()
