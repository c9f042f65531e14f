"""The peer of who has only `re`: rule after rule is asked of each article, its and, or and not in Python.

Each word or phrase is a regular expression over text in one spelling, endings in it, proclitics looked up in a list, so
many inflected words are found, but no broken plurals. An expression begins with the letters of its word, for then `re`
skips to them: nearly three times as fast as one expression with an alternative for each word, and thirteen times as
fast as that behind a word boundary and proclitics.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from functools import cache

from monitor.arabic.normalise import fold, soft
from monitor.matching.tree import And, Node, Not, Or, Phrase, Term
from monitor.model import Article

Holds = Callable[[str], bool]  # of a text as `plain` makes it

_BETWEEN = re.compile(r"[\W_]+")
_PROCLITICS = frozenset(
    before + held for before in ("", "و", "ف") for held in ("", "ال", "ب", "بال", "ك", "كال", "ل", "لل")
)
_ENDINGS = "(?:[ةهتاي]|ات|تان|تين|ان|ين|ون|ية|يات)?(?:ه|ها|هم|هما|نا)?"
_ENDING = re.compile("(?<=...)(?:ها|ان|ات|ون|ين|ية|[ةهي])$").sub


def holds(node: Node) -> Holds | None:
    """Whether a rule matches; None where it asks for more than words, phrases, and, or, not."""
    match node:
        case Term() if node.mode == "word":
            return _found(plain(node.text))
        case Phrase() if not node.slop and all(word.mode == "word" for word in node.words):
            return _found(plain(" ".join(word.text for word in node.words)))
        case And() | Or():
            parts = [part for child in node.children if (part := holds(child))]
            if len(parts) == len(node.children):
                decides = all if isinstance(node, And) else any
                return lambda text: decides(part(text) for part in parts)
        case Not():
            child = holds(node.child)
            return (lambda text: not child(text)) if child else None
    return None


@cache
def _found(words: str) -> Holds:
    row = " (?:ال)?".join(re.escape(_ENDING("", word, 1)) + _ENDINGS for word in words.split())
    places = re.compile(rf"{row}(?!\w)").finditer

    def found(text: str) -> bool:
        return any(text[text.rfind(" ", 0, at) + 1 : at] in _PROCLITICS for at in map(re.Match.start, places(text)))

    return found


def plain(written: str) -> str:
    """A text in one spelling, with one space between its words."""
    return _BETWEEN.sub(" ", fold(soft(written)))


class Patterns:
    """Rules (as `holds`) for articles, asked as the other peers are."""

    def __init__(self, rules: Sequence[Holds], articles: Sequence[Article]) -> None:
        self._rules = rules
        self._articles = articles

    def match(self, first: int, end: int) -> tuple[float, int]:
        """Match the articles [first, end): (microseconds, matches)."""
        began, found = time.thread_time(), 0
        for article in self._articles[first:end]:
            text = plain(f"{article.title} {article.body}")
            found += len([number for number, rule in enumerate(self._rules) if rule(text)])
        return (time.thread_time() - began) * 1e6, found
