"""OPML, the list of feeds that other readers export, read without trusting it: no DTD, no entities, bounded."""

from __future__ import annotations

from dataclasses import dataclass
from xml.parsers import expat

from monitor.errors import ParseError
from monitor.feeds.urls import canonical, link

MAX_BYTES = 5_000_000
MAX_FEEDS = 5_000
_MAX_DEPTH = 100
_MAX_TEXT = 300


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed in an OPML file. folders: the titles of the outlines around it, outermost first."""

    url: str
    title: str
    site: str = ""
    folders: tuple[str, ...] = ()


def read(body: bytes) -> list[Subscription]:
    """The feeds of an OPML file, each address once, in its order. ParseError says what is wrong and the mend."""
    if len(body) > MAX_BYTES:
        raise ParseError("the OPML file is larger than 5 MB: split it")
    reading = _Reading()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.ExternalEntityRefHandler = _refuse_doctype
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise ParseError(f"the OPML file cannot be read ({error}): export it again") from None
    if reading.root != "opml":
        raise ParseError("this is no OPML file: export the feeds of your reader as OPML")
    return list(reading.found.values())


def _refuse_doctype(*_: object) -> int:
    raise ParseError("the OPML file declares a DOCTYPE or entities, which are not read here: remove them")


class _Reading:
    def __init__(self) -> None:
        self.root = ""
        self.found: dict[str, Subscription] = {}
        self._titles: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.root = self.root or name.lower()
        if len(self._titles) >= _MAX_DEPTH:
            raise ParseError(f"the OPML file is nested deeper than {_MAX_DEPTH} levels: export it again")
        known = {key.lower(): value for key, value in attributes.items()}
        title = " ".join((known.get("title") or known.get("text") or "").split())[:_MAX_TEXT]
        url = link(known.get("xmlurl", ""), "") if name.lower() == "outline" and known.get("xmlurl") else ""
        if url and canonical(url) not in self.found:
            if len(self.found) >= MAX_FEEDS:
                raise ParseError(f"the OPML file names more than {MAX_FEEDS} feeds: split it")
            folders = tuple(one for one in self._titles if one)
            site = link(known.get("htmlurl", ""), url) if known.get("htmlurl") else ""
            self.found[canonical(url)] = Subscription(url, title, site, folders)
        self._titles.append(title if name.lower() == "outline" and not url else "")

    def end(self, _: str) -> None:
        self._titles.pop()
