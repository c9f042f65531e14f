"""A message as people read it: Telegram's HTML subset, the same as plain text, and as structured data.

Pure. Whatever the input, the text after entity parsing has at most `limit` code points and the tags are balanced:
content is cut before it is escaped, and a message that is too long is laid out again with smaller portions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.alerts import passages, words
from monitor.alerts.digest import digest_message
from monitor.alerts.passages import Mark, Passage
from monitor.alerts.pieces import (
    Link,
    Piece,
    Portions,
    Scene,
    arrowed,
    gravest,
    hashtag,
    headline,
    length,
    linked,
    outlet_name,
    row,
    rule_name,
    said,
    severity_mark,
    short_title,
    strong,
    weight,
)
from monitor.alerts.placing import LOUD
from monitor.alerts.structured import structured
from monitor.model import ESCALATED, Article, Rule, Severity
from monitor.model_delivery import ArticleLine, MessageView, Rendered, StoryLines

COUNTED = 3  # outlets from which their number is told: two are seen at a glance
_LONGEST_TITLE_IN_LEAD = 24  # shared letters from which a summary counts as repeating its title


_PORTIONS = (
    Portions(300, 340, 80, 8, 6),
    Portions(220, 200, 60, 4, 3),
    Portions(150, 90, 40, 2, 2, links=False),
    Portions(80, 0, 24, 0, 1, links=False),
    Portions(50, 0, 16, 0, 1, links=False, all=False),
)


def render(
    view: MessageView,
    rules: Mapping[str, Rule],
    *,
    language: str,
    timezone: str,
    now: datetime,
    limit: int = 4096,
    plain: bool = False,
    hashtags: bool = False,
    loud: Collection[Severity] = LOUD,
) -> Rendered:
    """Lay out a message.

    Args:
        view: what is to be told; kind "story", "development", "article", "digest", "operator" or "test".
        rules: by id; a rule that is no longer there is shown by its id.
        language: of the words around the articles, "ar", "en", or with a region ("ar-LB" has its own months).
        timezone: IANA name; an unknown one reads as UTC.
        now: aware; only decides whether a date needs its year.
        limit: most code points of the text, with and without markup, at least 16.
        plain: no HTML wanted (html is None).
        hashtags: one for each rule, below a story and beside the rules of a digest.
        loud: of which severities a message of alerts may make a sound.
    """
    limit = max(limit, 16)
    chosen = [rules[i] for story in view.stories for i in story.rule_ids if i in rules]
    high = any(story.high for story in view.stories)
    severity = Severity.HIGH if high else gravest(chosen) if chosen else Severity.NORMAL
    scene = Scene(rules, language, _zone(timezone), now, _PORTIONS[0], hashtags=hashtags)
    text = _fitting(view, replace(scene, plain=True), limit)[0]
    html = None if plain else _fitting(view, scene, limit)[1]
    return Rendered(
        text=text,
        html=html,
        silent=bool(chosen) and severity not in loud,
        data={**structured(view, rules), "severity": severity.value},
        link=_link(view),
        reply_to=view.reply_to,
    )


def _link(view: MessageView) -> str:
    """The address of the article that a message is about; "" where it is about several, or none."""
    lines = view.stories[0].lines if len(view.stories) == 1 and view.kind != "digest" else ()
    return passages.safe_url(lines[0].article.url) if lines else ""


def _fitting(view: MessageView, scene: Scene, limit: int) -> tuple[str, str]:
    """(text, HTML) with the largest portions that fit; hard cut where even the smallest do not."""
    kinds = {**dict.fromkeys(("story", "development", "article"), _story_message), "digest": digest_message}
    lay = kinds.get(view.kind, _notice_message)
    text = ""
    for portions in _PORTIONS:
        rows = lay(view, replace(scene, portions=portions), limit)
        text = "\n".join(_text(row, scene.plain and portions.links) for row in rows)
        if len(text) <= limit:
            return text, "\n".join("".join(piece.html for piece in row) for row in rows)
    text = passages.cut(passages.clean(text).text, limit)
    return text, escape(text)


def _text(row: Sequence[Piece], links: bool) -> str:
    """A row as plain text; with links, the addresses of pieces that stand alone follow on lines of their own."""
    text = "".join(piece.text for piece in row)
    alone = [piece.link for piece in row if isinstance(piece, Link) and piece.link and piece.alone] if links else []
    return "\n".join([text, *alone])


# ── a story ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _story_message(view: MessageView, scene: Scene, limit: int) -> list[list[Piece]]:
    lines: list[list[Piece]] = []
    for story in view.stories:
        if lines:
            lines.append([])
        lines += _story(story, scene)
    return lines


def _story(story: StoryLines, scene: Scene) -> list[list[Piece]]:
    lines = [row([said(f"{severity_mark(story, scene)} "), strong(_rule_names(story, scene))], scene)]
    if not story.lines:
        return lines
    lead = story.lines[0]
    lines += [row([strong(_news(change, story, scene))], scene) for change in story.news]
    lines.append([headline(lead.article, scene)])
    quoted = _passage(story, scene)
    if quoted:
        lines.append(quoted)
    lines.append(_byline(lead, scene))
    lines += _late(story, scene)
    others = _others(story, scene)
    if others:
        lines.append(others)
    chosen = sorted(story.rule_ids, key=lambda rule_id: weight(rule_id, scene))[: scene.portions.rules]
    tags = [hashtag(rule_id, scene) for rule_id in chosen] if scene.hashtags else []
    if any(tags):
        lines.append(row([said(" ".join(dict.fromkeys(tag for tag in tags if tag)))], scene))
    return lines


def _news(change: str, story: StoryLines, scene: Scene) -> str:
    """Why the story is told again."""
    if change == ESCALATED:
        many = words.count("outlets", story.outlet_count, scene.language)
        return f"{arrowed(change, scene)}: {many}"
    return words.phrase("news", scene.language).format(what=arrowed(change, scene))


def _rule_names(story: StoryLines, scene: Scene) -> str:
    ids = sorted(dict.fromkeys(story.rule_ids), key=lambda rule_id: weight(rule_id, scene))
    names = [rule_name(i, scene) for i in ids[: scene.portions.rules]]
    more = [f"+{len(ids) - len(names)}"] if len(ids) > len(names) else []
    return " · ".join([*names, *more])


def _byline(line: ArticleLine, scene: Scene) -> list[Piece]:
    """outlet · country · local time"""
    article = line.article
    time = words.moment(article.when, scene.zone, scene.language, scene.now)
    if article.published is None:
        time = f"{words.phrase('seen', scene.language)} {time}"
    land = words.country(line.outlet.country, scene.language)
    return row([said(" · ".join(part for part in (outlet_name(line.outlet, scene), land, time) if part))], scene)


def _late(story: StoryLines, scene: Scene) -> list[list[Piece]]:
    """That the story is older than the alert, which rules a later article of it alerted, and how it went on."""
    lead = story.lines[0].article
    told = [("began", "", story.began)] if story.began and story.began.article.when < lead.when else []
    told += [("later", rule_name(rule_id, scene), line) for rule_id, line in story.later[: scene.portions.rules]]
    above = [(change, lead.id) for change in story.news]
    changes = [(change, line) for change, line in story.changes if (change, line.article.id) not in above]
    told += [("change", arrowed(change, scene), line) for change, line in changes[-scene.portions.rules :]]
    for key, other in (("denies", story.denies), ("denied", story.denied)):
        told += [(key, short_title(other.article, scene), other)] if other else []
    return [row(_dated(key, what, line, scene), scene) for key, what, line in told]


def _dated(key: str, what: str, line: ArticleLine, scene: Scene) -> list[Piece]:
    """A phrase that names an outlet, which links to its article, and when that was published."""
    time = words.moment(line.article.when, scene.zone, scene.language, scene.now)
    before, after = words.phrase(key, scene.language).split("{outlet}")
    named = linked(outlet_name(line.outlet, scene), line.article.url)
    return [said(before.format(what=what)), named, said(after.format(what=what, time=time))]


def _others(story: StoryLines, scene: Scene) -> list[Piece]:
    """«ونقلته أيضًا: العربية، رويترز، +3 (6 وسائل)»: each other outlet once, by its first article."""
    first: dict[str, ArticleLine] = {}
    for line in story.lines[1:]:
        if line.outlet.id != story.lines[0].outlet.id:
            first.setdefault(line.outlet.id, line)
    shown = list(first.values())[: scene.portions.others]
    rest = max(story.outlet_count - 1, len(first)) - len(shown)
    if not shown and rest <= 0:
        return []
    comma = words.phrase("comma", scene.language)
    pieces: list[Piece] = [said(f"{words.phrase('also', scene.language)} ")]
    for index, line in enumerate(shown):
        pieces += [said(comma if index else ""), linked(outlet_name(line.outlet, scene), line.article.url)]
    if rest > 0 and shown:
        pieces.append(said(f"{comma}+{rest}"))
    elif rest > 0:
        pieces.append(said(words.count("outlets", rest, scene.language)))
    if shown and story.outlet_count >= COUNTED:
        pieces.append(said(f" ({words.count('outlets', story.outlet_count, scene.language)})"))
    return row(pieces, scene)


# ── the passage ──────────────────────────────────────────────────────────────────────────────────────────────────


def _passage(story: StoryLines, scene: Scene) -> list[Piece]:
    """The best matched place of a body or summary; the lead's if it has one, else the first other's, with its name."""
    if scene.portions.passage < 40:
        return []
    lead = story.lines[0]
    for line in story.lines:
        found = _matched(line, scene.portions.passage)
        if found:
            by = "" if line is lead else f"{outlet_name(line.outlet, scene)}: "
            return [_quoted(found, by, scene)]
    opening = _opening(lead.article, scene.portions.passage)
    return [_quoted(opening, "", scene)] if opening else []


def _quoted(passage: Passage, by: str, scene: Scene) -> Piece:
    shown = passages.isolate(passage, passages.is_rtl(passage.text, scene.rtl))
    return Piece(by + shown.text, f"<blockquote>{escape(by)}{passages.to_html(shown)}</blockquote>")


def _matched(line: ArticleLine, limit: int) -> Passage | None:
    best: Passage | None = None
    value = (0, 0)
    for field in ("body", "summary"):
        text = str(getattr(line.article, field))
        passage = passages.clean(text, (Mark(s.start, s.end, s.term) for s in line.spans if s.field == field))
        if not passage.marks or repeats(passage.text, line.article.title):
            continue
        shown = passages.around(_without_title(passage, line.article.title), limit)
        reached = (len({m.term for m in shown.marks}), len(shown.marks))
        if reached > value:
            best, value = shown, reached
    return best


def _without_title(passage: Passage, title: str) -> Passage:
    """Many feeds begin the text with the headline: what stands above need not be said again."""
    head = passages.clean(title, limit=4000).text
    if len(head) < _LONGEST_TITLE_IN_LEAD or not passage.text.startswith(head):
        return passage
    rest = passage.text[len(head) :].lstrip(" .،:-–—|")
    off = len(passage.text) - len(rest)
    marks = tuple(Mark(m.start - off, m.end - off, m.term) for m in passage.marks if m.start >= off)
    return Passage(rest, marks) if marks else passage


def _opening(article: Article, limit: int) -> Passage | None:
    for text in (article.summary, article.body):
        shown = passages.clean(text, limit=limit * 20)
        if shown.text and not repeats(shown.text, article.title):
            return Passage(passages.cut(shown.text, limit))
    return None


def repeats(text: str, title: str) -> bool:
    """Whether a text says no more than its title (letters and digits compared, marks and punctuation not)."""
    ours, theirs = _letters(text), _letters(title)
    return not ours or ours in theirs or (bool(theirs) and ours.startswith(theirs) and len(ours) - len(theirs) < 20)


def _letters(text: str) -> str:
    return "".join(char for char in text[:8000].casefold() if char.isalnum())


# ── the daemon's own words ───────────────────────────────────────────────────────────────────────────────────────


def _notice_message(view: MessageView, scene: Scene, limit: int) -> list[list[Piece]]:
    text = view.text or (words.phrase("test", scene.language) if view.kind == "test" else "")
    heading = row([said("⚙️ "), strong(words.phrase("operator", scene.language))], scene)
    shown: list[list[Piece]] = []
    for raw in text[: limit * 2].splitlines():
        line = passages.clean(raw).text
        if line:
            shown.append([said(passages.isolate(Passage(line), passages.is_rtl(line, scene.rtl)).text)])
    if sum(length(told, scene) for told in [heading, *shown]) > limit:
        whole = "\n".join(passages.clean(raw).text for raw in text[: limit * 2].splitlines())
        shown = [[said(part)] for part in passages.cut(whole, limit - length(heading, scene) - 1).split("\n")]
    return [heading, *shown]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
