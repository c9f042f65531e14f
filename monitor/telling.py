"""How alerts reach their channels: at once, one article or one story a message, or in a digest that goes later.

Law of this file: what may be told now and what must wait is decided by alerts.placing; an alert that only adds to a
message that its channel has already never waits, for an edit disturbs nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.alerts import placing
from monitor.flow import Flow
from monitor.model import ESCALATED, Rule, Severity
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
        for place in self._places(channels, made.rule.severity):
            if place.mode is Mode.DIGEST and not self._is_told(place.channel, made):
                self.tx.collect([made.alert_id], place, self.now, priority=PRIORITY[made.rule.severity])
            else:
                self._post(place.channel, made)

    def tell_together(self, made: Sequence[Made], channel: str, why: str) -> None:
        """Alerts that come as one digest, but for stories that the channel has a message of: that one shows them. It
        begins no cooldown of rules that have several there. why: as for Telling.post_digest; of what was held till now,
        the alert of a rule that has no other comes by itself."""
        of_rule = Counter(one.rule.id for one in made)
        several = [one for one in made if of_rule[one.rule.id] > 1]
        self.tx.released([one.alert_id for one in several])
        if why == "released":
            for one in made:
                if of_rule[one.rule.id] == 1:
                    self.tell(one, [channel])
            made = several
        places = {severity: self._place(channel, severity) for severity in {one.rule.severity for one in made}}
        untold: dict[tuple[int, str], list[Made]] = {}
        for one in made:
            if self._is_told(channel, one):
                self._post(channel, one)
            else:
                untold.setdefault((one.story_id, one.change), []).append(one)
        at_once = []
        for of_story in untold.values():
            severity = _gravest(of_story)
            if places[severity].mode is Mode.DIGEST:
                ids = [one.alert_id for one in of_story]
                self.tx.collect(ids, places[severity], self.now, priority=PRIORITY[severity])
            else:
                at_once.append(of_story)
        if len(at_once) == 1:
            for one in at_once[0]:
                self._post(channel, one)
        elif at_once:
            all_of_them = [one for of_story in at_once for one in of_story]
            ids, priority = [one.alert_id for one in all_of_them], PRIORITY[_gravest(all_of_them)]
            self.tx.post_digest(ids, [channel], self.now, why=why, priority=priority)

    def tell_each(self, rule: Rule, story_id: int, hit_id: int, channels: Iterable[str]) -> None:
        """A further article of a story that the rule alerted, to those of the channels that want each."""
        wanting = [name for name in channels if self.flow.channels[name].mode is Mode.EACH]
        alert_id = self.tx.first_alert(rule.id, story_id) if wanting else None
        if alert_id is not None:
            self.tell(Made(rule, story_id, alert_id, hit_id, ""), wanting)

    def _is_told(self, channel: str, made: Made) -> bool:
        """Whether the channel has a message that shows the alert by an edit alone."""
        if made.change:
            return False
        if self.flow.channels[channel].mode is Mode.EACH:
            return self.tx.shows_article(channel, made.hit_id)
        return self.tx.is_told(channel, made.story_id)

    def _is_first(self, channel: str, made: Made) -> bool:
        """Whether a story that was raised was not told the channel yet: it is then told once, as it is now."""
        each = self.flow.channels[channel].mode is Mode.EACH
        return made.change == ESCALATED and not each and self.tx.is_waiting(channel, made.story_id)

    def _post(self, channel: str, made: Made) -> None:
        priority = PRIORITY[made.rule.severity]
        if self.flow.channels[channel].mode is Mode.EACH and not made.change:
            self.tx.post_article(made.alert_id, made.hit_id, channel, self.now, priority=priority)
        else:
            change = "" if self._is_first(channel, made) else made.change
            self.tx.post(made.alert_id, made.story_id, [channel], self.now, change=change, priority=priority)

    def _places(self, channels: Iterable[str], severity: Severity) -> list[Place]:
        return [self._place(name, severity) for name in dict.fromkeys(channels)]

    def _place(self, name: str, severity: Severity) -> Place:
        channel = self.flow.channels[name]
        told = self.tx.crowd(name, self.now - channel.burst_window) if channel.burst else (0, 0)
        zone = ZoneInfo(channel.timezone or self.flow.timezone)
        return placing.place(channel, severity, self.now, zone, placing.Crowd(*told))


def _gravest(made: Iterable[Made]) -> Severity:
    return min((one.rule.severity for one in made), key=PRIORITY.__getitem__)
