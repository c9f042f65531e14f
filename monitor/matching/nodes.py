"""A compiled query: each node finds its places in an article. Built by compile.py from the tree of tree.py.

`find` gives None where the node does not hold, else its places (none for Not, or where nothing is to be shown), not
yet `merged`: that is for whoever compares places.
`holds` is the same question without the places, asked first because most candidates fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from monitor.matching.places import Leaf, Place, apart, in_a_row, merged, near, windows
from monitor.matching.view import EVERYWHERE, ArticleView, FieldView, Scope

MAX_REGEX_MATCHES = 500  # of one expression in one field
Anchors = frozenset[int] | None  # atoms one of which occurs in every article that matches; None: no such set


class Compiled:
    """Base of all nodes. anchors is set by the compiler."""

    anchors: Anchors = None

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        raise NotImplementedError

    def holds(self, view: ArticleView, scope: Scope) -> bool:
        return self.find(view, scope) is not None

    def score(self, view: ArticleView, scope: Scope) -> float:
        """The weights of the Score nodes that hold, added up."""
        return 0.0


@dataclass(slots=True, eq=False)
class Word(Compiled):
    atom: int
    label: str
    anchors: Anchors = None

    def holds(self, view: ArticleView, scope: Scope) -> bool:
        if scope is EVERYWHERE:
            return self.atom in view.present
        return any(view.fields[field].at(self.atom, *scope[field]) for field in scope)

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        label = self.label
        return [
            Place(field, at, at, (Leaf(field, at, at, label),))
            for field, (low, high) in scope.items()
            for at in view.fields[field].at(self.atom, low, high)
        ] or None


@dataclass(slots=True, eq=False)
class Row(Compiled):
    """A phrase: with slop 0 words in a row, else words in any order with `slop` others between them."""

    atoms: tuple[int, ...]
    slop: int
    label: str
    anchors: Anchors = None
    rarest: int = 0  # the index of the atom to look for first

    def _ranges(self, view: ArticleView, scope: Scope) -> Iterator[tuple[int, int, int]]:
        rarest = self.rarest  # read once: another matcher may change it meanwhile
        for field, (low, high) in scope.items():
            there = view.fields[field]
            if self.slop:
                lists = [there.at(atom, low, high) for atom in self.atoms]
                yield from ((field, first, last) for first, last in windows(lists, self.slop))
                continue
            rest = len(self.atoms) - 1 - rarest  # words of the row behind its rarest one
            places = there.at(self.atoms[rarest], low + rarest if low else 0, high - rest)
            for first in in_a_row(self.atoms, rarest, places, there.words) if places else ():
                yield field, first, first + len(self.atoms) - 1

    def holds(self, view: ArticleView, scope: Scope) -> bool:
        if not view.atoms.issuperset(self.atoms):
            return False
        return next(self._ranges(view, scope), None) is not None

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        return [Place(*found, (Leaf(*found, self.label),)) for found in self._ranges(view, scope)] or None


@dataclass(slots=True, eq=False)
class Never(Compiled):
    """A term without a letter or digit."""

    anchors: Anchors = frozenset()

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        return None


@dataclass(slots=True, eq=False)
class All(Compiled):
    """Holds where all children do. order: the same children, those that are the quickest to ask first."""

    children: tuple[Compiled, ...]
    anchors: Anchors = None
    order: tuple[Compiled, ...] = ()

    def holds(self, view: ArticleView, scope: Scope) -> bool:
        for child in self.order or self.children:  # noqa: SIM110 - hot, and generators cost
            if not child.holds(view, scope):
                return False
        return True

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        found: list[Place] = []
        for child in self.children:
            places = child.find(view, scope)
            if places is None:
                return None
            found += places
        return found

    def score(self, view: ArticleView, scope: Scope) -> float:
        return sum(child.score(view, scope) for child in self.children)


@dataclass(slots=True, eq=False)
class Any_(Compiled):
    children: tuple[Compiled, ...]
    anchors: Anchors = None

    def holds(self, view: ArticleView, scope: Scope) -> bool:
        anchors = self.anchors
        if anchors is not None and view.atoms.isdisjoint(anchors):
            return False
        for child in self.children:  # noqa: SIM110 - as above
            if child.holds(view, scope):
                return True
        return False

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        found: list[Place] | None = None
        for child in self.children:
            places = child.find(view, scope)
            if places is not None:
                found = places if found is None else found + places
        return found

    def score(self, view: ArticleView, scope: Scope) -> float:
        return sum(child.score(view, scope) for child in self.children if child.holds(view, scope))


@dataclass(slots=True, eq=False)
class Unless(Compiled):
    """Not: holds where the child does not, and shows nothing."""

    child: Compiled
    anchors: Anchors = None

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        return None if self.child.holds(view, scope) else []


@dataclass(slots=True, eq=False)
class Close(Compiled):
    left: Compiled
    right: Compiled
    words: int
    ordered: bool
    anchors: Anchors = None

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        left = self.left.find(view, scope)
        right = self.right.find(view, scope) if left else None
        return (near(merged(left), merged(right), self.words, self.ordered) or None) if left and right else None


@dataclass(slots=True, eq=False)
class Apart(Compiled):
    """`a NEAR/3 NOT b`: the places of a with no b near. direction as in places.apart."""

    kept: Compiled
    banned: Compiled
    words: int
    direction: int
    anchors: Anchors = None

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        kept = self.kept.find(view, scope)
        if not kept:
            return None
        return apart(kept, self.banned.find(view, scope) or (), self.words, self.direction) or None


@dataclass(slots=True, eq=False)
class Together(Compiled):
    """Both children in one sentence or paragraph: each such unit is searched as if it were the whole article."""

    left: Compiled
    right: Compiled
    unit: Literal["sentence", "paragraph"]
    anchors: Anchors = None

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        found: list[Place] = []
        held = False
        for field, (low, high) in scope.items():
            for start, end in self._units(view.fields[field], low, high):
                there: Scope = {field: (start, end)}
                left = self.left.find(view, there)
                right = self.right.find(view, there) if left is not None else None
                if left is not None and right is not None:
                    held = True
                    found += left + right
        return found if held else None

    def _units(self, there: FieldView, low: int, high: int) -> Iterator[tuple[int, int]]:
        """The words [start, end) of each unit that may hold, by its anchors where there are any."""
        high = min(high, len(there.words))
        anchors = self.anchors
        if low >= high or (anchors is not None and anchors.isdisjoint(there.index())):
            return
        numbers = there.units(self.unit)
        starts: dict[int, int] = {}
        for at in range(low, high):
            starts.setdefault(numbers[at], at)
        wanted: Iterable[int] = starts
        if anchors is not None:
            wanted = sorted({numbers[at] for atom in anchors for at in there.at(atom, low, high)})
        for number in wanted:
            following = starts.get(number + 1, high)
            yield starts[number], following


@dataclass(slots=True, eq=False)
class Count(Compiled):
    """ATLEAST: the child holds at `count` different places or more."""

    count: int
    child: Compiled
    anchors: Anchors = None

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        places = merged(self.child.find(view, scope) or ())
        return places if len(places) >= self.count else None

    def score(self, view: ArticleView, scope: Scope) -> float:
        return self.child.score(view, scope) if self.child.holds(view, scope) else 0.0  # ATLEAST/0 holds without it


@dataclass(slots=True, eq=False)
class In(Compiled):
    """A scope: the child is looked for in one field only."""

    field: str
    child: Compiled
    anchors: Anchors = None

    def holds(self, view: ArticleView, scope: Scope) -> bool:
        return self.child.holds(view, view.narrow(scope, self.field))

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        return self.child.find(view, view.narrow(scope, self.field))

    def score(self, view: ArticleView, scope: Scope) -> float:
        return self.child.score(view, view.narrow(scope, self.field))


@dataclass(slots=True, eq=False)
class Pattern(Compiled):
    """A regular expression over the folded text of each field. finditer: of the compiled RE2 object."""

    finditer: Callable[[str], Iterable[Any]]
    label: str
    anchors: Anchors = None

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        found: list[Place] = []
        for field, (low, high) in scope.items():
            there = view.fields[field]
            folded = there.folded()
            whole = low <= 0 and high >= len(there.words)
            if not folded.text:
                continue
            for count, match in enumerate(self.finditer(folded.text)):
                if count >= MAX_REGEX_MATCHES:
                    break
                shown = match.group().strip()  # the space that an expression begins with is no part of what is shown
                if not shown:
                    continue
                begin = match.start() + match.group().index(shown)
                start, end = folded.original(begin, begin + len(shown))
                first, last = there.words_at(start, end)
                if whole or (low <= first and max(first, last) < high):
                    found.append(Place(field, first, last, (Leaf(field, first, last, self.label, start, end),)))
        return merged(found) or None


@dataclass(slots=True, eq=False)
class Weigh(Compiled):
    weights: tuple[tuple[Compiled, float], ...]
    threshold: float
    anchors: Anchors = None

    def find(self, view: ArticleView, scope: Scope) -> list[Place] | None:
        found: list[Place] = []
        total = 0.0
        for child, weight in self.weights:
            places = child.find(view, scope)
            if places is not None:
                total += weight
                found += places
        return found if total >= self.threshold else None

    def score(self, view: ArticleView, scope: Scope) -> float:
        total = sum((weight for child, weight in self.weights if child.holds(view, scope)), 0.0)
        return total if total >= self.threshold else 0.0
