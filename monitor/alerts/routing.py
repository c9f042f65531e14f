"""Which channels an alert goes to, and why: the routes asked one after the other. Pure.

A rule that names channels alerts those, and no route is asked. For the others the routes are asked from above: each
that holds adds its channels, and the first that holds without `continue` is the last. Where none holds, the default
channel (the first of channels.yaml) gets it: no alert is without a channel because of a route.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.model import Article, Outlet, Rule
from monitor.model_delivery import Route


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that a route asks. name: as in channels.yaml; wanted: one of these; there: what the alert has."""

    name: str
    wanted: tuple[str, ...]
    there: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not set(self.wanted).isdisjoint(self.there)


@dataclass(frozen=True, slots=True)
class Step:
    """A route and its answer. asked: no route above it was the last."""

    route: Route
    asked: bool
    criteria: tuple[Criterion, ...]

    @property
    def takes(self) -> bool:
        """Whether the alert goes to its channels."""
        return self.asked and all(one.holds for one in self.criteria)


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an alert goes. by: the rule's own channels, the routes, or the default channel, since no route held."""

    channels: tuple[str, ...]
    by: Literal["rule", "routes", "default"]
    steps: tuple[Step, ...]


def routing(
    routes: Sequence[Route], channels: Sequence[str], rule: Rule, article: Article, outlet: Outlet | None
) -> Routing:
    """Where the alert goes that `rule` makes of `article`. channels: those that there are, the default first.

    rule: of the severity that the alert has. outlet: the article's; None: not in feeds.yaml.
    """
    steps = []
    asked = not rule.channels
    for route in routes:
        step = Step(route, asked, _criteria(route, rule, article, outlet))
        steps.append(step)
        asked = asked and (route.go_on or not step.takes)
    if rule.channels:
        return Routing(tuple(one for one in dict.fromkeys(rule.channels) if one in channels), "rule", tuple(steps))
    taken = dict.fromkeys(name for step in steps if step.takes for name in step.route.channels if name in channels)
    if taken:
        return Routing(tuple(taken), "routes", tuple(steps))
    return Routing(tuple(channels[:1]), "default", tuple(steps))


def _criteria(route: Route, rule: Rule, article: Article, outlet: Outlet | None) -> tuple[Criterion, ...]:
    asked = (
        Criterion("severity", tuple(one.value for one in route.severities), (rule.severity.value,)),
        Criterion("rules", route.rules, (rule.id,)),
        Criterion("tags", route.tags, rule.tags),
        Criterion("countries", route.countries, (outlet.country.upper(),) if outlet else ()),
        Criterion("languages", route.languages, (article.language.replace("_", "-").split("-")[0].lower(),)),
        Criterion("outlets", route.outlets, (article.outlet_id,)),
    )
    return tuple(one for one in asked if one.wanted)
