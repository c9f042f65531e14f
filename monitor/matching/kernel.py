"""kernel.c from Python: the compiled half of the matcher, where it was built. The language is all on this side."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import weakref
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache, partial
from itertools import chain
from operator import itemgetter
from pathlib import Path

from monitor.arabic.function_words import FUNCTION_WORDS
from monitor.arabic.loose import sound
from monitor.arabic.normalise import INVISIBLE, MARKS, fold, soft
from monitor.arabic.pronouns import LAST_OF_PRONOUNS, PRONOUNS
from monitor.arabic.run_on import BEFORE, BEHIND
from monitor.arabic.tokens import PROCLITICS
from monitor.matching import nodes
from monitor.matching.flat import flat
from monitor.matching.lexicon import HOST, OBJECT, PUNCTUATION, Lexicon, is_plain
from monitor.matching.spans import MAX_SPANS
from monitor.matching.view import BODY, LEAD_WORDS
from monitor.model import FIELDS, Span

FILE, SOURCE = (Path(__file__).with_name(name) for name in ("libkernel.so", "kernel.c"))
_KEPT = 2_000_000  # numbers of remembered chunks, twice: 16 MB
_PREFIX, _SUFFIX, _SOUND, _BEHIND, _BEFORE, _GRAMMAR, _OTHER = range(1, 8)
_LETTER, _LAST, _PRONOUN, _JOINS = 1, 2, 4, 8
_EDGE, _HANGS, _UNSEEN, _SPACE, _MARGIN = 1, 2, 4, 8, 0x2100
_MARK, _INVISIBLE = (re.compile(f"[{those}]").match for those in (f"{MARKS}{INVISIBLE}", INVISIBLE))
_ARABIC = [chr(code) for code in range(0x600, 0x700)]
_CODE_POINTS = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
_Numbers = ctypes.POINTER(ctypes.c_int32)
_span = partial(tuple.__new__, Span)  # Span._make takes thrice as long


@cache
def library() -> ctypes.CDLL | None:
    """The compiled library; None where it was not built from the kernel.c that stands here."""
    if not FILE.exists():
        return None
    found = ctypes.CDLL(str(FILE))
    try:
        told = found.rasid_source
    except AttributeError:
        return None
    told.restype = ctypes.c_uint32
    if told() != zlib.crc32(SOURCE.read_bytes()):
        return None
    kernel, bits, signed, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_uint64
    out = ctypes.POINTER(_Numbers)
    for name, result, *taken in (
        ("new", kernel, size, bits, bits, bits, bits, bits, signed, signed, size),
        ("free", None, kernel),
        ("expect_so_many", signed, kernel, size, signed),
        ("affixes", signed, kernel, bits, signed, bits, signed),
        ("expect", None, kernel, signed, bits, size),
        ("forms", signed, kernel, bits, size, bits, size, size),
        ("rules", signed, kernel, signed, signed, bits, size, bits, bits, bits, size),
        ("anchors", signed, kernel, bits, bits, size, bits, signed),
        ("begin", signed, kernel),
        ("cut", signed, kernel, signed, bits, size, out),
        ("learn", signed, kernel, signed, signed, signed, bits, size),
        ("match", signed, kernel, signed, out, out),
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
        self._places = _Numbers()
        self._at_out, self._at_places = ctypes.byref(self._out), ctypes.byref(self._places)
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
        c, kernel = self._c, self._kernel
        proclitics = [_affix(text, cut, mode) for text, cut, mode in sorted(PROCLITICS)]
        pronouns = [_affix(text, 0, HOST) for text in PRONOUNS] + [_affix("ني", 0, OBJECT)]
        _checked(c.rasid_affixes(kernel, b"".join(proclitics), len(proclitics), b"".join(pronouns), len(pronouns)))
        forms, prefixes, suffixes, gists, others, anything = self._lexicon.vocabulary()
        known: dict[int, Set[str]] = {_PREFIX: prefixes, _SUFFIX: suffixes, _SOUND: gists, _OTHER: others}
        known |= {_BEHIND: BEHIND, _BEFORE: BEFORE, _GRAMMAR: FUNCTION_WORDS}
        _checked(c.rasid_expect_so_many(kernel, len(forms) + sum(map(len, known.values())), anything))
        for kind, texts in known.items():
            c.rasid_expect(kernel, kind, *_lines(texts))
        ways = array("i", [0, *chain.from_iterable((len(ways), *ways) for ways in forms.values())])
        _checked(c.rasid_forms(kernel, *_lines(forms), ways.tobytes(), len(ways), len(forms)))

    def anchor(self, anchors: Mapping[int, Sequence[tuple[int, Sequence[int]]]], always: Sequence[int]) -> None:
        """Which rules an atom makes worth asking, each with the atoms of which one must occur too; which always are."""
        first, postings = array("i"), array("i")
        for atom in range(self._atoms):
            first.append(len(postings))
            for rule, need in anchors.get(atom, ()):
                postings.extend((rule, len(need), *need))
        first.append(len(postings))
        _checked(
            self._c.rasid_anchors(
                self._kernel, first.tobytes(), postings.tobytes(), len(postings), array("i", always).tobytes(),
                len(always),
            )
        )  # fmt: skip

    def match(self, texts: Iterable[tuple[int, str]], lead: int = BODY) -> list[tuple[int, tuple[Span, ...] | None]]:
        """The rules that hold, ascending, each with its spans; None: it may hold, and all of its query must be asked.

        texts: the fields, ascending. lead: the one whose first words belong to the lead.
        """
        self.cut(texts)
        size = _checked(self._c.rasid_match(self._kernel, lead, self._at_out, self._at_places))
        return self._read(self._out[:size]) if size else []

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
        """What chunks are that were never met before and that forms do not settle: field, start and size of each."""
        for at in range(0, len(unknown), 3):
            field, start, size = unknown[at : at + 3]
            words = self._lexicon.words_in(text[start : start + size])
            data = array("i", [len(words)])
            for begin, end, atoms in words:
                known = [atom for atom in atoms if atom < self._atoms]  # others came after the rules of this kernel
                data.extend((begin, end, len(known), *known))
            _checked(self._c.rasid_learn(self._kernel, field, start, size, data.tobytes(), len(data)))

    def _read(self, numbers: Sequence[int]) -> list[tuple[int, tuple[Span, ...] | None]]:
        """From [rule, number of its places] and, of each place, [field, start, end, label]."""
        rules, counts = numbers[::2], numbers[1::2]
        size = 4 * sum(count for count in counts if count > 0)
        fields, starts, ends, labels = (self._places[part:size:4] if size else () for part in range(4))
        names, terms = map(FIELDS.__getitem__, fields), map(self._labels.__getitem__, labels)
        spans = tuple(map(_span, zip(names, starts, ends, terms, strict=True)))
        found: list[tuple[int, tuple[Span, ...] | None]] = []
        at = 0
        for rule, count in zip(rules, counts, strict=True):
            found.append((rule, spans[at : at + count] if count >= 0 else None))
            at += max(count, 0)
        found.sort(key=itemgetter(0))
        return found


def _checked(answer: int) -> int:
    if answer < 0:
        raise MemoryError("no memory is left to match an article")
    return answer


def _affix(text: str, cut: int, way: int) -> bytes:
    return bytes(ord(letter) - 0x600 for letter in text).ljust(4, b"\0") + bytes((len(text), cut, way))


def _lines(texts: Iterable[str]) -> tuple[bytes, int]:
    text = "".join(f"{one}\n" for one in texts)
    return _encoded(text), len(text)


def _encoded(text: str) -> bytes:
    return text.encode(_CODE_POINTS, "surrogatepass")


@cache
def _margin() -> bytes:
    """What is no part of a word's spelling: what stands about it, and marks, but for those that make another letter."""
    marks = {
        code for code in range(_MARGIN) if _MARK(chr(code)) and all(soft(f"{one}{chr(code)}") == one for one in "اوي")
    }
    edges = set(map(ord, PUNCTUATION))
    unseen = {code for code in marks if _INVISIBLE(chr(code))}
    spaces = {code for code in range(_MARGIN) if chr(code).isspace() or chr(code) == "_"}
    kinds = ((_EDGE, edges), (_HANGS, marks), (_UNSEEN, unseen), (_SPACE, spaces))
    return bytes(sum(kind for kind, those in kinds if code in those) for code in range(_MARGIN))


@cache
def _letters() -> tuple[bytes, bytes, bytes]:
    """What each letter may be in a word, its sound, and what it is folded to."""
    kinds = (
        (_LETTER, is_plain),
        (_LAST, lambda letter: is_plain(f"ا{letter}")),
        (_PRONOUN, lambda letter: fold(letter) in {*LAST_OF_PRONOUNS, "ي"}),
        (_JOINS, "وف".__contains__),
    )
    letters = bytes(sum(kind for kind, is_so in kinds if is_so(letter)) for letter in _ARABIC)
    sounds, folded = (bytes(ord(to(one) or "\u0600") - 0x600 for one in _ARABIC) for to in (sound, fold))
    return letters, sounds, folded
