"""An article as the matcher sees it: for every field the positions of each atom, and more only when a rule asks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Literal

from monitor.arabic.normalise import Folded, fold_text
from monitor.arabic.tokens import places, runs, tokenise, trimmed, word
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

    __slots__ = ("_bounds", "_folded", "_positions", "_units", "present", "size", "text", "words")

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text = text
        self._bounds: list[tuple[int, int]] | None = None
        self._folded: Folded | None = None
        self._positions: dict[int, list[int]] = {}
        self._units: dict[str, list[int]] = {}
        chunks = text.replace("_", " ").split()
        self.words = list(chain.from_iterable(map(lexicon.memory.__getitem__, chunks)))
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
        if self._bounds is None:
            self._bounds = places(self.text)
            if len(self._bounds) != self.size:
                self._bounds = [at for raw, at in zip(runs(self.text), self._bounds, strict=True) if word(raw)]
        return self._bounds

    def code_points(self, first: int, last: int) -> tuple[int, int]:
        """Where the words [first, last] stand in the text: [start, end)."""
        bounds = self._places()
        return bounds[first][0], trimmed(self.text, bounds[last][1])

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
