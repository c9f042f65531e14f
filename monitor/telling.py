"""How alerts reach their channels: at once, one article or one story a message, or in a digest that goes later.

Law of this file: what may be told now and what must wait is decided by alerts.placing; an alert that only adds to a
message that its channel has already never waits, for an edit disturbs nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.alerts import placing
from monitor.flow import Flow
from monitor.model import Rule, Severity
from monitor.model_delivery import Mode, Place
from monitor.store.intake import Intake

# of a message: the lower goes first
PRIORITY: Mapping[Severity, int] = {Severity.HIGH: 0, Severity.NORMAL: 1, Severity.LOW: 2}


class Made(NamedTuple):
    """An alert on its way. rule: of the severity that the alert has; change: as of its verdict."""

    rule: Rule
    story_id: int
    alert_id: int
    hit_id: int
    change: str


@dataclass(slots=True)
class Teller:
    """Tells channels inside one transaction."""

    flow: Flow
    tx: Intake
    now: datetime

    def tell(self, made: Made, channels: Iterable[str]) -> None:
        """An alert by itself."""
        priority = PRIORITY[made.rule.severity]
        for place in self._places(channels, made.rule.severity):
            waits = place.mode is Mode.DIGEST
            if waits and (made.change or not self.tx.is_told(place.channel, made.story_id)):
                self.tx.collect([made.alert_id], place, self.now, priority=priority)
            elif place.mode is Mode.EACH and not made.change:
                self.tx.post_article(made.alert_id, made.hit_id, place.channel, self.now, priority=priority)
            else:
                self.tx.post(
                    made.alert_id, made.story_id, [place.channel], self.now, change=made.change, priority=priority
                )

    def tell_together(self, made: Sequence[Made], channel: str, why: str) -> None:
        """Alerts that come as one digest, which begins no cooldown. why: as for Telling.post_digest."""
        ids = [one.alert_id for one in made]
        severity = min((one.rule.severity for one in made), key=PRIORITY.__getitem__)
        priority = PRIORITY[severity]
        self.tx.released(ids)
        for place in self._places([channel], severity):
            if place.mode is Mode.DIGEST:
                self.tx.collect(ids, place, self.now, priority=priority)
            else:
                self.tx.post_digest(ids, [channel], self.now, why=why, priority=priority)

    def tell_each(self, rule: Rule, story_id: int, hit_id: int, channels: Iterable[str]) -> None:
        """A further article of a story that the rule alerted, to those of the channels that want each."""
        wanting = [name for name in channels if self.flow.channels[name].mode is Mode.EACH]
        alert_id = self.tx.first_alert(rule.id, story_id) if wanting else None
        if alert_id is None:
            return
        priority = PRIORITY[rule.severity]
        for place in self._places(wanting, rule.severity):
            if place.mode is Mode.EACH:
                self.tx.post_article(alert_id, hit_id, place.channel, self.now, priority=priority)
            else:
                self.tx.collect([alert_id], place, self.now, priority=priority)

    def _places(self, channels: Iterable[str], severity: Severity) -> list[Place]:
        return [self._place(name, severity) for name in dict.fromkeys(channels)]

    def _place(self, name: str, severity: Severity) -> Place:
        channel = self.flow.channels[name]
        told = self.tx.crowd(name, self.now - channel.burst_window) if channel.burst else (0, 0)
        zone = ZoneInfo(channel.timezone or self.flow.timezone)
        return placing.place(channel, severity, self.now, zone, placing.Crowd(*told))
