"""Which feeds does a web page offer? Its <link rel="alternate">, links that look like feeds, then common places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

from monitor.feeds import cleaning
from monitor.feeds.urls import canonical, link

MAX_CHARACTERS = 2_000_000
MAX_FOUND = 50
_TYPES = (
    *("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"),
    *("application/xml", "text/xml", "application/json"),
)
_LOOKS_LIKE = re.compile(
    r"(?:/|\b)(?:rss|feeds?|atom|rdf)(?:\.xml|\.rdf|\.php|\.aspx?|\.json)?/?(?:$|\?)|/(?:rss|feeds?)/|\.rss$", re.I
)
COMMON = ("/feed", "/rss.xml", "/rss", "/feed.xml", "/atom.xml", "/ar/rss.xml", "/ar/rss", "/feed.json", "/index.xml")


@dataclass(frozen=True, slots=True)
class Offer:
    """A feed that a page offers. how: declared, linked or guessed; a guess has not been looked at."""

    url: str
    title: str
    how: str


def offers(html: str, url: str) -> list[Offer]:
    """The feeds of the page at url, surest first, each address once; of the guesses only those not named by the page.

    Reads at most MAX_CHARACTERS; never raises.
    """
    reader = _Links()
    try:
        reader.feed(html[:MAX_CHARACTERS])
    except (ValueError, AssertionError, RecursionError):  # html.parser gives up on some malformed declarations
        reader.rawdata = ""
    base = link(reader.base, url) if reader.base else url
    found: dict[str, Offer] = {}
    wanted = [*((one, "declared") for one in reader.declared), *((one, "linked") for one in reader.linked)]
    for (target, title), how in wanted[: 4 * MAX_FOUND]:
        full = link(target, base)
        if full:
            found.setdefault(canonical(full), Offer(full, title, how))
    for path in COMMON:
        full = urljoin(url, path)
        found.setdefault(canonical(full), Offer(full, "", "guessed"))
    return list(found.values())[:MAX_FOUND]


class _Links(HTMLParser):
    """The places that a page names; comments and scripts are passed over by the parser itself."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base = ""
        self.declared: list[tuple[str, str]] = []
        self.linked: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        target = known.get("href", "").strip()
        title = cleaning.line(known.get("title", ""))[:200]
        if not target:
            return
        if tag == "base" and not self.base:
            self.base = target
        elif tag == "link" and "alternate" in known.get("rel", "").lower().split():
            kind = known.get("type", "").partition(";")[0].strip().lower()
            if kind in _TYPES and "oembed" not in target and "wp-json" not in target:
                self.declared.append((target, title))
        elif tag == "a" and _LOOKS_LIKE.search(target.partition("#")[0]) and len(self.linked) < 4 * MAX_FOUND:
            self.linked.append((target, title))
