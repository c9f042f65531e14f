"""Bodies of feeds → articles. The only module that knows feedparser; runs in a worker process, never in the daemon.

feedparser is given a BytesIO and nothing else (a string that looks like a path or URL would be opened), and its HTML
sanitiser and link resolver are off: our own cleaning is faster and keeps paragraphs.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import feedparser

from monitor.errors import ParseError
from monitor.feeds import cleaning, encoding, jsonfeed
from monitor.feeds.entry import MAX_ENTRIES, Parsed, Place, RawEntry, articles, too_many
from monitor.model import Feed

__all__ = ["Parsed", "parse"]

# It would look for libxml2's reader anew for every feed; expat is the one that is meant.
feedparser.api.PREFERRED_XML_PARSERS = []

# What no article is made of: a third of the elements of common feeds, and a picture's caption is not its summary.
_UNREAD_NAMESPACES = (
    *("http://wellformedweb.org/CommentAPI/", "http://purl.org/rss/1.0/modules/slash/"),
    *("http://purl.org/rss/1.0/modules/syndication/", "http://purl.org/syndication/thread/1.0"),
    *("http://www.georss.org/georss", "http://www.w3.org/2003/01/geo/wgs84_pos#"),
)
_MEDIA = "http://search.yahoo.com/mrss/"
_UNREAD = frozenset(
    [
        *((None, name) for name in ("comments", "enclosure", "source")),
        *((_MEDIA, name) for name in ("content", "thumbnail", "credit", "rating")),
    ]
)


class _Lean(feedparser.api.StrictFeedParser):  # type: ignore[misc]
    """feedparser's reader without the elements that nobody reads, nor what is inside them."""

    _skipping = 0

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:
        if self._skipping or ((name in _UNREAD or name[0] in _UNREAD_NAMESPACES) and not self.incontent):
            self._skipping += 1
        else:
            super().startElementNS(name, qname, attrs)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:
        if self._skipping:
            self._skipping -= 1
        else:
            super().endElementNS(name, qname)

    def characters(self, text: str) -> None:
        if not self._skipping:
            super().characters(text)


feedparser.api.StrictFeedParser = _Lean

_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,300}\?>")
_HTML = re.compile(r"<!doctype html|<html[\s>]", re.IGNORECASE)


def parse(
    body: bytes, *, feed: Feed, url: str, headers: Mapping[str, str], now: datetime, hashes: Sequence[str] = ()
) -> Parsed:
    """Read RSS 0.9x–2.0, RDF, Atom, CDF or JSON Feed. url: where the body came from; hashes: one for each entry.

    Raises ParseError (a sentence without the feed's name) if the body is none of these.
    """
    if not body.strip(b" \t\r\n\0"):
        raise ParseError("the answer is empty; the next poll tries again")
    text, used, note = encoding.decode(body, headers)
    notes = [f"encoding: {note} (read as {used})"] if note else []
    if jsonfeed.looks_like_json(text):
        return _from_json(text, Place(feed, url), now=now, hashes=hashes, notes=notes)
    result = _feedparser(text)
    if not result.get("version") and not result.entries:
        raise ParseError(_not_a_feed(text))
    if result.get("bozo") and not result.entries and _HTML.search(text[:2_000]):
        raise ParseError(_not_a_feed(text))
    if result.get("bozo"):
        notes.append(f"malformed XML: {_reason(result)}")
    notes += _unread(len(result.entries))
    head = result.feed
    place = Place(feed, url, home=_string(head.get("link")), language=_string(head.get("language")))
    raw = [_raw(entry, url) for entry in result.entries[:MAX_ENTRIES]]
    return Parsed(
        articles(raw, place, now=now, hashes=hashes),
        title=cleaning.shorten(cleaning.line(_string(head.get("title"))), 300),
        language=place.language,
        notes=tuple(notes),
    )


def _from_json(text: str, place: Place, *, now: datetime, hashes: Sequence[str], notes: Sequence[str]) -> Parsed:
    found = jsonfeed.read(text, limit=MAX_ENTRIES)
    place = replace(place, home=found.home, language=found.language)
    made = articles(found.entries, place, now=now, hashes=hashes)
    notes = [*notes, *_unread(found.total)]
    return Parsed(made, cleaning.shorten(cleaning.line(found.title), 300), found.language, tuple(notes))


def _unread(total: int) -> list[str]:
    return [too_many(MAX_ENTRIES, total - MAX_ENTRIES)] if total > MAX_ENTRIES else []


