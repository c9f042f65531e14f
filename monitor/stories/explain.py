"""Why two articles are or are not one story, as if nothing else were known. Pure; asks the real assignment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from monitor.model import Article
from monitor.stories import headline
from monitor.stories.assign import assign, judge
from monitor.stories.index import StoryIndex
from monitor.stories.signature import sign


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the assignment says of two articles.

    how: by what they join, as in Placement; "" where nothing joins them. against: what stands in the way of it.
    reason: all of it as a sentence without names. text: Jaccard of the texts' shingles, None where one has no text.
    lead: 0..1, what the beginnings share. title: 0..100. title_words: 0..1, words of the shorter title that the other
    says too. apart: hours.
    """

    joins: bool
    how: str
    against: str
    reason: str
    text: float | None
    lead: float
    title: float
    title_words: float
    apart: float
    keys: tuple[str, ...]  # exact keys they share: content, url, guid
    change: str  # the toll that rose, "4 → 7"
    denies: bool  # the later one denies or corrects the earlier


def explain(one: Article, other: Article, window: timedelta = timedelta(days=7)) -> Explanation:
    """The decision between two articles, the later one coming to the earlier. In a story its other members count too:
    they can keep an article out that joins one of them."""
    first, second = sorted((one, other), key=lambda article: article.when)
    index, signature, apart = StoryIndex(window), sign(second), second.when - first.when
    index.add(1, 1, sign(first), first.when)
    keys = tuple(how for how, _ in index.exact(signature))
    placed = assign(second, signature, index, second.when)
    (entry,) = index.members(1, 1)
    judged = judge(signature, entry, apart)
    evidence, joins = judged.evidence, placed.story_id is not None
    return Explanation(
        joins=joins, how=placed.how if joins else judged.how, against="" if joins else judged.against,
        reason=_reason(placed.how if joins else "", judged.how, judged.against, apart > window),
        text=None if evidence.body < 0 else round(evidence.body, 3), lead=round(evidence.lead, 3),
        title=round(evidence.title, 1), title_words=round(headline.shared(entry.signature.title, signature.title), 3),
        apart=round(apart.total_seconds() / 3600, 2), keys=keys, change=placed.change, denies=placed.denies is not None,
    )  # fmt: skip


_JOINED = {
    "content": "title and text are the same",
    "url": "the address is the same",
    "guid": "the identifier within the outlet is the same",
    "body": "the texts say the same",
    "title": "the headlines say the same",
}


def _reason(joined: str, likely: str, against: str, late: bool) -> str:
    if joined:
        return _JOINED[joined]
    if late:
        return "they are further apart than the window"
    if against:
        return f"{_JOINED[likely]}, but {against}"
    return f"{_JOINED[likely]}, but they share too little to be found" if likely else "too little is alike"
