"""`rasid channels route`: which channels an alert goes to, drawn with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segments
from rich.text import Text
from rich.tree import Tree

from monitor.alerts.routing import Criterion, Routing, Step
from monitor.faces.cli.common import isolated, out
from monitor.model import Article, Rule, RuleState

_ENDLESS = 100_000  # columns


@dataclass(frozen=True, slots=True)
class Routed:
    """A rule that hits, and where its alert goes."""

    rule: Rule
    routing: Routing


def as_json(article: Article, routed: Sequence[Routed]) -> dict[str, object]:
    """All of it, as JSON has it."""
    return {
        "title": article.title,
        "outlet": article.outlet_id or None,
        "language": article.language,
        "rules": [
            {
                "rule": one.rule.id,
                "severity": one.rule.severity.value,
                "state": one.rule.state.value,
                "channels": one.routing.channels,
                "by": one.routing.by,
                "routes": [_step_json(number, step) for number, step in enumerate(one.routing.steps, 1)],
            }
            for one in routed
        ],
    }


def _step_json(number: int, step: Step) -> dict[str, object]:
    criteria = [
        {"criterion": one.name, "wanted": one.wanted, "there": one.there, "holds": one.holds} for one in step.criteria
    ]
    told = {"route": number, "asked": step.asked, "takes": step.takes, "continue": step.route.go_on}
    return {**told, "channels": step.route.channels, "criteria": criteria}


def draw(routed: Sequence[Routed]) -> None:
    """Each rule with the routes that were asked for it, from above, and what they answered."""
    # rich cuts branches at the edge of the page: in a terminal they are folded, and a file or pipe has no edge.
    options = out.options if out.is_terminal else out.options.update(width=_ENDLESS)
    for one in routed:
        out.print(Segments(out.render(_tree(one), options)), end="")


def _tree(routed: Routed) -> Tree:
    rule, routing = routed.rule, routed.routing
    head = Text.assemble((rule.id, "bold"), (f"  {isolated(rule.name_ar)} · {rule.severity.value}", "dim"))
    head.append(" → ").append(
        ", ".join(routing.channels) or "nowhere", "bold green" if routing.channels else "bold red"
    )
    tree = Tree(head, guide_style="dim")
    if rule.state is not RuleState.ON:
        tree.add(
            Text(f"the rule is {'on trial' if rule.state is RuleState.TRIAL else 'off'}: nothing is sent", "yellow")
        )
    if routing.by == "rule":
        named = f"the rule names its channels: {', '.join(rule.channels)}"
        tree.add(Text(named + ("; routes are not asked" if routing.steps else "")))
        return tree
    for number, step in enumerate(routing.steps, 1):
        _branch(tree, number, step)
    if routing.by == "default":
        why = "no route takes it" if routing.steps else "there are no routes"
        tree.add(Text(f"{why}: the default channel, the first of channels.yaml"))
    return tree


def _branch(tree: Tree, number: int, step: Step) -> None:
    channels = ", ".join(step.route.channels)
    if not step.asked:
        tree.add(Text(f"· route {number} → {channels}: not asked, a route above took it", "dim"))
        return
    sign = ("✓ ", "bold green") if step.takes else ("✗ ", "red")
    line = Text.assemble(sign, f"route {number} → {channels}")
    if step.route.go_on and step.takes:
        line.append(", and on (continue)", "dim")
    branch = tree.add(line)
    for criterion in step.criteria:
        branch.add(_criterion(criterion))
    if not step.criteria:
        branch.add(Text("takes everything", "dim"))


def _criterion(criterion: Criterion) -> Text:
    sign = ("✓ ", "green") if criterion.holds else ("✗ ", "red")
    there = ", ".join(criterion.there) or ("none" if criterion.name == "tags" else "unknown")
    wanted = " or ".join(criterion.wanted)
    return Text.assemble(sign, f"{criterion.name} {wanted}", ("" if criterion.holds else f"; here {there}", "yellow"))
