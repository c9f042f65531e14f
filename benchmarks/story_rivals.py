"""What people use today to tell the same news, placing the same articles: each joins the story of the first it is like.

Likeness is asked of the articles of the last seven days that share a key: two words of the title, or a band of hashes.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from typing import Any

from rapidfuzz import fuzz
from rensa import RMinHash
from xxhash import xxh3_64_intdigest

from benchmarks.story_data import WINDOW, shingles
from monitor.arabic.tokens import words
from monitor.model import Article


class Rival:
    """Joins the most alike article of the window, from a likeness on.

    read: what of an article is compared, and the keys it is found by. like: how alike two of these are.
    """

    def __init__(
        self, read: Callable[[Article], tuple[Any, Iterable[Hashable]]], like: Callable[[Any, Any], float],
        least: float, shared: int = 1,
    ) -> None:  # fmt: skip
        self._read, self._like, self._least, self._shared = read, like, least, shared
        self._by_key: dict[Hashable, list[int]] = defaultdict(list)
        self._kept: dict[int, tuple[Any, int, list[Hashable]]] = {}
        self._ages: deque[tuple[datetime, int]] = deque()

    def place(self, number: int, article: Article) -> int:
        while self._ages and self._ages[0][0] < article.when - WINDOW:
            _, gone = self._ages.popleft()
            for key in self._kept.pop(gone)[2]:
                self._by_key[key].remove(gone)
        mine, found = self._read(article)
        keys = list(dict.fromkeys(found))
        votes: Counter[int] = Counter()
        for key in keys:
            votes.update(self._by_key[key])
        story, most = number, self._least
        for other, count in votes.items():
            if count >= self._shared and (ratio := self._like(mine, self._kept[other][0])) >= most:
                story, most = self._kept[other][1], ratio
        self._kept[number] = (mine, story, keys)
        self._ages.append((article.when, number))
        for key in keys:
            self._by_key[key].append(number)
        return story


def rivals() -> dict[str, Callable[[], Rival]]:
    """By name: how to make each."""

    return {
        "title token_set_ratio ≥ 85": lambda: Rival(_title, fuzz.token_set_ratio, 85, shared=2),
        "85% overlap of shingles": lambda: Rival(_overlap, _jaccard, 0.85),
        "simhash, 3 bits of 64": lambda: Rival(_simhash, lambda a, b: 64 - (a ^ b).bit_count(), 61),
        "MinHash 128, Jaccard ≥ .5": lambda: Rival(_minhash, _same, 0.5),
    }


def _title(article: Article) -> tuple[Any, Iterable[Hashable]]:
    title = words(article.title)
    return " ".join(title), title


def _hashes(article: Article) -> set[int]:
    return {xxh3_64_intdigest(" ".join(one).encode()) for one in shingles(article.body)}


def _overlap(article: Article) -> tuple[Any, Iterable[Hashable]]:
    hashes = _hashes(article)
    return hashes, sorted(hashes)[:8]


def _jaccard(one: set[int], other: set[int]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def _simhash(article: Article) -> tuple[Any, Iterable[Hashable]]:
    hashes = _hashes(article)
    counts = [0] * 64
    for value in hashes:
        for bit in range(64):
            counts[bit] += 1 if value >> bit & 1 else -1
    print_ = sum(1 << bit for bit, count in enumerate(counts) if count > 0)
    return print_, [(part, print_ >> part * 16 & 0xFFFF) for part in range(4)] if hashes else []


def _minhash(article: Article) -> tuple[Any, Iterable[Hashable]]:
    sketch, runs = RMinHash(num_perm=128, seed=42), [" ".join(one) for one in shingles(article.body)]
    sketch.update(runs)
    values = array("Q", sketch.digest())
    return values, [(band, values[band * 4 : band * 4 + 4].tobytes()) for band in range(32)] if runs else []


def _same(one: array[int], other: array[int]) -> float:
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
