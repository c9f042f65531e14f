"""Places in words → spans in code points of the original texts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from monitor.matching.places import Place
from monitor.matching.view import ArticleView
from monitor.model import FIELDS, Span

MAX_SPANS = 100  # of one rule in one field; a flood of matches is not worth storing


def spans(places: Iterable[Place], view: ArticleView) -> tuple[Span, ...]:
    """The places as spans of the original texts, sorted, without repeats, at most MAX_SPANS a field."""
    found: dict[int, set[tuple[int, int, str]]] = {}
    for leaf in {leaf for place in places for leaf in place.leaves}:
        field, first, last, term, start, end = leaf
        if start < 0:
            start, end = view.fields[field].code_points(first, last)
        if field in found:
            found[field].add((start, end, term))
        else:
            found[field] = {(start, end, term)}
    return tuple(
        sorted(
            Span(FIELDS[field], start, end, term)
            for field, in_field in found.items()
            for start, end, term in islice(sorted(in_field), MAX_SPANS)
        )
    )
