"""An article as the matcher sees it: all atoms that occur; where they stand, and more, only when a rule asks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, chain, islice
from operator import itemgetter
from typing import Literal

from monitor.arabic.normalise import Folded, fold_text
from monitor.arabic.tokens import WORD, tokenise, trimmed, word
from monitor.matching.lexicon import Memory, Several
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
    """One field: its text in chunks, which are what stands between spaces; the rest is worked out when asked for."""

    __slots__ = (
        "_bounds",
        "_chunk_ends",
        "_chunk_starts",
        "_chunks",
        "_folded",
        "_index",
        "_units",
        "_words",
        "parts",
        "text",
        "wanted",
    )

    def __init__(self, text: str, memory: Memory) -> None:
        self.text = text
        self._chunks = text.replace("_", " ").split()
        self.parts = list(map(memory.__getitem__, self._chunks))  # the atoms of each chunk
        self._words: list[tuple[int, ...]] | None = None
        self._index: dict[int, list[int]] | None = None
        self.wanted: Collection[int] | None = None  # atoms that may be asked for; None: any
        self._bounds: list[tuple[int, int]] = []
        self._folded: Folded | None = None
        self._units: dict[str, list[int]] = {}
        self._chunk_ends: list[int] = []  # the number of words up to the end of each chunk
        self._chunk_starts: list[int] = []  # code points before each chunk

    @property
    def words(self) -> list[tuple[int, ...]]:
        """The atoms of each word."""
        if self._words is None:
            self._words = []
            for part in self.parts:
                if type(part) is Several:
                    self._words += part.words
                else:
                    self._words.append(part)
        return self._words

    def index(self) -> Mapping[int, Sequence[int]]:
        """The positions of each atom that occurs and is wanted, ascending."""
        if self._index is None:
            index = self._index = {}
            wanted = self.wanted
            for at, atoms in enumerate(self.words):
                for atom in atoms:
                    if atom in index:
                        index[atom].append(at)
                    elif wanted is None or atom in wanted:
                        index[atom] = [at]
        return self._index

    def at(self, atom: int, low: int, high: int) -> Sequence[int]:
        """The positions of an atom in [low, high), ascending."""
        index = self.index() if self._index is None else self._index
        found = index.get(atom)
        if found is None:
            return ()
        if low <= 0 and high > found[-1]:
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
        start, end = self._place(first)
        if last != first:
            _, end = self._place(last)
        return start, trimmed(self.text, end)

    def _place(self, number: int) -> tuple[int, int]:
        """Where one word stands, by its chunk: cutting the whole text again for a hit or two costs three times that."""
        if not self._chunk_ends:
            sizes = (len(part.words) if type(part) is Several else 1 for part in self.parts)
            self._chunk_ends = list(accumulate(sizes))
            self._chunk_starts = self._starts()
        index = bisect_right(self._chunk_ends, number)
        chunk, offset = self._chunks[index], self._chunk_starts[index]
        if chunk.isalnum() and type(self.parts[index]) is not Several:
            return offset, offset + len(chunk)
        if len(chunk) > _SHORT:
            return self._places()[number]
        within = number - (self._chunk_ends[index - 1] if index else 0)
        runs = (at.span() for at in WORD.finditer(chunk) if word(at[0]))
        start, end = next(islice(runs, within, None))
        return offset + start, offset + end

    def _starts(self) -> list[int]:
        """Where the chunks begin; between two of them stands nothing but spaces."""
        sizes = list(map(len, self._chunks))
        if sum(sizes) + len(sizes) - 1 == len(self.text):  # one space each
            return [before + spaces for spaces, before in enumerate(accumulate(sizes[:-1], initial=0))]
        text, at, starts = self.text.replace("_", " "), 0, []
        for chunk, size in zip(self._chunks, sizes, strict=True):
            starts.append(text.index(chunk, at))
            at = starts[-1] + size
        return starts

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

    def __init__(self, article: Article, outlet: Outlet | None, memory: Memory, used: Collection[int]) -> None:
        self.article = article
        self.fields = {field: FieldView(field_text(article, outlet, FIELDS[field])[:LONGEST], memory) for field in used}
        text = BODY if article.body.strip() else SUMMARY
        self.lead: Scope = {TITLE: (0, END), text: (0, LEAD_WORDS)}
        parts = (self.fields[field].parts for field in DEFAULT_FIELDS)
        self.present: set[int] = set().union(*filter(None, chain.from_iterable(parts)))  # the atoms of these fields
        self.atoms = self.present  # … and of all
        if len(used) > len(DEFAULT_FIELDS):
            others = (self.fields[field].parts for field in used if field > BODY)
            self.atoms = self.present.union(*filter(None, chain.from_iterable(others)))

    def look_for(self, atoms: Collection[int]) -> None:
        """Only these atoms will be asked for."""
        for field in self.fields.values():
            field.wanted = atoms

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
