"""Spellings of a name that articles have: those that `~` finds, and those that look alike and are not found.

A suggestion for the analyst, who knows whether «مورينو» is the trainer or somebody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.arabic.dictionary import Dictionary
from monitor.arabic.loose import is_common, skeleton
from monitor.arabic.normalise import fold, soft
from monitor.arabic.tokens import candidates, runs, tokenise, word
from monitor.errors import RasidError
from monitor.matching.lexicon import Lexicon
from monitor.matching.matcher import Matcher
from monitor.matching.rows import rows_of
from monitor.matching.tree import Phrase, Term
from monitor.model import Article, Rule

_LEAST = 2  # occurrences of a spelling that is only suggested
_LONG = 4  # consonants
_RULE = Rule("variants", "", "")


@dataclass(frozen=True, slots=True)
class Variant:
    """A spelling (soft, without proclitics), how often it occurs, whether `~` finds it and whether it is as typed."""

    spelling: str
    count: int
    found: bool
    typed: bool


class Variants:
    """Read articles, then ask for the `spellings`. RasidError where the name has no letter."""

    def __init__(self, name: str, dictionary: Dictionary | None = None) -> None:
        words = [token.soft for token in tokenise(name)]
        if not words:
            raise RasidError(f"there is no name in «{name}»: write it in letters")
        terms = tuple(Term(one, "loose", (0, 0)) for one in words)
        node = terms[0] if len(terms) == 1 else Phrase(terms, 0, (0, 0))
        self._dictionary = dictionary
        self._matcher = Matcher([(_RULE, node)], dictionary=dictionary)
        self._lexicon = Lexicon(dictionary)
        self._firsts = {self._lexicon.atom(row[0]) for row in rows_of(node)}
        self._typed = " ".join(map(fold, words))
        self._found: Counter[str] = Counter()
        self._chunks: Counter[str] = Counter()  # what stands between two spaces

    def read(self, article: Article) -> None:
        """Count what one article has."""
        for match in self._matcher.match(article):
            for span in match.spans:
                self._found[self._bare(getattr(article, span.field)[span.start : span.end])] += 1
        for text in (article.title, article.summary, article.body):
            self._chunks.update(text.replace("_", " ").split())

    def spellings(self, limit: int = 30) -> list[Variant]:
        """What `~` finds, the commonest first; then at most `limit` others that look like the name."""
        found = _by_fold(self._found)
        known = {fold(spelling) for spelling, _ in found}
        near = [pair for pair in _by_fold(self._near()) if pair[1] >= _LEAST and fold(pair[0]) not in known]
        return [
            *(Variant(spelling, count, True, fold(spelling) == self._typed) for spelling, count in found),
            *(Variant(spelling, count, False, False) for spelling, count in near[:limit]),
        ]

    def _bare(self, text: str) -> str:
        """A place of a text without its proclitics."""
        first, *rest = (token.soft for token in tokenise(text))
        for remainder, _ in reversed(candidates(first)):
            if not self._firsts.isdisjoint(self._lexicon.look_up(remainder, fold(remainder))):
                return " ".join((remainder, *rest))
        return " ".join((first, *rest))  # run together with another word

    def _words(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for chunk, count in self._chunks.items():
            for known in filter(None, map(word, runs(chunk))):
                found[known[0]] += count
        return found

    def _is_other(self, spelled: str) -> bool:
        """Whether `~` does not find a word, and the dictionary does not know it as a common one."""
        folded = fold(spelled)
        found = self._lexicon.look_up(spelled, folded)
        return self._firsts.isdisjoint(found) and not is_common(folded, self._dictionary)

    def _near(self) -> Counter[str]:
        name = self._typed.replace(" ", "")
        short = len(skeleton(name).classes) < _LONG
        keys = _keys(name, short=short)
        most = 1 if len(name) < 5 else 2 if len(name) < 8 else 3
        near: Counter[str] = Counter()
        for spelled, count in self._words().items():
            ways = {rest for rest, _ in candidates(spelled) if abs(len(rest) - len(name)) <= most}
            close = [
                (_distance(name, fold(rest)), rest)
                for rest in ways
                if not keys.isdisjoint(_keys(fold(rest), short=short))
            ]
            distance, best = min(close, default=(most + 1, ""))
            if distance <= most and self._is_other(spelled):
                near[best] += count
        return near


def _by_fold(counts: Counter[str]) -> list[tuple[str, int]]:
    """Spellings that differ by a hamza only are one, shown as the commonest of them; the most frequent first."""
    shown: dict[str, str] = {}
    total: Counter[str] = Counter()
    for spelling, count in counts.most_common():
        total[shown.setdefault(fold(soft(spelling)), spelling)] += count
    return sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))


def _keys(folded: str, *, short: bool) -> set[str]:
    """The consonants of a word, and these with each left out: words that share one differ by a consonant at most.

    short: nothing left out, for too many words look like a short name.
    """
    classes = skeleton(folded).classes
    if short:
        return {classes}
    return {classes, *(classes[:at] + classes[at + 1 :] for at in range(len(classes)))}


def _distance(one: str, other: str) -> int:
    """Letters to write, leave out or change."""
    row: Iterable[int] = range(len(other) + 1)
    for i, mine in enumerate(one, 1):
        before = list(row)
        row = [i]
        for j, theirs in enumerate(other, 1):
            row.append(min(row[-1] + 1, before[j] + 1, before[j - 1] + (mine != theirs)))
    return list(row)[-1]
