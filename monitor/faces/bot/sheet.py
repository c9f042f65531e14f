"""An answer of the bot: lines of text in the reader's direction, within Telegram's limit, as HTML and plain.

Whatever comes from outside is cleaned, cut and isolated here before it is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from monitor.alerts import passages
from monitor.alerts import words as alert_words
from monitor.alerts.passages import Mark, Passage
from monitor.alerts.pieces import Piece, Portions, Scene, linked, outlet_name, row, said, short_name, strong
from monitor.faces.bot import words
from monitor.model import Article, Outlet, Rule, Span

LIMIT = 4000  # code points; Telegram takes 4096
LONGEST_TITLE = 160
_PORTIONS = Portions(title=LONGEST_TITLE, passage=300, name=80, others=8, rules=6)


@dataclass(slots=True)
class Sheet:
    """An answer under way. result: what the audit log says of it."""

    language: str
    zone: str
    now: datetime
    rules: Mapping[str, Rule] = field(default_factory=dict)
    result: str = "answered"
    rows: list[list[Piece]] = field(default_factory=list)

    @property
    def scene(self) -> Scene:
        """What the pieces of alerts need to know."""
        return Scene(self.rules, self.language, ZoneInfo(self.zone), self.now, _PORTIONS)

    # ── pieces ──

    def phrase(self, key: str, **given: object) -> str:
        """A sentence of the bot's own. What is put in must be clean."""
        return words.phrase(key, self.language).format(**given)

    def name(self, text: str) -> str:
        """A short text from outside, fit to stand in a sentence."""
        return short_name(text, _PORTIONS.name, self.scene.rtl)

    def written(self, command: str) -> str:
        """A command as it is typed, which keeps its slash before it in a line that runs the other way."""
        shown = passages.cut(passages.clean(command, limit=400).text, _PORTIONS.name)
        return f"{passages.FSI}{shown}{passages.PDI}" if self.scene.rtl else shown

    def when(self, moment: datetime | None) -> str:
        """A moment in the reader's zone."""
        if moment is None:
            return self.phrase("never")
        return alert_words.moment(moment, ZoneInfo(self.zone), self.language, self.now)

    def rule_name(self, rule_id: str) -> str:
        """A rule's name in the reader's language, and its id, by which commands call it."""
        rule = self.rules.get(rule_id)
        named = (rule.name(self.language) or rule.name_en or rule.name_ar) if rule else ""
        return f"{self.name(named)} ({self.name(rule_id)})" if named and named != rule_id else self.name(rule_id)

    def outlet(self, outlet: Outlet | None, article: Article) -> str:
        """An outlet's name in the reader's language."""
        return outlet_name(outlet, self.scene) if outlet else self.name(article.outlet_id)

    def headline(self, title: str, url: str = "") -> Piece:
        """A headline, linked where there is an address."""
        shown = passages.cut(passages.clean(title, limit=4000).text, LONGEST_TITLE)
        shown = shown or alert_words.phrase("untitled", self.language)
        return linked(passages.isolate(Passage(shown), passages.is_rtl(shown, self.scene.rtl)).text, url)

    def fates(self, counts: Mapping[str, int]) -> str:
        """«3 أُرسلت، 1 مكتومة»."""
        told = [f"{number} {words.fate(one, self.language)}" for one, number in counts.items()]
        return self.phrase("comma").join(told) or "0"

    # ── lines ──

    def say(self, key: str, **given: object) -> Sheet:
        """Add a sentence on a line of its own."""
        return self.line(said(self.phrase(key, **given)))

    def title(self, text: str) -> Sheet:
        """Add a heading."""
        return self.line(strong(text))

    def line(self, *pieces: Piece | str) -> Sheet:
        """Add a line."""
        made = [said(one) if isinstance(one, str) else one for one in pieces]
        self.rows.append(row(made, self.scene))
        return self

    def passage(self, text: str, spans: Sequence[Span], name: str) -> Sheet:
        """Add the best matched place of a text, its words in bold; nothing where none of the spans is of that field."""
        marked = passages.clean(text, (Mark(one.start, one.end, one.term) for one in spans if one.field == name))
        if marked.marks:
            shown = passages.around(marked, _PORTIONS.passage)
            shown = passages.isolate(shown, passages.is_rtl(shown.text, self.scene.rtl))
            self.rows.append([Piece(shown.text, f"<blockquote>{passages.to_html(shown)}</blockquote>")])
        return self

    def code(self, text: str, longest: int = 1200) -> Sheet:
        """Add something written for machines, like a query, as it stands."""
        lines = [passages.clean(one).text for one in text[: longest * 2].splitlines()]
        shown = passages.cut("\n".join(one for one in lines if one), longest)
        self.rows.append([Piece(shown, f"<pre>{escape(shown)}</pre>")])
        return self

    # ── the whole ──

    def html(self) -> str:
        """The answer as Telegram's HTML."""
        return "\n".join("".join(piece.html for piece in one) for one in self._fitting())

    def text(self) -> str:
        """The same without formatting."""
        return "\n".join("".join(piece.text for piece in one) for one in self._fitting())

    def _fitting(self) -> list[list[Piece]]:
        """As many lines as Telegram takes."""
        if not self.rows:
            return [[said(self.phrase("nothing"))]]
        total = 0
        kept: list[list[Piece]] = []
        for one in self.rows:
            total += sum(len(piece.text) for piece in one) + 1
            if total > LIMIT:
                return [*kept, [said(passages.ELLIPSIS)]] if kept else [[said(passages.cut(_plain(one), LIMIT))]]
            kept.append(one)
        return kept


def _plain(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)
