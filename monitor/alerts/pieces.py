"""The pieces that messages are laid out of: short stretches with their HTML, and the scene they are made for.

Every piece is cut and cleaned before it is escaped; nothing here looks at the length of a whole message.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from monitor.alerts import passages, words
from monitor.alerts.passages import Passage
from monitor.model import ESCALATED, Article, Outlet, Rule, Severity
from monitor.model_delivery import StoryLines

_SILENT = ("Mn", "Me", "Cf")  # marks above letters and signs of direction, at which a hashtag would end
ORDER = (Severity.HIGH, Severity.NORMAL, Severity.LOW)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a line: its text, and its HTML."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Link(Piece):
    """A piece that leads somewhere; alone: its address gets a line of its own in plain text."""

    link: str = ""
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Portions:
    """How much of each part is shown (code points, others: links). all: what does not fit asks for smaller portions,
    else it is counted."""

    title: int
    passage: int
    name: int
    others: int
    rules: int
    links: bool = True
    all: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a layout needs besides the stories."""

    rules: Mapping[str, Rule]
    language: str
    zone: ZoneInfo
    now: datetime
    portions: Portions
    plain: bool = False  # laid out as plain text, where addresses take room
    hashtags: bool = False  # wanted

    @property
    def rtl(self) -> bool:
        """Whether the message's own words are Arabic."""
        return words.base(self.language) == "ar"


def said(text: str) -> Piece:
    """Text as it is."""
    return Piece(text, escape(text))


def strong(text: str) -> Piece:
    """Text in bold."""
    return Piece(text, f"<b>{escape(text)}</b>") if text else Piece("", "")


def linked(text: str, url: str, *, bold: bool = False, alone: bool = False) -> Piece:
    """Text that leads to a URL, if that is one that may be followed."""
    html = escape(text)
    link = passages.safe_url(url)
    if link:
        html = f'<a href="{escape(link)}">{html}</a>'
    return Link(text, f"<b>{html}</b>" if bold else html, link, alone)


def short_name(text: str, limit: int, rtl: bool) -> str:
    """A short name inside a line of the message's own words, isolated where it runs the other way."""
    shown = passages.cut(passages.clean(text, limit=2000).text, limit)
    isolated = passages.isolate(Passage(shown), rtl).text
    return isolated.lstrip(passages.RLM)


def row(pieces: Iterable[Piece], scene: Scene) -> list[Piece]:
    """A line of the message's own words; in Arabic it never begins as Latin."""
    shown = [piece for piece in pieces if piece.text]
    if scene.rtl and passages.begins_foreign("".join(piece.text for piece in shown)):
        return [said(passages.RLM), *shown]
    return shown


def severity_mark(story: StoryLines, scene: Scene) -> str:
    """The coloured mark of the gravest of a story's rules."""
    chosen = [scene.rules[i] for i in story.rule_ids if i in scene.rules]
    if story.high:
        return words.MARKS[Severity.HIGH]
    return words.MARKS[gravest(chosen) if chosen else Severity.NORMAL]


def gravest(rules: Sequence[Rule]) -> Severity:
    """The highest severity of at least one rule."""
    return min((rule.severity for rule in rules), key=ORDER.index)


def rule_name(rule_id: str, scene: Scene) -> str:
    """A rule's name in the message's language, else in the other, else its id."""
    rule = scene.rules.get(rule_id)
    named = (rule.name("ar" if scene.rtl else "en") or rule.name_en or rule.name_ar) if rule else ""
    return short_name(named or rule_id, scene.portions.name, scene.rtl)


def hashtag(rule_id: str, scene: Scene) -> str:
    """A rule's name as Telegram links it: letters, digits and _ alone, #مسيرات_شاهد; "" where no letter is left."""
    rule = scene.rules.get(rule_id)
    named = (rule.name("ar" if scene.rtl else "en") or rule.name_en or rule.name_ar) if rule else ""
    for name in (named, rule_id):
        bare = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) not in _SILENT)
        words_ = re.findall(r"[^\W_]+", bare.replace("\u0640", ""))
        if any(c.isalpha() for word in words_ for c in word):
            return "#" + "_".join(words_)
    return ""


def weight(rule_id: str, scene: Scene) -> int:
    """Orders rule ids: grave first, unknown last."""
    return ORDER.index(scene.rules[rule_id].severity) if rule_id in scene.rules else len(ORDER)


def short_title(article: Article, scene: Scene) -> str:
    """An article's title in its own direction, cut to its portion."""
    title = passages.clean(article.title, limit=4000).text or passages.clean(article.summary, limit=4000).text
    title = passages.cut(title, scene.portions.title) or words.phrase("untitled", scene.language)
    return passages.isolate(Passage(title), passages.is_rtl(title, scene.rtl)).text


def headline(article: Article, scene: Scene, *, bold: bool = True) -> Piece:
    """An article's linked title; in plain text its address stands below."""
    return linked(short_title(article, scene), article.url, bold=bold, alone=True)


def arrowed(change: str, scene: Scene) -> str:
    """A number that changed, "4 → 7", with the arrow of the message's direction; ESCALATED in words."""
    if change == ESCALATED:
        return words.phrase("escalated", scene.language)
    return change.replace("→", words.phrase("arrow", scene.language))


def outlet_name(outlet: Outlet, scene: Scene) -> str:
    """An outlet's name in the message's language."""
    named = outlet.name("ar" if scene.rtl else "en") or outlet.name_en or outlet.name_ar or outlet.id
    return short_name(named, scene.portions.name, scene.rtl)


def length(row: Sequence[Piece], scene: Scene) -> int:
    """What a row takes, its newline and, in plain text, its address included."""
    links = sum(len(piece.link) + 1 for piece in row if isinstance(piece, Link) and piece.alone) if scene.plain else 0
    return sum(len(piece.text) for piece in row) + links + 1
