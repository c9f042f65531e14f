"""Telegram's HTML style, parsed as strictly as the Bot API does: unknown tags, bad nesting and bare < are refused."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

_SIMPLE = {
    **{"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline"},
    **{"s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler"},
    **{"code": "code", "pre": "pre", "blockquote": "blockquote", "a": "text_link"},
}
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s+[a-z-]+(?:=(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s<>\"']+))?)*)\s*>")
_ATTRIBUTE = re.compile(r"([a-z-]+)=(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|lt|gt|amp|quot);")
_STRIPPED = re.compile("[\u202a-\u202e]")


class EntityError(Exception):
    """The words after "can't parse entities:"."""


def parse_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    """(text, entities with offset and length in UTF-16 code units). Raises EntityError."""
    text: list[str] = []
    length = 0
    open_tags: list[tuple[str, str, int, str]] = []
    entities: list[dict[str, Any]] = []
    at = 0
    while at < len(source):
        char = source[at]
        if char == "<":
            found = _TAG.match(source, at)
            if not found:
                raise EntityError(f"Unsupported start tag at byte offset {len(source[:at].encode())}")
            closing, tag, attributes = found.group(1), found.group(2).lower(), found.group(3)
            if tag not in _SIMPLE:
                raise EntityError(f'Unsupported start tag "{tag}" at byte offset {len(source[:at].encode())}')
            if closing:
                entities += _close(open_tags, tag, length)
            else:
                open_tags.append((tag, _SIMPLE[tag], length, _href(attributes)))
            at = found.end()
            continue
        piece, at = _character(source, at)
        text.append(piece)
        length += len(piece.encode("utf-16-le")) // 2
    if open_tags:
        raise EntityError(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    return "".join(text), [e for e in entities if e["length"] or e["type"] == "pre"][:100]


def covered(text: str, entity: dict[str, Any]) -> str:
    """The words that an entity covers."""
    start = entity["offset"] * 2
    return text.encode("utf-16-le")[start : start + entity["length"] * 2].decode("utf-16-le")


def _close(open_tags: list[tuple[str, str, int, str]], tag: str, length: int) -> list[dict[str, Any]]:
    if not open_tags:
        raise EntityError(f'Unexpected end tag "{tag}"')
    name, kind, start, href = open_tags.pop()
    if name != tag:
        raise EntityError(f'Unmatched end tag, expected "</{name}>", found "</{tag}>"')
    entity: dict[str, Any] = {"type": kind, "offset": start, "length": length - start}
    if kind == "text_link":
        if not href:
            return []
        entity["url"] = href
    return [entity]


def _href(attributes: str) -> str:
    for found in _ATTRIBUTE.finditer(attributes):
        if found.group(1) == "href":
            return unescape(found.group(2) or found.group(3) or found.group(4) or "")
    return ""


def _character(source: str, at: int) -> tuple[str, int]:
    if source[at] == "&":
        found = _ENTITY.match(source, at)
        if found:
            return unescape(found.group()), found.end()
    return _STRIPPED.sub("", source[at]), at + 1
