"""The digest: several stories in one message, a line each, under the rules that want them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitor.alerts import words
from monitor.alerts.pieces import (
    Piece,
    Scene,
    arrowed,
    hashtag,
    headline,
    length,
    outlet_name,
    row,
    rule_name,
    said,
    strong,
    weight,
)
from monitor.model import Severity
from monitor.model_delivery import MessageView, StoryLines

_REST = 64  # code points that are kept for the last line
_MOST_LINES = 40  # two entities a line at most, and Telegram takes a hundred


def digest_message(view: MessageView, scene: Scene, limit: int) -> list[list[Piece]]:
    """A heading, why it is a digest, then each rule with its stories, one line each, those that most outlets carry
    first. With the last portions, what does not fit is counted."""
    lines = _heading(view, scene)
    room = limit - sum(length(line, scene) for line in lines) - _REST if not scene.portions.all else math.inf
    shown = 0
    for rule_id, stories in _by_rule(view.stories, scene):
        block: list[list[Piece]] = [[], _rule_row(rule_id, len(stories), scene)]
        for story in stories:
            told = _digest_row(story, scene)
            cost = length(told, scene) + sum(length(waiting, scene) for waiting in block)
            if cost > room or shown >= _MOST_LINES:
                return _with_rest(lines, len(view.stories) - shown, scene)
            lines += [*block, told]
            room -= cost
            block = []
            shown += 1
    return lines


def _heading(view: MessageView, scene: Scene) -> list[list[Piece]]:
    total = words.count("stories", view.total or len(view.stories), scene.language)
    part = f" ({view.part}/{view.parts})" if view.parts > 1 else ""
    lines = [row([said("🗂 "), strong(f"{words.phrase('digest', scene.language)}: {total}{part}")], scene)]
    why = words.why(view.why, scene.language, view.text)
    return [*lines, row([said(why)], scene)] if why else lines


def _rule_row(rule_id: str, stories: int, scene: Scene) -> list[Piece]:
    name = rule_name(rule_id, scene) + (f" ({stories})" if stories > 1 else "")
    tag = hashtag(rule_id, scene) if scene.hashtags else ""
    return row([said(f"{_mark_of(rule_id, scene)} "), strong(name), said(f" {tag}" if tag else "")], scene)


def _with_rest(lines: list[list[Piece]], rest: int, scene: Scene) -> list[list[Piece]]:
    if rest > 0:
        return [*lines, [], row([said(f"{words.count('more_stories', rest, scene.language)}…")], scene)]
    return lines


def _mark_of(rule_id: str, scene: Scene) -> str:
    rule = scene.rules.get(rule_id)
    return words.MARKS[rule.severity if rule else Severity.NORMAL]


def _by_rule(stories: Sequence[StoryLines], scene: Scene) -> list[tuple[str, list[StoryLines]]]:
    """Each story once, under the gravest of its rules; grave rules first, then as they come; of a rule the stories that
    most outlets carry first."""
    groups: dict[str, list[StoryLines]] = {}
    for story in stories:
        if story.lines:
            chief = min(story.rule_ids, key=lambda rule_id: weight(rule_id, scene), default="")
            groups.setdefault(chief, []).append(story)
    for stories_of_rule in groups.values():
        stories_of_rule.sort(key=lambda story: -story.outlet_count)
    return sorted(groups.items(), key=lambda group: weight(group[0], scene))


def _digest_row(story: StoryLines, scene: Scene) -> list[Piece]:
    lead = story.lines[0]
    title = headline(lead.article, scene, bold=False)
    local = lead.article.when.astimezone(scene.zone)
    today = local.date() == scene.now.astimezone(scene.zone).date()
    time = f"{local:%H:%M}" if today else words.moment(lead.article.when, scene.zone, scene.language, scene.now)
    more = f" · {words.count('outlets', story.outlet_count, scene.language)}" if story.outlet_count > 1 else ""
    by = f" · {outlet_name(lead.outlet, scene)}{words.phrase('comma', scene.language)}{time}{more}"
    news = "".join(f" · {arrowed(change, scene)}" for change in story.news)
    return row([said("• "), title, said(by + news)], scene)
