"""Same event? Where an article belongs among the recent ones. Pure.

    1. exact keys: equal content, URL, or key inside the outlet
    2. each candidate of the index is judged: does the evidence join, and does anything speak against it?
    3. stories are weighed: every member that joins speaks for its story, every other one half as loud against it. Of
       the stories with more for than against, one that holds a copy takes the article, else the one with the most;
       where there is none, the article opens a story

Evidence that joins, with J the Jaccard similarity of the texts' four-word shingles:

    J ≥ JOIN (JOIN_BRIEF between two summaries)                                    how "body"
    J ≥ LIKELY, the leads say the same, alike titles (a rewrite)                   how "title"
    a summary whose words are the beginning of the other, and titles that share words     how "body"
    one has no text to speak of: the same title but for small words, close in time        how "title"

What an outlet words alike a day later is mostly its column, or a report with yesterday's background: it must also
begin alike. Containment alone never joins: collections and long backgrounds contain many reports.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.model import Article, Placement
from monitor.stories import headline
from monitor.stories.contradict import COPY, DAILY, SAME_SENTENCE, SURE, objection
from monitor.stories.evidence import Evidence, weigh
from monitor.stories.index import Entry, StoryIndex
from monitor.stories.signature import Signature, unpack

JOIN = 0.4
JOIN_BRIEF = 0.27
BRIEF_SHINGLES = 55  # two texts up to this long are what feeds give of reports, and these have more in common
TINY_SHINGLES = 30  # in so short a text who did it («صاحب السمو الملكي …») takes more room than what was done
TINY_TITLE = 65.0
TINY_LEAST_TITLE = 40.0
SUMMARY_SHINGLES = 70  # a text up to this long may be the summary of a longer one
LIKELY = 0.3
LIKELY_LEAD = 0.35
LIKELY_TITLE = 75.0
SHARED_LEAD = 0.17  # what a report printed again has at least, and one that shares its background has not
SUMMARY_LEAD = 0.6
TITLE_ALONE = 90.0
TITLE_WORDS = 4  # content words a title needs to stand alone
CLOSE = timedelta(hours=36)
AGAINST = 0.6  # weight of a member that does not join, beside one that barely does
NEUTRAL = 0.3
MEMBERS = 16  # of a story that are asked, the newest: bounds the cost of a huge one


class Judgement(NamedTuple):
    """What became of one candidate. how: "" where the evidence does not join; against: what stood in the way."""

    entry: Entry
    evidence: Evidence
    how: str
    against: str

    @property
    def joins(self) -> bool:
        return bool(self.how) and not self.against

    @property
    def similarity(self) -> float:
        """0..1: how close the two are; a title without texts counts in full."""
        alone = 100 if self.how == "title" and self.evidence.body < 0 else 200
        return round(max(self.evidence.body, self.evidence.title / alone, 0.9 * self.evidence.lead), 3)

    @property
    def weight(self) -> float:
        """What this member of a story says for or against it: a copy speaks louder than a rewrite."""
        if self.joins:
            return max(1.0, self.evidence.body / JOIN)
        near = self.evidence.body >= NEUTRAL or self.evidence.lead >= LIKELY_LEAD
        return 0.0 if near and not self.against else -AGAINST

    def told(self) -> str:
        shown = self.evidence.told()
        if self.against:
            return f"like article {self.entry.article_id} ({shown}), but {self.against}"
        return f"{'like' if self.how else 'nearest:'} article {self.entry.article_id}{':' if self.how else ','} {shown}"


def assign(article: Article, signature: Signature, index: StoryIndex, now: datetime) -> Placement:
    """The story the article joins, or story_id None: it opens one. `detail` says by what, or what stood against it."""
    oldest = now - index.window
    for how, entry in index.exact(signature):
        if entry.when >= oldest and _trust(how, signature, entry, abs(article.when - entry.when)):
            detail = f"same {_KEYS[how]} as article {entry.article_id}"
            return Placement(entry.story_id, how, detail, 1.0, headline.change(entry.signature.title, signature.title))
    mine = set(unpack(signature.shingles))

    def asked(entries: Iterable[Entry]) -> dict[int, Judgement]:
        recent = [entry for entry in entries if entry.when >= oldest]
        return {one.article_id: judge(signature, one, abs(article.when - one.when), mine) for one in recent}

    judged = asked(index.candidates(signature))
    claims: list[tuple[tuple[bool, float], Judgement]] = []  # (a copy?, weight), and the closest article of a story
    for story_id in dict.fromkeys(one.entry.story_id for one in judged.values() if one.joins):
        members = index.members(story_id, MEMBERS)
        judged |= asked(entry for entry in members if entry.article_id not in judged)
        closest = _closest(one for one in judged.values() if one.joins and one.entry.story_id == story_id)
        behind = sum(judged[entry.article_id].weight for entry in members if entry.article_id in judged)
        if closest is not None and behind > 0:
            claims.append(((closest.evidence.body >= COPY, behind), closest))
    if claims:
        best = _overruled(max(claims, key=lambda one: one[0])[1], [one for _, one in claims], index)
        change = headline.change(best.entry.signature.title, signature.title)
        return Placement(best.entry.story_id, best.how, best.told(), best.similarity, change)
    nearest = _closest(judged.values())
    if nearest is None:
        return Placement(None, "new")
    return Placement(None, "new", nearest.told(), nearest.similarity, denies=_denied(signature, judged.values()))


_KEYS = {"content": "text", "url": "address", "guid": "identifier within the outlet"}


def _overruled(best: Judgement, claims: Iterable[Judgement], index: StoryIndex) -> Judgement:
    """Between stories that an analyst split not their size decides but the article that is closest."""
    apart = [one for one in claims if index.kept_apart(one.entry.story_id, best.entry.story_id)]
    return max([best, *apart], key=lambda one: one.similarity)


def judge(one: Signature, other: Entry, apart: timedelta, shingles: set[int] | None = None) -> Judgement:
    """Whether an article reports the same event as one of the index. shingles: those of `one`, where at hand."""
    evidence = weigh(one, other.signature, shingles)
    how = _joins(evidence, one, other.signature, apart)
    against = objection(one, other.signature, evidence, apart) if how else ""
    return Judgement(other, evidence, how, against)


def _joins(evidence: Evidence, one: Signature, other: Signature, apart: timedelta) -> str:
    body, lead, title = evidence.body, evidence.lead, evidence.title
    close = apart <= (DAILY if one.outlet == other.outlet else CLOSE)
    if body < 0:
        return "title" if title >= TITLE_ALONE and close and _telling(one, other) else ""
    shorter, longer = sorted((len(one.shingles) // 4, len(other.shingles) // 4))
    if shorter <= TINY_SHINGLES:
        rewrite = title >= TINY_TITLE and (body >= JOIN_BRIEF or lead >= SUMMARY_LEAD)
        return "body" if rewrite or (body >= JOIN and title >= TINY_LEAST_TITLE) else ""
    again = one.outlet == other.outlet and not close and body < SURE
    if body >= (JOIN_BRIEF if longer <= BRIEF_SHINGLES else JOIN):
        return "" if again and lead < SHARED_LEAD and title < LIKELY_TITLE else "body"
    if body >= LIKELY and lead >= LIKELY_LEAD and title >= LIKELY_TITLE:
        return "title"
    if again and body >= LIKELY and (lead >= SUMMARY_LEAD or (lead >= 0.4 and title >= 65)):
        return "body"
    return "body" if shorter <= SUMMARY_SHINGLES and lead >= SUMMARY_LEAD and title >= 50 else ""


def _telling(one: Signature, other: Signature) -> bool:
    """Whether both titles have enough content words to stand alone."""
    mine, yours = set(headline.content(one.title)), set(headline.content(other.title))
    return min(len(mine), len(yours)) >= TITLE_WORDS


def _trust(how: str, signature: Signature, entry: Entry, apart: timedelta) -> bool:
    """Keys are the feeds' word: an address or identifier must not join wholly different texts (feeds number their
    entries from 1, or link them all to one live page), nor an equal headline without a text the column of another day.
    """
    if how == "content":
        near = DAILY if signature.outlet == entry.signature.outlet else CLOSE
        return bool(signature.shingles) or apart <= near
    evidence = weigh(signature, entry.signature)
    return evidence.title >= 45 or evidence.body >= 0.1 or evidence.lead >= 0.3


def _denied(signature: Signature, judged: Iterable[Judgement]) -> int | None:
    """The story whose report this one denies or takes back, found by the text or by what the headlines share."""
    if not headline.takes_back(signature.title):
        return None
    said = [
        one
        for one in judged
        if not headline.takes_back(one.entry.signature.title)
        and (one.how or headline.shared(signature.title, one.entry.signature.title) >= SAME_SENTENCE)
    ]
    closest = _closest(said)
    return closest.entry.story_id if closest else None


def _closest(judged: Iterable[Judgement]) -> Judgement | None:
    return max(judged, key=lambda one: one.similarity, default=None)
