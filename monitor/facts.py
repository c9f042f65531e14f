"""What is known when a hit is decided on, asked of the store inside the transaction that decides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

from monitor.alerts.decide import HOUR, Known
from monitor.alerts.silences import silence_of, told
from monitor.flow import Flow
from monitor.model import Article, Hit, Rule, Silence
from monitor.store.intake import Intake
from monitor.stories import headline
from monitor.stories.signature import sign


@dataclass(slots=True)
class Facts:
    """Asks for one transaction. What stays the same in it is asked once."""

    flow: Flow
    tx: Intake
    _silences: list[Silence] | None = field(default=None, init=False)

    def of_new(self, rule: Rule, story_id: int, article: Article, change: str = "") -> Known:
        """For a new hit. change: the number that its article changed in the story, "4 → 7"."""
        return replace(
            self._of(rule, story_id),
            change=self._untold(rule, story_id, article, change),
            silence=self.silence(rule.id, story_id, article),
        )

    def of_held(self, rule: Rule | None, hit: Hit) -> Known:
        """For a hit that waits. rule None: no longer in the rule files."""
        if rule is None:
            return Known(self.tx.alerted(hit.rule_id, hit.story_id))
        known = self._of(rule, hit.story_id)
        counts = hit.code == "number_waits"
        if not (counts or self._in_force()):
            return known
        article = self.tx.text_of(hit.id)
        change = self._untold(rule, hit.story_id, article, self.tx.headline_of(hit.id)[1]) if counts else ""
        return replace(known, change=change, silence=self.silence(rule.id, hit.story_id, article))

    def _of(self, rule: Rule, story_id: int) -> Known:
        often = rule.max_per_hour and self.tx.alert_before(rule.id, rule.max_per_hour)
        return Known(
            alerted=self.tx.alerted(rule.id, story_id),
            last_alert=self.tx.last_alert(rule.id),
            hour_full=often + HOUR if often else None,
            told_by=next((one for one in rule.muted_by if self.tx.alerted(one, story_id)), ""),
        )

    def silence(self, rule_id: str, story_id: int, article: Article) -> str:
        """The silence that a hit of the rule is under, in words; "": none."""
        says = partial(self._says, article)
        found = silence_of(self._in_force(), rule_id, story_id, article.outlet_id, says)
        return told(found, self.flow.timezone) if found else ""

    def _in_force(self) -> list[Silence]:
        if self._silences is None:
            self._silences = self.tx.silences()
        return self._silences

    def _says(self, article: Article, query: str) -> bool:
        return self.flow.queries.holds(query, article)

    def _untold(self, rule: Rule, story_id: int, article: Article, change: str) -> str:
        """The number that an article changed since the rule last alerted the story, where the rule asks for it and none
        of its alerts told it; else "". change: since the article that it was found like, which the rule may not have
        hit."""
        titles = self.tx.told_titles(rule.id, story_id) if rule.developments else []
        if not titles:
            return ""
        later = sign(article).title
        told = [sign(replace(article, title=title)).title for title in titles]
        change = headline.change(told[-1], later) or change
        return "" if any(headline.gives(one, later, change) for one in told) else change
