"""Cut a feed's bytes into entries without parsing it, so that only entries not seen before reach the parser.

The quick cut searches for the tags and then checks, entry by entry, that no tag it used lay inside CDATA or a
comment. Where the check fails, a slower scan that understands both does the work; where that fails too, the answer is
None and the whole feed must be parsed. Entries are hashed byte for byte: nothing is normalised.

Of a feed with more than MOST_CUT entries the first ones are cut and the others left unseen: feeds put new entries
first, and to hash and look up a hundred thousand at each change would keep the others waiting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from xxhash import xxh3_64_hexdigest

_ROOT = re.compile(rb"<((?:[A-Za-z_][\w.-]*:)?)(rss|feed|RDF)(?=[\s>])")
_WIDE = re.compile(rb"encoding\s*=\s*[\"'](?:utf-?16|utf-?32|ucs|iso-10646|utf-?7|ebcdic|cp037)", re.IGNORECASE)
Kinds = tuple[tuple[bytes, bytes], ...]
_SECTIONS: Kinds = ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->"))
_SPACE = b" \t\r\n>/"
_BLANK = re.compile(rb"\s*")
_SUBSET_END = re.compile(rb"\]\s*>")
# The cut runs in the daemon's own process: a hostile body must not keep it busy.
MOST_CUT = 20_000  # of one feed that are looked at
_MAX_TOKENS = 100_000
_MAX_MARKS = 500_000  # a sound feed of 15 MB has fewer `<`


@dataclass(frozen=True, slots=True)
class Split:
    """A feed in pieces. head: all bytes outside entries; at: where in head the entries belong; hashes: xxh3, hex.

    beyond: how many entries follow those that were cut.
    """

    head: bytes
    at: int
    entries: list[bytes]
    hashes: list[str]
    beyond: int = 0


def split(body: bytes) -> Split | None:
    """The entries of an RSS, RDF or Atom body; None if it has none or cannot be cut with certainty."""
    names = _entry_tags(body)
    for name in names:
        places = _quick(body, name)
        if places is None:
            places = _careful(body, name)
        if places:
            return _cut(body, name, places)
    return None


def document(parts: Split, indexes: Iterable[int]) -> bytes:
    """The feed with only the entries at `indexes`, in that order: what the parser needs to read them."""
    chosen = b"\n".join(parts.entries[i] for i in indexes)
    return b"".join((parts.head[: parts.at], chosen, parts.head[parts.at :]))


def _entry_tags(body: bytes) -> tuple[bytes, ...]:
    """The tag names that may hold entries, likeliest first; empty where the root is no feed's."""
    start = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    at = _after_prolog(body, start)
    root = _ROOT.match(body, at) if at >= 0 else None
    if root is None or _WIDE.search(body, start, at):
        return ()
    prefix, local = root.group(1), root.group(2)
    if local == b"feed":
        return (prefix + b"entry",)
    if local == b"rss":
        return (b"item", prefix + b"item") if prefix else (b"item",)
    names = re.findall(rb"<((?:[A-Za-z_][\w.-]*:)?)channel[\s>]", body[at : at + 20_000])[:2]
    return tuple(dict.fromkeys([*(p + b"item" for p in names), b"item"]))


def _after_prolog(body: bytes, at: int) -> int:
    """Where the root element starts: past declaration, instructions, comments and doctype; -1 if one never ends."""
    for _ in range(100):
        blank = _BLANK.match(body, at)
        at = blank.end() if blank else at
        if body.startswith(b"<?", at):
            end = body.find(b"?>", at) + 2
        elif body.startswith(b"<!--", at):
            end = body.find(b"-->", at) + 3
        elif body[at : at + 9].upper() == b"<!DOCTYPE":
            end = body.find(b">", at) + 1
            if b"[" in body[at:end]:
                subset = _SUBSET_END.search(body, at)
                end = subset.end() if subset else 0
        else:
            return at
        if end <= at:
            return -1
        at = end
    return -1


