"""Pronouns written onto a word (صواريخهم, their missiles); not «my» (ي), which looks like the ending of adjectives."""

from __future__ import annotations

PRONOUNS = ("ه", "ها", "هم", "هن", "هما", "نا", "ك", "كم", "كن", "كما")
LAST_OF_PRONOUNS = frozenset(p[-1] for p in PRONOUNS)
_BY_LAST = {last: tuple(p for p in PRONOUNS if p[-1] == last) for last in LAST_OF_PRONOUNS}


def strip_pronoun(word: str) -> tuple[str, ...]:
    """What a word may be without a pronoun at its end: none, one or more remainders (folded in, folded out)."""
    endings = _BY_LAST.get(word[-1:])
    if not endings:
        return ()
    return tuple(word[: -len(ending)] for ending in endings if len(word) > len(ending) and word.endswith(ending))
