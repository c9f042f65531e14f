"""Titles and texts by the million for dedup.py, all made of real ones and the same at every run.

*Recent* titles are first the real ones, each once, then perturbed ones: a real title in which a third of the words that
say something, two at least, gave way to words drawn from all titles, each as likely as it is common, so that common
words stay common. *Fresh* titles are real ones of the source whose articles are the youngest, years after the others:
no event of theirs is among the recent ones. A *rewrite* of a title keeps what it says: two of «عاجل» in front, another
spelling of its hamzas and ة, quotation marks, two neighbours (no numbers) changing places, a small word left out. A
rewrite of a text has three of its fifty words changed, which leaves a Jaccard of some .6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from random import Random

from monitor.model import Article
from monitor.stories.headline import content, number
from monitor.stories.signature import spelled
from monitor.stories.wordlists import FILLERS

TOLD = 4  # words that say something, of a title that can stand alone
TEXT_WORDS = 50
CHANGED = 3
_SMALL = frozenset(spelled(FILLERS))  # no word that negates
_SPELLED = str.maketrans("أإآةى", "اااهي")


class Texts:
    """What the benchmark is fed with, made of real articles."""

    def __init__(self, articles: Mapping[str, Article]) -> None:
        self._recent, fresh = _sources(articles)
        self.titles = list(dict.fromkeys(one.title for one in self._recent if len(_said(one.title)) >= TOLD))
        self.bodies = list(dict.fromkeys(_cut(one.body) for one in self._recent if len(one.body.split()) >= TEXT_WORDS))
        self.fresh_titles = list(dict.fromkeys(one.title for one in fresh if len(_said(one.title)) >= TOLD))
        self.fresh_bodies = list(dict.fromkeys(_cut(one.body) for one in fresh if len(one.body.split()) >= TEXT_WORDS))
        self._common = [word for title in self.titles for word in title.split() if _telling(word)]

    def recent(self, kind: str, count: int) -> Iterator[str]:
        """`count` titles or bodies, the real ones first."""
        real = self.titles if kind == "titles" else self.bodies
        yield from real[:count]
        random = Random(count)
        for more in range(count - len(real)):
            yield self._perturbed(real[more % len(real)], random)

    def _perturbed(self, text: str, random: Random) -> str:
        split = text.split()
        telling = [place for place, word in enumerate(split) if _telling(word)]
        for place in random.sample(telling, max(2, len(telling) // 3)):
            split[place] = random.choice(self._common)
        return " ".join(split)

    def rewrite(self, kind: str, text: str, random: Random) -> str:
        """The same title or text in other words, or another order of them."""
        if kind == "titles":
            for change in random.sample(_CHANGES, 2):
                text = change(text, random)
            return text
        split = text.split()
        for place in random.sample(range(len(split)), CHANGED):
            split[place] = random.choice(self._common)
        return " ".join(split)


def _sources(articles: Mapping[str, Article]) -> tuple[list[Article], list[Article]]:
    """(recent, fresh): the source with the youngest articles is fresh. Where there is but one, its last tenth is."""
    sources: dict[str, list[Article]] = {}
    for identity, one in articles.items():
        sources.setdefault(re.split(r"[-:]", identity)[0], []).append(one)
    if len(sources) == 1:
        (every,) = sources.values()
        return every[: -len(every) // 10], every[-len(every) // 10 :]
    youngest = max(sources, key=lambda name: _median(sources[name]))
    fresh = sources.pop(youngest)
    return [one for group in sources.values() for one in group], fresh


def _median(group: list[Article]) -> datetime:
    return sorted(one.when for one in group)[len(group) // 2]


def _said(title: str) -> tuple[str, ...]:
    return content(" ".join(spelled(title)))


@cache
def _telling(word: str) -> bool:
    return len(_said(word)) == 1


def _cut(body: str) -> str:
    return " ".join(body.split()[:TEXT_WORDS])


def _swapped(title: str, random: Random) -> str:
    split = title.split()
    number_free = [all(number(part) is None for part in spelled(word)) for word in split]
    places = [place for place in range(len(split) - 1) if number_free[place] and number_free[place + 1]]
    if places:
        place = random.choice(places)
        split[place], split[place + 1] = split[place + 1], split[place]
    return " ".join(split)


def _shorter(title: str, random: Random) -> str:
    split = title.split()
    small = [place for place, word in enumerate(split) if _SMALL.intersection(spelled(word))]
    if small:
        del split[random.choice(small)]
    return " ".join(split)


_CHANGES: list[Callable[[str, Random], str]] = [
    lambda title, _: f"عاجل: {title}",
    lambda title, _: title.translate(_SPELLED),
    lambda title, _: f"«{title}»",
    _swapped,
    _shorter,
]
