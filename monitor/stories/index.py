"""The articles of the last days, found by what they share with a new one. In memory; rebuilt from the store at start.

An article is filed under a few 32-bit keys: its exact keys, the pairs of its title's rarest words, and the smallest
shingle hashes of its whole text and of its lead (two texts that share the fraction J of their shingles share one of
their k smallest with probability 1 − (1 − J)^k, at least). All postings lie in four flat arrays, 12 bytes each.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from monitor.stories.signature import Signature, unpack

RARE_TERMS = 5  # of a title; their pairs are its keys
NEAREST = 12  # candidates handed out
SHARED_KEYS = 2  # of a candidate at least, where there is a text: one pair of words in common is mere chance
FAINT = 4  # one that shares less than this part of the keys that another shares is chance, too
POSTINGS_READ = 64  # of one key, newest first: bounds the cost of a key that everybody shares

_MASK = 0xFFFFFFFF
_FREQUENCIES = 1 << 16
_END = _MASK


@dataclass(frozen=True, slots=True)
class Entry:
    """An article in the index. when: published, or first seen."""

    article_id: int
    story_id: int
    signature: Signature
    when: datetime


class Postings:
    """Which slots were filed under a key, newest first. Keys are 32-bit; a chain per bucket, in flat arrays."""

    def __init__(self) -> None:
        self._heads = array("I", [_END]) * 1024
        self._keys = array("I")
        self._slots = array("I")
        self._next = array("I")

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, keys: Collection[int], slot: int) -> None:
        """File a slot under keys."""
        while len(self._keys) + len(keys) > len(self._heads):
            self._link(len(self._heads) * 2)
        heads, following, mask = self._heads, self._next, len(self._heads) - 1
        for place, key in enumerate(keys, len(self._keys)):
            following.append(heads[key & mask])
            heads[key & mask] = place
        self._keys.extend(keys)
        self._slots.extend([slot] * len(keys))

    def find(self, key: int) -> list[int]:
        """The newest slots of a key."""
        return list(self.count([key]))

    def count(self, keys: Iterable[int]) -> dict[int, int]:
        """Under how many of these keys each slot is found, among the newest POSTINGS_READ of a key.

        Steps over other keys count too, so that a crowded bucket costs no more.
        """
        filed, slots, following, heads = self._keys, self._slots, self._next, self._heads
        mask, counted = len(heads) - 1, dict[int, int]()
        for key in keys:
            place, steps, left = heads[key & mask], 2 * POSTINGS_READ, POSTINGS_READ
            while place != _END and steps and left:
                if filed[place] == key:
                    slot = slots[place]
                    counted[slot] = counted.get(slot, 0) + 1
                    left -= 1
                place = following[place]
                steps -= 1
        return counted

    def keep(self, renumbered: dict[int, int]) -> None:
        """Forget every slot that `renumbered` lacks and give the others their new numbers."""
        pairs = [(k, renumbered[s]) for k, s in zip(self._keys, self._slots, strict=True) if s in renumbered]
        self._keys = array("I", [key for key, _ in pairs])
        self._slots = array("I", [slot for _, slot in pairs])
        size = len(self._heads)
        while size > 1024 and size // 4 > len(pairs):
            size //= 2
        self._link(size)

    def _link(self, buckets: int) -> None:
        heads = array("I", [_END]) * buckets
        following = array("I")
        mask = buckets - 1
        for place, key in enumerate(self._keys):
            following.append(heads[key & mask])
            heads[key & mask] = place
        self._heads, self._next = heads, following


class StoryIndex:
    """Recent articles with their stories. Not for several threads at once.

    window: how long an article stays, counted from its `when`, and up to an hour longer: who asks looks at its age.
    last_id: the largest article id ever added, from which a reader of the store catches up.
    """

    def __init__(self, window: timedelta = timedelta(days=7)) -> None:
        self.window = window
        self.last_id = 0
        self._entries: dict[int, Entry] = {}  # by slot, a running number
        self._slot_of: dict[int, int] = {}  # by article id
        self._stories: dict[int, list[int]] = {}  # by story: the ids of its articles, as they came
        self._apart: set[frozenset[int]] = set()  # pairs of stories
        self._postings = Postings()
        self._frequencies = array("I", [0]) * _FREQUENCIES  # of title terms, hashed: a collision only misjudges rarity
        self._ages: dict[int, array[int]] = {}  # slots by the hour of their `when`
        self._next_slot = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, article_id: int) -> bool:
        return article_id in self._slot_of

    def add(self, article_id: int, story_id: int, signature: Signature, when: datetime) -> None:
        """File an article; one that is already there is replaced (its text was revised)."""
        if article_id in self._slot_of:
            self.remove([article_id])
        slot = self._next_slot
        self._next_slot += 1
        self._postings.add(self._keys(signature), slot)
        self._count(signature, 1)
        self._entries[slot] = Entry(article_id, story_id, signature, when)
        self._slot_of[article_id] = slot
        self._stories.setdefault(story_id, []).append(article_id)
        self._ages.setdefault(_hour(when), array("I")).append(slot)
        self.last_id = max(self.last_id, article_id)

    def move(self, article_id: int, story_id: int) -> None:
        """Put an article into another story; one that is not here stays away."""
        slot = self._slot_of.get(article_id)
        if slot is not None and (entry := self._entries[slot]).story_id != story_id:
            self.add(article_id, story_id, entry.signature, entry.when)

    def keep_apart(self, one: int, other: int) -> None:
        """Remember that an analyst split one story off the other."""
        self._apart.add(frozenset((one, other)))

    def kept_apart(self, one: int, other: int) -> bool:
        """Whether an analyst split one of these stories off the other."""
        return frozenset((one, other)) in self._apart

    def remove(self, ids: Iterable[int]) -> int:
        """Forget articles by id (unknown ids are fine); how many were there."""
        removed = 0
        for article_id in ids:
            slot = self._slot_of.pop(article_id, None)
            if slot is not None:
                entry = self._entries.pop(slot)
                self._count(entry.signature, -1)
                self._leave(entry)
                removed += 1
        if self._next_slot > 2 * len(self._entries) + 1024:
            self._compact()
        return removed

    def expire(self, now: datetime) -> int:
        """Forget what is older than the window; how many. Costs nothing when nothing is."""
        oldest = _hour(now - self.window)
        slots = [slot for hour in [*self._ages] if hour < oldest for slot in self._ages.pop(hour)]
        return self.remove([self._entries[slot].article_id for slot in slots if slot in self._entries])

    def members(self, story_id: int, limit: int) -> list[Entry]:
        """The newest `limit` articles of a story that are still in the window."""
        return [self._entries[self._slot_of[one]] for one in self._stories.get(story_id, ())[-limit:]]

    def exact(self, signature: Signature) -> list[tuple[str, Entry]]:
        """Articles with an equal content hash, URL or key, as ("content" | "url" | "guid", entry), in that order."""
        found = []
        for how, mine in (("content", signature.content), ("url", signature.url), ("guid", signature.key)):
            for slot in self._postings.find(mine & _MASK) if mine else ():
                entry = self._entries.get(slot)
                if entry and mine in (entry.signature.content, entry.signature.url, entry.signature.key):
                    found.append((how, entry))
        return found

    def candidates(self, signature: Signature) -> list[Entry]:
        """The at most NEAREST articles that share the most keys with this one, most first, then newest."""
        votes = self._postings.count(self._text_keys(signature))
        least = max(SHARED_KEYS if signature.shingles else 1, max(votes.values(), default=0) / FAINT)
        shared = [(count, slot) for slot, count in votes.items() if count >= least]
        nearest = sorted(shared, reverse=True)[: 2 * NEAREST]
        return [self._entries[slot] for _, slot in nearest if slot in self._entries][:NEAREST]

    def _leave(self, entry: Entry) -> None:
        members = self._stories[entry.story_id]
        members.remove(entry.article_id)
        if not members:
            del self._stories[entry.story_id]

    def _keys(self, signature: Signature) -> set[int]:
        keys = self._text_keys(signature)
        keys.update(exact & _MASK for exact in (signature.content, signature.url, signature.key) if exact)
        return keys

    def _text_keys(self, signature: Signature) -> set[int]:
        keys = set(unpack(signature.sketch))
        terms = set(signature.terms)
        if len(terms) > RARE_TERMS:
            # Terms nearly as rare as each other are ranked by their hash: their frequencies overtake each other while
            # the index grows, and a title must get the keys that it got before.
            frequencies = self._frequencies
            rarest = sorted([(frequencies[t % _FREQUENCIES].bit_length(), t) for t in terms])[:RARE_TERMS]
            terms = {t for _, t in rarest}
        for one, other in combinations(sorted(terms), 2):
            keys.add((one * 0x9E3779B1 ^ other * 0x85EBCA77) & _MASK)
        return keys

    def _count(self, signature: Signature, by: int) -> None:
        for one in set(signature.terms):
            self._frequencies[one % _FREQUENCIES] += by

    def _compact(self) -> None:
        """Number the remaining articles afresh and drop the postings of the others."""
        renumbered = {old: new for new, old in enumerate(self._entries)}
        self._postings.keep(renumbered)
        self._entries = {renumbered[old]: entry for old, entry in self._entries.items()}
        self._slot_of = {entry.article_id: slot for slot, entry in self._entries.items()}
        self._ages = {}
        for slot, entry in self._entries.items():
            self._ages.setdefault(_hour(entry.when), array("I")).append(slot)
        self._next_slot = len(self._entries)


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // 3600
