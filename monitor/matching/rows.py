"""A term or phrase of a query as rows of words: the one typed, and the other ways its names are written."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.arabic.compounds import spellings
from monitor.arabic.tokens import tokenise
from monitor.matching.lexicon import Word, words_of
from monitor.matching.tree import Phrase, Term


def rows_of(node: Term | Phrase) -> list[list[Word]]:
    """Any of the rows is the term; none where it has no letter or digit."""
    terms = (node,) if isinstance(node, Term) else node.words
    free = isinstance(node, Phrase) and node.slop > 0  # words may change places: each may carry what a first may
    words = [word for i, term in enumerate(terms) for word in words_of(term, later=i > 0 and not free)]
    if not words:
        return []
    mode = words[0].mode
    if mode not in ("word", "loose") or any(word.mode != mode for word in words):
        return [words]  # = is as spelled, and a mixed phrase as typed
    raw = [term.text[token.start : token.end] for term in terms for token in tokenise(term.text)]
    return [_row(words, way) for way in spellings(raw, loose=mode == "loose")]


def _row(words: Sequence[Word], way: Sequence[int | str]) -> list[Word]:
    mode = words[0].mode
    return [
        words[piece] if isinstance(piece, int) else Word(piece, mode, "name", later=at > 0)
        for at, piece in enumerate(way)
    ]