def _quick(body: bytes, name: bytes) -> list[tuple[int, int]] | None:
    """Places of entries found by search alone; None where a check shows that search alone may be wrong."""
    opening, closing = b"<" + name, b"</" + name + b">"
    find, tail = body.find, len(closing)
    places: list[tuple[int, int]] = []
    kinds = tuple(kind for kind in _SECTIONS if kind[0] in body)
    gap = 0
    start = _opening(body, opening, 0)
    while start >= 0:
        end = find(closing, start)
        following = _opening(body, opening, start + 1)
        if end < 0 or 0 <= following < end:
            return None
        if _inside(body, start, end, kinds):
            return None
        if not places or not body[gap:start].isspace():  # mostly a line's end, in which nothing can hide
            if _inside(body, gap, start, kinds):
                return None
            if places and (find(b"<!", gap, start) >= 0 or find(closing, gap, start) >= 0):
                return None
        gap = end + tail
        places.append((start, gap))
        if len(places) == MOST_CUT:
            return places
        start = following
    return None if not places or find(b"<!", gap) >= 0 or find(b"</" + name, gap) >= 0 else places


def _opening(body: bytes, opening: bytes, at: int) -> int:
    """The next place of the tag itself, not of a longer name that starts like it; -1 if there is none."""
    at = body.find(opening, at)
    if at < 0 or body[at + len(opening) : at + len(opening) + 1] in _SPACE:
        return at
    found = re.compile(re.escape(opening) + rb"(?=[ \t\r\n>/])").search(body, at)  # millions of them are slow in a loop
    return found.start() if found else -1


def _inside(body: bytes, start: int, end: int, kinds: Kinds) -> bool:
    """Whether `end` may lie inside a section that opens in [start, end). kinds: the sections that body has at all."""
    for opening, closing in kinds:
        # The last close is looked for first: it is mostly near the end, and what follows it is short.
        closed = body.rfind(closing, start, end)
        if body.find(opening, closed if closed >= 0 else start, end) >= 0:
            return True
    return False


def _careful(body: bytes, name: bytes) -> list[tuple[int, int]] | None:
    """Places of entries by a scan that steps over CDATA, comments and instructions and counts nesting."""
    token = re.compile(rb"<!\[CDATA\[|<!--|<\?|<(/?)" + re.escape(name) + rb"(?=[\s>/])")
    ends = {b"<![CDATA[": b"]]>", b"<!--": b"-->", b"<?": b"?>"}
    if body.count(b"<") > _MAX_MARKS:
        return None
    places: list[tuple[int, int]] = []
    depth = at = begun = 0
    for _ in range(_MAX_TOKENS):
        match = token.search(body, at)
        if match is None:
            return places if depth == 0 and places else None
        stop = ends.get(match.group(0))
        at = body.find(stop or b">", match.end())
        if at < 0:
            return None
        at += len(stop or b">")
        if stop:
            continue
        if match.group(1):
            depth -= 1
            if depth < 0:
                return None
            if depth == 0:
                places.append((begun, at))
        elif body[at - 2 : at - 1] == b"/":
            if depth == 0:
                places.append((match.start(), at))
        else:
            begun = match.start() if depth == 0 else begun
            depth += 1
    return None


def _cut(body: bytes, name: bytes, places: list[tuple[int, int]]) -> Split:
    entries = [body[start:end] for start, end in places]
    first, last = places[0][0], places[-1][1]
    beyond = 0
    if len(places) == MOST_CUT:
        closing = b"</" + name + b">"
        beyond = body.count(closing, last)
        last = body.rfind(closing, last) + len(closing) if beyond else last
    between = [body[a:b] for (_, a), (b, _) in pairwise(places)]
    # What stands between entries belongs to the feed (a channel's title may follow its items): keep it before them.
    before = body[:first] + b"".join(piece for piece in between if not piece.isspace() and piece)
    hashes = [xxh3_64_hexdigest(entry) for entry in entries]
    return Split(before + body[last:], len(before), entries, hashes, beyond)
