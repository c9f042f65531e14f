"""JSON Feed 1.0 and 1.1 (feedparser reads XML only). Pure: text in, raw entries out; wrong types are passed over."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass

from monitor.errors import ParseError
from monitor.feeds.entry import RawEntry


@dataclass(frozen=True, slots=True)
class JsonFeed:
    """A JSON Feed's own fields and its entries. total: how many it has, those beyond the limit included."""

    title: str
    home: str
    language: str
    entries: list[RawEntry]
    total: int


def looks_like_json(text: str) -> bool:
    return text[:200].lstrip("\ufeff \t\r\n").startswith("{")


def read(text: str, *, limit: int) -> JsonFeed:
    """The first `limit` entries of a JSON Feed; ParseError if the text is other JSON or none."""
    try:
        data = json.loads(text.lstrip("\ufeff"), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ParseError(f"the JSON is broken{place}; the next poll tries again") from None
    items = data.get("items") if isinstance(data, dict) else None
    version = _text(data, "version") if isinstance(data, dict) else ""
    if not isinstance(items, list) or ("jsonfeed.org" not in version and not _text(data, "title")):
        raise ParseError("this JSON is no JSON Feed; give the address of the outlet's feed")
    entries = [_entry(item) for item in items[:limit] if isinstance(item, dict)]
    return JsonFeed(_text(data, "title"), _text(data, "home_page_url"), _text(data, "language"), entries, len(items))


def _entry(item: dict[object, object]) -> RawEntry:
    body = _text(item, "content_html") or html.escape(_text(item, "content_text")).replace("\n", "<br>")
    authors = [_text(a, "name") for a in _list(item, "authors") if isinstance(a, dict)]
    author = item.get("author")
    if isinstance(author, dict):
        authors.append(_text(author, "name"))
    tags = [tag for tag in _list(item, "tags") if isinstance(tag, str)]
    return RawEntry(
        guid=_text(item, "id"),
        links=[_text(item, "url"), _text(item, "external_url")],
        title=html.escape(_text(item, "title"), quote=False),
        summary=html.escape(_text(item, "summary"), quote=False).replace("\n", "<br>"),
        body=body,
        author=html.escape("، ".join(dict.fromkeys(name for name in authors if name)), quote=False),
        tags=[html.escape(tag, quote=False) for tag in tags],
        dates=[_text(item, "date_published"), _text(item, "date_modified")],
        language=_text(item, "language"),
    )


def _text(holder: dict[object, object], name: str) -> str:
    value = holder.get(name)
    if isinstance(value, str):
        return value
    return str(value) if name == "id" and isinstance(value, int | float) and not isinstance(value, bool) else ""


def _list(holder: dict[object, object], name: str) -> list[object]:
    value = holder.get(name)
    return value if isinstance(value, list) else []
