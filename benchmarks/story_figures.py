"""Placing articles through the real assignment, and what came of it in figures."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Protocol

from benchmarks.story_data import WINDOW, Pair, shingles
from monitor.model import Article
from monitor.stories.assign import assign
from monitor.stories.index import StoryIndex
from monitor.stories.signature import Signature, sign

HIGH, MID = 0.7, 0.4
AGAIN = timedelta(hours=18)
TEMPLATE = 0.3  # Jaccard of one outlet's texts 18 hours apart from which they are judged as templates


class Placer(Protocol):
    """Something that puts articles into stories one after the other: ours, or one of those people use today."""

    def place(self, number: int, article: Article) -> int:
        """The story of the article: an earlier one's, or `number`."""


class Ours:
    """The real assignment over the real index. signed: signatures by the articles' keys, where they are at hand."""

    def __init__(self, signed: Mapping[str, Signature] | None = None) -> None:
        self._signed = signed or {}
        self._index = StoryIndex(WINDOW)
        self.how: Counter[str] = Counter()
        self.furthest = timedelta(0)  # between an article and the one it was found like
        self._when: dict[int, Any] = {}

    def place(self, number: int, article: Article) -> int:
        signature = self._signed.get(article.key) or sign(article)
        self._index.expire(article.when)
        placement = assign(article, signature, self._index, article.when)
        self.how[placement.how] += 1
        story = placement.story_id or number
        self._index.add(number, story, signature, article.when)
        self._when[number] = article.when
        like = re.search(r"article (\d+)", placement.detail)
        if placement.story_id is not None and like:
            self.furthest = max(self.furthest, abs(article.when - self._when[int(like[1])]))
        return story


class Placed:
    """Articles in stories. story: by id; an update of an article has its story, and is no member beside it."""

    def __init__(self, articles: Mapping[str, Article], placer: Placer) -> None:
        self.articles = articles
        self.story: dict[str, int] = {}
        self.members: dict[int, list[str]] = defaultdict(list)
        self.updates = 0
        seen: dict[tuple[str, str], str] = {}
        for number, (identity, one) in enumerate(articles.items(), 1):
            page = (one.outlet_id, one.canonical_url or identity)
            if page in seen:  # the same page again: the store makes it a revision, see stories.py
                self.story[identity] = self.story[seen[page]]
                self.updates += 1
                continue
            seen[page] = identity
            self.story[identity] = placer.place(number, one)
            self.members[self.story[identity]].append(identity)

    def together(self, one: str, other: str) -> bool:
        return self.story[one] == self.story[other]

    def inside(self) -> list[tuple[str, str]]:
        """All pairs of articles of one story."""
        return [pair for ids in self.members.values() for pair in itertools.combinations(ids, 2)]


class Judge:
    """Says which pairs of articles report the same event: by their full texts, and by what was read by hand."""

    def __init__(self, articles: Mapping[str, Article], labels: Mapping[frozenset[str], bool]) -> None:
        self._texts = {identity: one.body for identity, one in articles.items()}
        self.labels = labels

    @cache  # noqa: B019 (one judge, for the length of a run)
    def jaccard(self, one: str, other: str) -> float:
        mine, yours = shingles(self._texts[one]), shingles(self._texts[other])
        shared = len(mine & yours)
        return shared / (len(mine) + len(yours) - shared) if shared else 0.0

    def verdict(self, one: str, other: str) -> bool | None:
        """As it was read; else True from a Jaccard of .4 on, and None below."""
        read = self.labels.get(frozenset((one, other)))
        return read if read is not None else (self.jaccard(one, other) >= MID or None)


def figures(placed: Placed, pairs: Sequence[Pair], judge: Judge) -> dict[str, Any]:
    """Recall over the pair file, precision over all pairs inside stories, B-cubed, and templates."""
    known = [
        pair
        for pair in pairs
        if pair.a in placed.story
        and pair.b in placed.story
        and abs(placed.articles[pair.a].when - placed.articles[pair.b].when) <= WINDOW
    ]
    inside = placed.inside()
    verdicts = Counter(judge.verdict(*pair) for pair in inside)
    right, unread = verdicts[True], verdicts[None]
    strict = sum(judge.jaccard(*pair) >= MID for pair in inside)
    return {
        "recall_high": _share(placed.together(p.a, p.b) for p in known if p.jaccard >= HIGH),
        "recall_mid": _share(placed.together(p.a, p.b) for p in known if MID <= p.jaccard < HIGH),
        "precision": _ratio(right, len(inside)),
        "precision_at_most": _ratio(right + unread, len(inside)),
        "pairs_inside": len(inside),
        "pairs_inside_jaccard_from_.4": strict,
        "pairs_inside_read": sum(frozenset(pair) in judge.labels for pair in inside),
        "pairs_inside_unread_below_.4": unread,
        **templates(placed, judge),
        **b_cubed(placed, known),
        "stories": len(placed.members),
        "largest_story": max(map(len, placed.members.values()), default=0),
    }


def templates(placed: Placed, judge: Judge) -> dict[str, Any]:
    """What one outlet worded alike (J ≥ .3) 18 hours or more apart and was read: other events joined, same ones not."""
    joined, split = [], []
    for pair, same in judge.labels.items():
        one, other = sorted(pair)
        if one not in placed.story or other not in placed.story:
            continue
        first, second = placed.articles[one], placed.articles[other]
        apart = abs(first.when - second.when)
        if first.outlet_id != second.outlet_id or not AGAIN <= apart <= WINDOW or judge.jaccard(one, other) < TEMPLATE:
            continue
        if same:
            split.append(not placed.together(one, other))
        else:
            joined.append(placed.together(one, other))
    return {
        "templates_merged": _share(joined),
        "templates_split": _share(split),
        "templates_read": [len(joined), len(split)],
    }


def b_cubed(placed: Placed, known: Sequence[Pair]) -> dict[str, Any]:
    """B-cubed F1 over the articles that have a pair, against the components of pairs with a Jaccard of .4 or more."""
    ids = sorted({one for pair in known for one in (pair.a, pair.b)})
    parent = {one: one for one in ids}

    def root(one: str) -> str:
        while parent[one] != one:
            parent[one] = one = parent[parent[one]]
        return one

    for pair in known:
        if pair.jaccard >= MID:
            parent[root(pair.a)] = root(pair.b)
    gold = {one: root(one) for one in ids}
    return {
        "b_cubed_f1": _b_cubed(gold, {one: placed.story[one] for one in ids}),
        "b_cubed_f1_all_singletons": _b_cubed(gold, dict(zip(ids, ids, strict=True))),
    }


def _b_cubed(gold: Mapping[str, object], found: Mapping[str, object]) -> float | None:
    if not gold:
        return None
    wanted, got, both = Counter(gold.values()), Counter(found.values()), Counter((gold[i], found[i]) for i in gold)
    shares = [(both[gold[i], found[i]] / got[found[i]], both[gold[i], found[i]] / wanted[gold[i]]) for i in gold]
    precision, recall = (sum(column) / len(gold) for column in zip(*shares, strict=True))
    return round(float(2 * precision * recall / (precision + recall)), 4)


def _share(hits: Iterable[bool]) -> float | None:
    counted = list(hits)
    return _ratio(sum(counted), len(counted))


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
