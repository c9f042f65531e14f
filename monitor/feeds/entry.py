"""From a feed's entry, still in the feed's own words, to an Article. Shared by the XML and JSON readers. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from xxhash import xxh3_128_hexdigest

from monitor.feeds import cleaning, dates, urls
from monitor.model import Article, Feed

MAX_TITLE, MAX_SUMMARY, MAX_BODY, MAX_AUTHOR, MAX_TAGS, MAX_TAG = 1_000, 20_000, 200_000, 300, 50, 100
MAX_KEY = 400
MAX_ENTRIES = 2_000  # of one poll that are read: what a parser does in the time it has
_TITLE_WORDS = 14
_NO_GUIDS = frozenset(("0", "-1", "null", "none", "undefined", "false", "true", "n/a", "guid", "id"))
_COUNTER = re.compile(r"#\d{1,3}$")
_SENTENCE = re.compile(r"(?<=[.!؟…])\s")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed feed. articles in the feed's order; notes: for the log."""

    articles: list[Article]
    title: str = ""
    language: str = ""
    notes: tuple[str, ...] = ()


def too_many(read: int, unread: int) -> str:
    """The note of a feed that was read in part."""
    return f"too many entries: the first {read} were read, {unread} others were not"


@dataclass(slots=True)
class RawEntry:
    """What a reader found for one entry: text fields may hold markup, links may be relative."""

    guid: str = ""
    links: list[str] = field(default_factory=list)
    base: str = ""
    title: str = ""
    summary: str = ""
    body: str = ""
    author: str = ""
    tags: list[str] = field(default_factory=list)
    dates: list[str | datetime] = field(default_factory=list)
    language: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where entries come from: the feed, the URL its body came from, its home page and declared language."""

    feed: Feed
    url: str
    home: str = ""
    language: str = ""


def articles(entries: Sequence[RawEntry], place: Place, *, now: datetime, hashes: Sequence[str]) -> list[Article]:
    """The entries as articles, those without any text left out; hashes go along where there is one for each entry.

    An entry whose GUID another entry of the same document bears too is known by its URL, else by its content.
    """
    marks = list(hashes) if len(hashes) == len(entries) else [""] * len(entries)
    made = [(article(e, place, now=now), mark) for e, mark in zip(entries, marks, strict=True)]
    kept = [replace(a, entry_hash=mark) for a, mark in made if a is not None]
    for other in ("canonical_url", "content_hash"):
        contents: dict[str, set[str]] = {}
        for a in kept:
            contents.setdefault(a.key, set()).add(a.content_hash)
        shared = {key for key, found in contents.items() if len(found) > 1}
        kept = [replace(a, key=_short(getattr(a, other) or a.key)) if a.key in shared else a for a in kept]
    seen = Counter[str]()
    unique: list[Article] = []
    for a in kept:
        seen[a.key] += 1
        if seen[a.key] == 1:
            unique.append(a)
    return unique


def article(entry: RawEntry, place: Place, *, now: datetime) -> Article | None:
    """One entry as an Article; None if it has neither title nor text."""
    title = cleaning.shorten(cleaning.line(entry.title), MAX_TITLE)
    summary = cleaning.shorten(cleaning.without_footer(cleaning.text(entry.summary)), MAX_SUMMARY)
    body = cleaning.shorten(cleaning.without_footer(cleaning.text(entry.body)), MAX_BODY)
    if body == summary:
        body = ""
    title = title or _first_words(summary or body)
    if not title:
        return None
    base = entry.base or place.url
    link = next((found for raw in entry.links if (found := urls.link(raw, base))), "")
    content = content_hash(title, summary, body)
    canonical = urls.canonical(link)
    return Article(
        feed_id=place.feed.id,
        outlet_id=place.feed.outlet.id,
        key=_key(entry.guid, canonical, content, place),
        url=link,
        canonical_url=canonical,
        title=title,
        summary=summary,
        body=body,
        author=cleaning.shorten(cleaning.line(entry.author), MAX_AUTHOR),
        tags=_tags(entry.tags),
        language=_language(entry, place, title, summary or body),
        published=_published(entry, now),
        first_seen=now,
        content_hash=content,
    )


def content_hash(title: str, summary: str, body: str) -> str:
    """xxh3-128 (hex) over the folded words, so that markup, vowel marks and punctuation make no new version."""
    from monitor.arabic.normalise import plain

    return xxh3_128_hexdigest(plain(f"{title}\n{summary}\n{body}").encode("utf-8", "replace"))


def _key(guid: str, canonical: str, content: str, place: Place) -> str:
    """The ladder: GUID, else URL, else content. A GUID that is a URL loses tracking and revision counters (#0, #1)."""
    guid = " ".join(guid.split())
    if "://" in guid[:10]:
        plain, _, fragment = _COUNTER.sub("", guid).partition("#")
        guid = urls.canonical(plain) + (f"#{fragment}" if fragment else "")
    if guid.lower() in _NO_GUIDS or (guid and guid == urls.canonical(place.home)):
        guid = ""
    return _short(guid or canonical or content)


def _short(key: str) -> str:
    key = cleaning.squeeze(key)
    return key if len(key) <= MAX_KEY else f"xxh3:{xxh3_128_hexdigest(key.encode('utf-8', 'replace'))}"


def _first_words(plain: str) -> str:
    first = _SENTENCE.split(plain.split("\n", 1)[0][:2_000], maxsplit=1)[0]
    words = first.split()
    return " ".join(words[:_TITLE_WORDS]) + ("…" if len(words) > _TITLE_WORDS else "")


def _tags(raw: Sequence[str]) -> tuple[str, ...]:
    found = (cleaning.shorten(cleaning.line(tag), MAX_TAG) for tag in raw[: 4 * MAX_TAGS])
    return tuple(dict.fromkeys(tag for tag in found if tag and "://" not in tag))[:MAX_TAGS]


def _language(entry: RawEntry, place: Place, title: str, rest: str) -> str:
    if place.feed.language:
        return place.feed.language
    from monitor.arabic.language import guess

    found = guess(f"{title}\n{rest[:2_000]}")
    if found != "und":
        return found
    declared = (entry.language or place.language).replace("_", "-").split("-")[0].lower()
    return declared if re.fullmatch(r"[a-z]{2,3}", declared) else "und"


def _published(entry: RawEntry, now: datetime) -> datetime | None:
    for raw in entry.dates:
        moment = raw if isinstance(raw, datetime) else dates.read(raw)
        settled = dates.settle(moment, now)
        if settled is not None:
            return settled
    return None