def _feedparser(text: str) -> Any:
    """feedparser's dict for text whose letters are settled: it is told UTF-8 and told so in both places.

    It is not told the address: it would join it with itself at every tag. Links are made absolute when they are read.
    """
    text = _XML_DECLARATION.sub("", text, count=1).lstrip("\ufeff \t\r\n\0")
    data = b'<?xml version="1.0" encoding="utf-8"?>' + text.encode("utf-8", "replace")
    headers = {"content-type": "application/xml; charset=utf-8"}
    try:
        return feedparser.parse(
            BytesIO(data), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except RecursionError:
        raise ParseError("the feed is nested too deeply to be read; tell its publisher") from None
    except MemoryError:
        raise
    except Exception as error:  # feedparser lets through whatever its XML and date readers raise
        raise ParseError(f"the feed cannot be read ({type(error).__name__}); tell its publisher") from error


def _not_a_feed(text: str) -> str:
    if _HTML.search(text[:5_000]):
        return "this is a web page, not a feed; give the address of the feed itself (the page may name it)"
    return "this is no feed that can be read (RSS, Atom, RDF or JSON Feed); check the address"


def _reason(result: Any) -> str:
    error = result.get("bozo_exception")
    return cleaning.shorten(" ".join(str(error).split()), 120) if error else "unknown"


def _raw(entry: Any, url: str) -> RawEntry:
    title = entry.get("title_detail") or {}
    summary = entry.get("summary_detail") or {}
    contents = [_string(c.get("value")) for c in entry.get("content") or [] if _is_text(c)]
    body = max(contents, key=len, default="")
    description = _string(entry.get("summary")) if _is_text(summary) else ""
    base = next((b for d in (title, summary) if (b := _string(d.get("base")))), url)
    return RawEntry(
        guid=_string(entry.get("id")),
        links=_links(entry),
        base=base if base.startswith(("http://", "https://")) else url,
        title=_markup(title, _string(entry.get("title"))),
        summary=_markup(summary, description),
        body=body,
        author=_author(entry),
        tags=[_string(t.get("label")) or _string(t.get("term")) for t in entry.get("tags") or []],
        dates=_dates(entry),
        language=_string(title.get("language")),
    )


def _is_text(detail: Any) -> bool:
    kind = _string(detail.get("type")) or "text/html"
    return kind.startswith("text/") or "html" in kind or "xml" in kind


def _markup(detail: Any, value: str) -> str:
    """Atom says which text is plain: there `<` is a letter. RSS says nothing, and anything may be markup."""
    plain = detail.get("type") == "text/plain" and "<" in value and not re.search(r"</?[a-zA-Z][^<>]*>|&\w+;", value)
    return value.replace("&", "&amp;").replace("<", "&lt;") if plain else value


def _links(entry: Any) -> list[str]:
    links = entry.get("links") or []
    pages = [
        _string(x.get("href")) for x in links if x.get("rel") == "alternate" and "html" in (x.get("type") or "html")
    ]
    others = [_string(x.get("href")) for x in links if x.get("rel") in (None, "alternate", "via", "related")]
    found = [_string(entry.get("feedburner_origlink")), *pages[:1], _string(entry.get("link")), *pages, *others]
    guid = _string(entry.get("id"))
    if "/" not in guid:  # RSS calls a GUID a link unless it says otherwise, but a bare number or name is none
        found = [link for link in found if link != guid]
    if guid.startswith(("http://", "https://")):
        found.append(guid)
    return [link for link in dict.fromkeys(found) if link]


def _author(entry: Any) -> str:
    names = [_string(a.get("name")) for a in entry.get("authors") or [] if a]
    names = [name for name in dict.fromkeys(names) if name]
    return "، ".join(names[:5]) or _string(entry.get("author"))


def _dates(entry: Any) -> list[str | datetime]:
    """The entry's dates in order of trust, each as written and then as feedparser understood it."""
    found: list[str | datetime] = []
    for name in ("published", "created", "updated", "date"):
        written = dict.get(entry, name)
        if isinstance(written, str) and written:
            found.append(written[:200])
        parsed = dict.get(entry, f"{name}_parsed")
        if parsed:
            try:
                found.append(datetime.fromtimestamp(calendar.timegm(parsed), UTC))
            except (ValueError, TypeError, OverflowError, OSError):
                continue
    return found


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
