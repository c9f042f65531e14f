"""How alike two articles are, in figures. Pure; the only module that knows rapidfuzz."""

from __future__ import annotations

from typing import NamedTuple

from rapidfuzz import fuzz

from monitor.stories.signature import Signature, unpack

LEAD_SHINGLES = 40  # the beginning of a text: its first forty-three words


class Evidence(NamedTuple):
    """How alike two articles are. body: J, −1 where a text is missing. title: 0..100.

    lead: the part of either text's beginning that is found in the other, the lesser of the two. Reports of two events
    may share a background; they do not begin alike.
    """

    body: float
    lead: float
    title: float

    def told(self) -> str:
        """The figures in words, for the reason of a placement."""
        text = "no text" if self.body < 0 else f"text {self.body:.2f}, lead {self.lead:.2f}"
        return f"{text}, title {self.title:.0f}"


def weigh(one: Signature, other: Signature, shingles: set[int] | None = None) -> Evidence:
    """The evidence that two articles report the same event. shingles: those of `one`, where the caller has them."""
    title = _title_ratio(one.title, other.title)
    if not one.shingles or not other.shingles:
        return Evidence(-1.0, 0.0, title)
    mine, yours = unpack(one.shingles), unpack(other.shingles)
    ours, theirs = set(mine) if shingles is None else shingles, set(yours)
    shared = len(ours & theirs)
    body = shared / (len(mine) + len(yours) - shared)
    first = min(len(mine), len(yours), LEAD_SHINGLES)
    lead = min(len(ours.intersection(yours[:first])), len(theirs.intersection(mine[:first]))) / first if shared else 0.0
    return Evidence(body, lead, title)


def spelling(one: str, other: str) -> float:
    """How alike two words are spelt, 0..100."""
    return float(fuzz.ratio(one, other))


def _title_ratio(one: str, other: str) -> float:
    """0..100: alike in words whatever their order, and not merely one inside the other."""
    if not one or not other:
        return 0.0
    in_order = fuzz.token_sort_ratio(one, other)
    if in_order < 40:
        return float(in_order)
    return 0.5 * (fuzz.token_set_ratio(one, other) + in_order)
