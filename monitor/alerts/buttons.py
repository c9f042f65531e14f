"""The buttons under an alert: mute its rule for six hours, mute its story, not relevant, more. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from monitor.alerts import passages, words
from monitor.model import Rule
from monitor.model_delivery import Button, MessageView

MUTE_RULE, MUTE_STORY, NOT_RELEVANT, MORE = "m", "s", "n", "i"  # actions, each on an alert
RULE_MUTED_FOR, STORY_MUTED_FOR = timedelta(hours=6), timedelta(days=7)
MOST_RULES = 3
_NAME = 24  # code points of a rule's name on a button


def buttons(
    view: MessageView, rules: Mapping[str, Rule], language: str, *, all_of_them: bool = True
) -> tuple[tuple[Button, ...], ...]:
    """The rows of buttons of a message about one story; none for any other. all_of_them: else those that only show."""
    if view.kind not in ("story", "development", "article") or not view.alerts:
        return ()
    first = view.alerts[0][0]
    more = Button(words.phrase("more", language), MORE, first)
    if not all_of_them:
        return ((more,),)
    by_rule = {rule_id: alert_id for alert_id, rule_id in reversed(view.alerts)}
    named = list(dict.fromkeys(rule_id for _, rule_id in view.alerts))[:MOST_RULES]
    mute = words.phrase("mute_rule", language)
    rows = [(Button(mute, MUTE_RULE, first),)]
    if len(by_rule) > 1:
        rows = [(Button(f"{mute}: {_name(one, rules, language)}", MUTE_RULE, by_rule[one]),) for one in named]
    story = Button(words.phrase("mute_story", language), MUTE_STORY, first)
    unfit = Button(words.phrase("not_relevant", language), NOT_RELEVANT, first)
    if len(rows) == 1:
        return (*rows[0], story), (unfit, more)
    return (*rows, (story, unfit, more))


def _name(rule_id: str, rules: Mapping[str, Rule], language: str) -> str:
    rule = rules.get(rule_id)
    named = (rule.name(words.base(language)) or rule.name_en or rule.name_ar) if rule else ""
    return passages.cut(passages.clean(named or rule_id, limit=400).text, _NAME)
