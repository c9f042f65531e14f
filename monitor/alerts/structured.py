"""A message as data, for programs: what webhooks post. Only JSON types; text as it was published."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.model import Rule
from monitor.model_delivery import ArticleLine, MessageView, StoryLines

LONGEST_TEXT = 20_000  # code points of a summary or body
MOST_ARTICLES = 50


def structured(view: MessageView, rules: Mapping[str, Rule]) -> dict[str, object]:
    """{kind, channel, notice, why, part, parts, total, reply_to, stories: [{id, rules, article_count,
    outlet_count, began_with, raised_later, changes, news, denies, denied_by, articles}]}

    why: of a digest: digest, burst, quiet, released, flood. total: its stories in all parts. reply_to: the id, at the
    channel, of the message that this one goes on: that of its story, or of the story that it denies.
    Articles that are not listed are named by id: began_with, the story's first, where a later one raised the alert;
    raised_later, by rule; denies, the first of the story that this one denies; denied_by, one that denies this story.
    """
    return {
        "kind": view.kind,
        "channel": view.channel,
        "notice": "" if view.kind == "digest" else _text(view.text),
        "why": view.why,
        "part": view.part,
        "parts": view.parts,
        "total": view.total or len(view.stories),
        "reply_to": view.reply_to,
        "stories": [_story(story, rules) for story in view.stories],
    }


def _story(story: StoryLines, rules: Mapping[str, Rule]) -> dict[str, object]:
    return {
        "id": story.story_id,
        "rules": [_rule(rule_id, rules.get(rule_id)) for rule_id in story.rule_ids],
        "article_count": story.article_count,
        "outlet_count": story.outlet_count,
        "began_with": story.began.article.id if story.began else None,
        "raised_later": {rule_id: line.article.id for rule_id, line in story.later},
        "changes": [{"change": change, "article": line.article.id} for change, line in story.changes],
        "news": list(story.news),
        "denies": story.denies.article.id if story.denies else None,
        "denied_by": story.denied.article.id if story.denied else None,
        "articles": [_article(line) for line in story.lines[:MOST_ARTICLES]],
    }


def _rule(rule_id: str, rule: Rule | None) -> dict[str, object]:
    if rule is None:
        return {"id": rule_id}
    return {
        "id": rule.id,
        "name_ar": _text(rule.name_ar),
        "name_en": _text(rule.name_en),
        "severity": rule.severity.value,
        "tags": list(rule.tags),
    }


def _article(line: ArticleLine) -> dict[str, object]:
    article, outlet = line.article, line.outlet
    return {
        "id": article.id,
        "title": _text(article.title),
        "summary": _text(article.summary),
        "url": _text(article.url),
        "author": _text(article.author),
        "language": article.language,
        "published": article.published.isoformat() if article.published else None,
        "first_seen": article.first_seen.isoformat(),
        "outlet": {
            "id": outlet.id,
            "name_ar": _text(outlet.name_ar),
            "name_en": _text(outlet.name_en),
            "country": outlet.country,
        },
        "matches": [
            {
                "field": s.field,
                "start": s.start,
                "end": s.end,
                "term": _text(s.term),
                "text": _matched(line, s.field, s.start, s.end),
            }
            for s in line.spans
        ],
    }


def _matched(line: ArticleLine, field: str, start: int, end: int) -> str:
    value = " | ".join(line.article.tags) if field == "tags" else getattr(line.article, field, "")
    return _text(value[start:end]) if isinstance(value, str) else ""


def _text(text: str) -> str:
    """text without lone surrogates, which JSON readers refuse."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")
