"""Places: where a part of a query holds in an article, in words; and the sets of places that operators make of them.

A place covers the words [first, last] of one field; its leaves are what is shown to the reader. All functions are pure
and take time n log n at most, whatever the text.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple


class Leaf(NamedTuple):
    """One span to be: words [first, last], or code points [start, end) where start is not -1 (a regular expression)."""

    field: int
    first: int
    last: int
    term: str
    start: int = -1
    end: int = -1


class Place(NamedTuple):
    field: int
    first: int
    last: int
    leaves: tuple[Leaf, ...]


def merged(places: Iterable[Place]) -> list[Place]:
    """Sorted, and those of equal words made one that has the leaves of all."""
    found: dict[tuple[int, int, int], Place] = {}
    for place in places:
        key = place[:3]
        known = found.get(key)
        if known is None:
            found[key] = place
        elif known.leaves != place.leaves:
            found[key] = Place(*key, tuple(sorted({*known.leaves, *place.leaves})))
    return [found[key] for key in sorted(found)]


def _by_field(places: Sequence[Place]) -> dict[int, list[Place]]:
    fields: dict[int, list[Place]] = {}
    for place in places:
        fields.setdefault(place.field, []).append(place)
    return fields


def near(left: Sequence[Place], right: Sequence[Place], words: int, ordered: bool) -> list[Place]:
    """Every place of either side with the nearest of the other side, where at most `words` words lie between.

    Overlapping places are not near each other. The result covers both.
    """
    found: list[Place] = []
    rights = _by_field(right)
    for field, lefts in _by_field(left).items():
        if field in rights:
            found += _after(lefts, rights[field], words)
            found += _before(rights[field], lefts, words)
            if not ordered:
                found += _after(rights[field], lefts, words)
                found += _before(lefts, rights[field], words)
    return merged(found)


def _after(ones: list[Place], others: list[Place], words: int) -> list[Place]:
    """Each of `ones` with the first of `others` behind it."""
    others = sorted(others, key=lambda place: (place.first, place.last))
    firsts = [place.first for place in others]
    found = []
    for one in ones:
        at = bisect_right(firsts, one.last)
        if at < len(others) and firsts[at] - one.last - 1 <= words:
            found.append(_joined(one, others[at]))
    return found


def _before(ones: list[Place], others: list[Place], words: int) -> list[Place]:
    """Each of `ones` with the last of `others` before it."""
    others = sorted(others, key=lambda place: (place.last, place.first))
    lasts = [place.last for place in others]
    found = []
    for one in ones:
        at = bisect_left(lasts, one.first) - 1
        if at >= 0 and one.first - lasts[at] - 1 <= words:
            found.append(_joined(others[at], one))
    return found


def _joined(one: Place, other: Place) -> Place:
    leaves = tuple(sorted({*one.leaves, *other.leaves}))
    return Place(one.field, min(one.first, other.first), max(one.last, other.last), leaves)


def apart(kept: Sequence[Place], banned: Sequence[Place], words: int, direction: int) -> list[Place]:
    """The places of `kept` with no banned place near: after it (1), before it (-1), or around and upon it (0)."""
    fields = _by_field(banned)
    found: list[Place] = []
    for field, ones in _by_field(kept).items():
        others = sorted(fields.get(field, []), key=lambda place: place.first)
        firsts = [place.first for place in others]
        lasts = sorted(place.last for place in others)
        reach = list(accumulate((place.last for place in others), max))
        for one in ones:
            after = bisect_right(firsts, one.last)
            before = bisect_left(lasts, one.first) - 1
            if direction > 0:
                bad = after < len(firsts) and firsts[after] - one.last - 1 <= words
            elif direction < 0:
                bad = before >= 0 and one.first - lasts[before] - 1 <= words
            else:
                upto = bisect_right(firsts, one.last + words + 1) - 1
                bad = upto >= 0 and reach[upto] >= one.first - words - 1
            if not bad:
                found.append(one)
    return merged(found)


def in_a_row(atoms: Sequence[int], rarest: int, at: Sequence[int], words: Sequence[tuple[int, ...]]) -> list[int]:
    """Where atoms stand one after another: the positions of the first. at: the positions of atoms[rarest]."""
    size, end = len(atoms), len(words)
    found = []
    for position in at:
        first = position - rarest
        if first >= 0 and first + size <= end and all(atom in words[first + i] for i, atom in enumerate(atoms)):
            found.append(first)
    return found


def windows(lists: Sequence[Sequence[int]], slop: int) -> list[tuple[int, int]]:
    """The smallest windows [first, last] that hold one word of every list, each at a place of its own.

    At most `slop` other words lie in a window. No window contains another.
    """
    if not all(lists):
        return []
    kinds: dict[int, list[int]] = {}
    for i, positions in enumerate(lists):
        for at in positions:
            kinds.setdefault(at, []).append(i)
    positions = sorted(kinds)
    found: list[tuple[int, int]] = []
    for index, start in enumerate(positions):
        limit = start + len(lists) + slop - 1
        if not all(_has(positions_of, start, limit) for positions_of in lists):
            continue
        end = _smallest_end(positions, index, kinds, len(lists), limit)
        if end is not None:
            if found and found[-1][1] == end:
                found.pop()  # this window begins later and ends at the same word
            found.append((start, end))
    return found


def _has(positions: Sequence[int], low: int, high: int) -> bool:
    at = bisect_left(positions, low)
    return at < len(positions) and positions[at] <= high


def _smallest_end(positions: list[int], index: int, kinds: dict[int, list[int]], size: int, limit: int) -> int | None:
    """Pair words with positions from `index` on until every word has one (augmenting paths)."""
    owner: dict[int, int] = {}  # word → position

    def pair(at: int, tried: set[int]) -> bool:
        for kind in kinds[at]:
            if kind not in tried:
                tried.add(kind)
                if kind not in owner or pair(owner[kind], tried):
                    owner[kind] = at
                    return True
        return False

    for i in range(index, len(positions)):
        if positions[i] > limit:
            return None
        pair(positions[i], set())
        if len(owner) == size:
            return positions[i]
    return None
