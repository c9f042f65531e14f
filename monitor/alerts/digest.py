"""The digest: several stories in one message, a line each, under the rules that want them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.alerts import words
from monitor.alerts.pieces import (
    Piece,
    Scene,
    arrowed,
    headline,
    length,
    outlet_name,
    row,
    rule_name,
    said,
    strong,
    weight,
)
from monitor.model import MessageView, Severity, StoryLines

_MOST_LINES = 40  # two entities a line at most, and Telegram takes a hundred


def digest_message(view: MessageView, scene: Scene, limit: int) -> list[list[Piece]]:
    """A heading, then each rule with its stories, one line each; what does not fit is counted."""
    total = words.count("stories", len(view.stories), scene.language)
    heading = [said("🗂 "), strong(f"{words.phrase('digest', scene.language)}: {total}")]
    lines: list[list[Piece]] = [row(heading, scene)]
    room = limit - length(lines[0], scene) - 64  # for the last line
    shown = 0
    for rule_id, stories in _by_rule(view.stories, scene):
        name = rule_name(rule_id, scene) + (f" ({len(stories)})" if len(stories) > 1 else "")
        title = row([said(f"{_mark_of(rule_id, scene)} "), strong(name)], scene)
        block: list[list[Piece]] = [[], title]
        for story in stories:
            told = _digest_row(story, scene)
            cost = length(told, scene) + sum(length(waiting, scene) for waiting in block)
            if cost > room or shown >= _MOST_LINES:
                return _with_rest(lines, len(view.stories) - shown, scene)
            lines += [*block, told]
            room -= cost
            block = []
            shown += 1
    return _with_rest(lines, len(view.stories) - shown, scene)


def _with_rest(lines: list[list[Piece]], rest: int, scene: Scene) -> list[list[Piece]]:
    if rest > 0:
        return [*lines, [], row([said(f"{words.count('more_stories', rest, scene.language)}…")], scene)]
    return lines


def _mark_of(rule_id: str, scene: Scene) -> str:
    rule = scene.rules.get(rule_id)
    return words.MARKS[rule.severity if rule else Severity.NORMAL]


def _by_rule(stories: Sequence[StoryLines], scene: Scene) -> list[tuple[str, list[StoryLines]]]:
    """Each story once, under the gravest of its rules; grave rules first, then as they come."""
    groups: dict[str, list[StoryLines]] = {}
    for story in stories:
        if story.lines:
            chief = min(story.rule_ids, key=lambda rule_id: weight(rule_id, scene), default="")
            groups.setdefault(chief, []).append(story)
    return sorted(groups.items(), key=lambda group: weight(group[0], scene))


def _digest_row(story: StoryLines, scene: Scene) -> list[Piece]:
    lead = story.lines[0]
    title = headline(lead.article, scene, bold=False)
    local = lead.article.when.astimezone(scene.zone)
    more = f" (+{story.outlet_count - 1})" if story.outlet_count > 1 else ""
    by = f" · {outlet_name(lead.outlet, scene)}{words.phrase('comma', scene.language)}{local:%H:%M}{more}"
    news = "".join(f" · {arrowed(change, scene)}" for change in story.news)
    return row([said("• "), title, said(by + news)], scene)
