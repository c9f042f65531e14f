"""An article as the matcher sees it: for every field the positions of each atom, and more only when a rule asks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, chain, islice
from operator import itemgetter
from typing import Literal

from monitor.arabic.normalise import Folded, fold_text
from monitor.arabic.tokens import WORD, tokenise, trimmed, word
from monitor.matching.lexicon import Lexicon
from monitor.model import FIELDS, Article, Outlet

TITLE, SUMMARY, BODY, AUTHOR, TAGS, URL, OUTLET, LANGUAGE = range(len(FIELDS))
DEFAULT_FIELDS = (TITLE, SUMMARY, BODY)
FIELD_OF: Mapping[str, int] = {
    **{"title": TITLE, "summary": SUMMARY, "body": BODY, "author": AUTHOR, "tag": TAGS, "tags": TAGS, "url": URL},
    **{"outlet": OUTLET, "lang": LANGUAGE, "language": LANGUAGE},
}
LEAD_WORDS = 50
LONGEST = 200_000  # code points of a field that are searched: more than any report has, and a flood ends there
END = 1 << 60
_SHORT = 200
Scope = dict[int, tuple[int, int]]  # field → the words [low, high) looked at
EVERYWHERE: Scope = dict.fromkeys(DEFAULT_FIELDS, (0, END))


def field_text(article: Article, outlet: Outlet | None, field: str) -> str:
    """The text that the spans of a field are places of; "outlet" is id, Arabic and English name with " | " between."""
    if field == "tags":
        return " | ".join(article.tags)
    if field == "outlet":
        names = (outlet.name_ar, outlet.name_en) if outlet else ()
        return " | ".join(dict.fromkeys((article.outlet_id, *names)))
    return str(getattr(article, field))


class FieldView:
    """One field. words: the atoms of each word; present: the atoms of all of them."""

    __slots__ = (
        "_bounds",
        "_chunk_ends",
        "_chunk_starts",
        "_chunks",
        "_folded",
        "_parts",
        "_positions",
        "_units",
        "present",
        "size",
        "text",
        "words",
    )

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text = text
        self._bounds: list[tuple[int, int]] = []
        self._folded: Folded | None = None
        self._positions: dict[int, list[int]] = {}
        self._units: dict[str, list[int]] = {}
        self._chunks = text.replace("_", " ").split()
        self._parts = list(map(lexicon.memory.__getitem__, self._chunks))  # of each chunk, its words
        self._chunk_ends: list[int] | None = None  # the number of words up to the end of each chunk
        self._chunk_starts: list[int] = []  # code points before each chunk, spaces left out
        self.words = list(chain.from_iterable(self._parts))
        self.present: set[int] = set().union(*filter(None, self.words))
        self.size = len(self.words)

    def at(self, atom: int, low: int, high: int) -> Sequence[int]:
        """The positions of an atom in [low, high), ascending."""
        if atom not in self.present:
            return ()
        found = self._positions.get(atom)
        if found is None:
            found = self._positions[atom] = [at for at, atoms in enumerate(self.words) if atom in atoms]
        if low <= 0 and high >= self.size:
            return found
        return found[bisect_left(found, low) : bisect_left(found, high)]

    def _places(self) -> list[tuple[int, int]]:
        """Where all the words stand."""
        if not self._bounds:
            found = WORD.finditer(self.text.replace("_", " "))
            self._bounds = [at.span() for at in found if word(at[0])]
        return self._bounds

    def code_points(self, first: int, last: int) -> tuple[int, int]:
        """Where the words [first, last] stand in the text: [start, end)."""
        return self._place(first)[0], trimmed(self.text, self._place(last)[1])

    def _place(self, number: int) -> tuple[int, int]:
        """Where one word stands, by its chunk: cutting the whole text again for a hit or two costs three times that."""
        if self._chunk_ends is None:
            self._chunk_ends = list(accumulate(map(len, self._parts)))
            lengths = list(map(len, self._chunks))
            if sum(lengths) + len(lengths) - 1 == len(self.text) and max(lengths) <= _SHORT:
                self._chunk_starts = list(accumulate(lengths, initial=0))
        if not self._chunk_starts:  # spaces in a row, or hardly any
            return self._places()[number]
        index = bisect_right(self._chunk_ends, number)
        within = number - (self._chunk_ends[index - 1] if index else 0)
        runs = (at.span() for at in WORD.finditer(self._chunks[index]) if word(at[0]))
        start, end = next(islice(runs, within, None))
        offset = self._chunk_starts[index] + index
        return offset + start, offset + end

    def units(self, unit: Literal["sentence", "paragraph"]) -> list[int]:
        """The number of the sentence or paragraph of each word."""
        if not self._units:
            tokens = tokenise(self.text)
            self._units = {"sentence": [t.sentence for t in tokens], "paragraph": [t.paragraph for t in tokens]}
        return self._units[unit]

    def folded(self) -> Folded:
        if self._folded is None:
            self._folded = fold_text(self.text)
        return self._folded

    def words_at(self, start: int, end: int) -> tuple[int, int]:
        """The first and last word that code points [start, end) touch; last < first between two words."""
        bounds = self._places()
        return bisect_right(bounds, start, key=itemgetter(1)), bisect_left(bounds, end, key=itemgetter(0)) - 1


class ArticleView:
    """All fields that some rule looks at."""

    __slots__ = ("article", "atoms", "fields", "lead", "present")

    def __init__(self, article: Article, outlet: Outlet | None, lexicon: Lexicon, used: Collection[int]) -> None:
        self.article = article
        self.fields = {
            field: FieldView(field_text(article, outlet, FIELDS[field])[:LONGEST], lexicon) for field in used
        }
        text = BODY if article.body.strip() else SUMMARY
        self.lead: Scope = {TITLE: (0, END), text: (0, LEAD_WORDS)}
        self.present = set().union(*(self.fields[field].present for field in DEFAULT_FIELDS))  # atoms of these
        self.atoms = self.present.union(*(self.fields[field].present for field in used if field > BODY))

    def narrow(self, scope: Scope, name: str) -> Scope:
        """What of a scope lies in a field named in a query; the outermost name may be of any field."""
        wanted = self.lead if name == "lead" else {FIELD_OF[name]: (0, END)}
        if scope is EVERYWHERE:
            return wanted
        return {
            field: (max(low, wanted[field][0]), min(high, wanted[field][1]))
            for field, (low, high) in scope.items()
            if field in wanted
        }
