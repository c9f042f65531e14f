"""Same event? Where an article belongs among the recent ones. Pure; the only module that knows rapidfuzz.

    1. exact keys: equal content, URL, or key inside the outlet
    2. for each candidate of the index, nearest first: the evidence of title, text and lead (`weigh`)
    3. the strongest candidate without a contradiction wins; else the article opens a story

Evidence that joins, with J the Jaccard similarity of the texts' four-word shingles:

    J ≥ JOIN                                          how "body"
    J ≥ LIKELY and alike titles                       how "title"   (a rewrite)
    a summary that is the beginning of the other's text, and titles that share words      how "body"
    one has no text to speak of: the same title but for small words, close in time        how "title"

Containment alone never joins: collections and long backgrounds contain many reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rapidfuzz import fuzz

from monitor.model import Article, Placement
from monitor.stories import contradict
from monitor.stories.index import Entry, StoryIndex
from monitor.stories.signature import LEAD_WORDS, Signature, unpack

JOIN = 0.38
SURE = 0.7  # texts so alike that differing numbers are a new toll, not another event
COPY = 0.9
LIKELY = 0.2
LIKELY_TITLE = 80.0
SUMMARY_SHINGLES = 70  # a text up to this long may be the summary of a longer one
SUMMARY_SHARE = 0.6
TITLE_ALONE = 90.0
TITLE_WORDS = 4  # content words a title needs to stand alone
CLOSE = timedelta(hours=36)
DAILY = timedelta(hours=18)  # what one outlet words alike so much later is a column: weather, prices, prayer times


@dataclass(frozen=True, slots=True)
class Evidence:
    """How alike two articles are. body: J, −1 where a text is missing. title: 0..100."""

    body: float
    lead: float
    title: float


def assign(article: Article, signature: Signature, index: StoryIndex, now: datetime) -> Placement:
    """The story the article joins, or story_id None: it opens one. `detail` says by what, or what stood against it."""
    oldest = now - index.window
    for how, entry in index.exact(signature):
        if entry.when >= oldest and _trust(how, signature, entry, abs(article.when - entry.when)):
            return Placement(entry.story_id, how, f"same {_KEYS[how]} as article {entry.article_id}", 1.0)
    best = nearest = Placement(None, "new")
    mine = set(unpack(signature.shingles))
    for entry in index.candidates(signature):
        if entry.when < oldest:
            continue
        placement = _judge(signature, mine, entry, abs(article.when - entry.when))
        if placement.story_id is not None and placement.similarity > best.similarity:
            best = placement
            if best.similarity >= COPY:
                break
        elif placement.story_id is None and placement.similarity > nearest.similarity:
            nearest = placement
    return best if best.story_id is not None else nearest


_KEYS = {"content": "text", "url": "address", "guid": "identifier within the outlet"}


def weigh(one: Signature, other: Signature, shingles: set[int] | None = None) -> Evidence:
    """The evidence that two articles report the same event. shingles: those of `one`, where the caller has them."""
    mine, yours = unpack(one.shingles), unpack(other.shingles)
    title = _title_ratio(one.title, other.title)
    if not mine or not yours:
        return Evidence(-1.0, 0.0, title)
    shared = len((set(mine) if shingles is None else shingles).intersection(yours))
    body = shared / (len(mine) + len(yours) - shared)
    short, long = (mine, yours) if len(mine) <= len(yours) else (yours, mine)
    lead = 0.0
    if body < JOIN and shared and len(short) <= SUMMARY_SHINGLES:
        start = set(long[: len(short) + len(short) // 4 + 4])
        lead = sum(one in start for one in short) / len(short)
    return Evidence(body, lead, title)


def _judge(signature: Signature, mine: set[int], entry: Entry, apart: timedelta) -> Placement:
    other = entry.signature
    evidence = weigh(signature, other, mine)
    how = _joins(evidence, signature, other, apart)
    similarity = round(max(evidence.body, evidence.lead * 0.9 if how == "body" else 0, evidence.title / 200), 3)
    if not how:
        return Placement(None, "new", f"nearest: article {entry.article_id}, {_show(evidence)}", similarity)
    against = _contradiction(evidence, signature, other, apart)
    if against:
        return Placement(None, "new", f"like article {entry.article_id} ({_show(evidence)}), but {against}", similarity)
    if how == "title" and evidence.body < 0:
        similarity = round(evidence.title / 100, 3)
    return Placement(entry.story_id, how, f"like article {entry.article_id}: {_show(evidence)}", similarity)


def _joins(evidence: Evidence, one: Signature, other: Signature, apart: timedelta) -> str:
    if evidence.body >= JOIN:
        return "body"
    close = _close(one, other, apart)
    if evidence.body >= LIKELY and evidence.title >= LIKELY_TITLE and close:
        return "title"
    if evidence.lead >= SUMMARY_SHARE and evidence.title >= 50:
        return "body"
    if evidence.body < 0 and evidence.title >= TITLE_ALONE and close and _telling(one, other):
        return "title"
    return ""


def _close(one: Signature, other: Signature, apart: timedelta) -> bool:
    return apart <= (DAILY if one.outlet == other.outlet else CLOSE)


def _telling(one: Signature, other: Signature) -> bool:
    """Whether both titles have enough content words to stand alone."""
    mine, yours = set(contradict.content(one.title)), set(contradict.content(other.title))
    return min(len(mine), len(yours)) >= TITLE_WORDS


def _contradiction(evidence: Evidence, one: Signature, other: Signature, apart: timedelta) -> str:
    """Why two articles that look alike are not the same event, "" if nothing says so."""
    mine, yours = set(contradict.content(one.title)), set(contradict.content(other.title))
    if evidence.body < SURE or evidence.title >= 65:
        opposites = contradict.opposed(mine - yours, yours - mine)
        if opposites:
            return f"one says the opposite of the other: {opposites}"
    if evidence.title >= (75 if evidence.body < SURE else 85):
        if (contradict.negations(one.title.split()) - contradict.negations(other.title.split())) % 2:
            return "one title negates"
        if _short(one) and _short(other) and contradict.opposed_leads(one, other):
            return "one text says the opposite of the other"
    column = one.outlet == other.outlet and apart > DAILY
    if evidence.body < (COPY if column else SURE):
        numbers = contradict.numbers_differ(one, other)
        if numbers:
            return f"numbers differ: {numbers}"
        return _other_names(evidence, one, other)
    return ""


def _other_names(evidence: Evidence, one: Signature, other: Signature) -> str:
    """The same headline about somebody else: alike titles, and each has a word the other article lacks."""
    mine, yours = contradict.strangers(one, other), contradict.strangers(other, one)
    if not mine or not yours:
        return ""
    shared = set(contradict.content(one.title)) & set(contradict.content(other.title))
    if evidence.body < 0 or len(shared) >= max(2, len(mine), len(yours)):
        return f"words differ: {' '.join(mine[:3])} / {' '.join(yours[:3])}"
    return ""


def _short(signature: Signature) -> bool:
    """Whether the kept lead is all the text there is: then a word in it is the report, not its background."""
    return len(signature.shingles) <= 4 * LEAD_WORDS


def _trust(how: str, signature: Signature, entry: Entry, apart: timedelta) -> bool:
    """Keys are the feeds' word: an address or identifier must not join wholly different texts (feeds number their
    entries from 1, or link them all to one live page), nor an equal headline without a text the column of another day.
    """
    if how == "content":
        return bool(signature.shingles) or _close(signature, entry.signature, apart)
    evidence = weigh(signature, entry.signature)
    return evidence.title >= 45 or evidence.body >= 0.1 or evidence.lead >= 0.3


def _title_ratio(one: str, other: str) -> float:
    """0..100: alike in words whatever their order, and not merely one inside the other."""
    if not one or not other:
        return 0.0
    in_order = fuzz.token_sort_ratio(one, other)
    if in_order < 40:
        return float(in_order)
    return 0.5 * (fuzz.token_set_ratio(one, other) + in_order)


def _show(evidence: Evidence) -> str:
    text = "no text" if evidence.body < 0 else f"text {evidence.body:.2f}"
    return f"{text}, title {evidence.title:.0f}"
