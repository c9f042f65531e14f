"""The page of one story: who was first, when each outlet joined, how the headline changed, what was revised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from rich.text import Text

from monitor.faces.cli.common import out, print_table
from monitor.faces.cli.explained import hanging
from monitor.faces.cli.ledger import alert_json, article_json, headline, iso, outlet_name
from monitor.faces.cli.times import shown
from monitor.model import Article, Overrule
from monitor.reasons import REASONS
from monitor.store.records import AlertRow, HitRow, Revision, StoryArticle, StoryRecord
from monitor.stories.changes import Change, changes

LONGEST_HEADLINE = 160
_FIELDS = ("title", "summary", "body", "author", "url")
_BY = {"new": "opened it", "body": "text", "title": "headline", "content": "same text", "url": "same address"}
_BY |= {"guid": "same identifier"}
_STYLES = {"removed": "red strike", "added": "green", "gap": "dim"}
_MARKS = {"removed": ("[-", "-]"), "added": ("{+", "+}")}


@dataclass(frozen=True, slots=True)
class Wording:
    """A headline of the story: when it first stood where, in how many articles, and in whose."""

    when: datetime
    first: StoryArticle
    title: str
    articles: int


def wordings(record: StoryRecord) -> list[Wording]:
    """The different headlines of a story in the order in which they came up; a revision's counts from when it was
    seen."""
    used = [
        (when, one, " ".join(text.title.split()))
        for one in record.articles
        for when, text in ((one.article.when, one.article), *((later.seen, later.article) for later in one.revisions))
    ]
    told: dict[str, list[tuple[datetime, StoryArticle]]] = {}
    for when, one, title in sorted(used, key=lambda use: use[0]):
        if title:
            told.setdefault(title, []).append((when, one))
    return [Wording(*uses[0], title, len({one.article.id for _, one in uses})) for title, uses in told.items()]


def differences(one: StoryArticle) -> Iterator[tuple[Revision, dict[str, list[Change]]]]:
    """Each revision of an article, and what it changed in the text before it, by field."""
    before = one.article
    for later in one.revisions:
        yield later, _changed(before, later.article)
        before = later.article


def _changed(before: Article, after: Article) -> dict[str, list[Change]]:
    found = {name: changes(getattr(before, name), getattr(after, name)) for name in _FIELDS}
    return {name: changed for name, changed in found.items() if changed}


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────


def print_page(record: StoryRecord, alerts: Sequence[AlertRow], hits: Sequence[HitRow], zone: str) -> None:
    """Print the whole page; dates in `zone`. alerts, hits: of the story, the newest first."""
    head = record.head
    counts = f"{_count(len(head.outlets), 'outlet')}, {_count(head.article_count, 'article')}"
    out.print(Text.assemble((f"story {head.id}", "bold"), f"  {counts}, opened {shown(head.opened, zone)}"))
    if record.denied_by:
        out.print(f"denied or corrected by story {', '.join(map(str, record.denied_by))}")
    _timeline(record, zone)
    _headlines(record, zone)
    _revisions(record, zone)
    _rules(alerts, hits, zone)
    if record.overrules:
        _heading("overruled")
        for when, overrule in record.overrules:
            out.print(f"  {shown(when, zone)}  {_overruled(overrule, head.id)}")


def _rules(alerts: Sequence[AlertRow], hits: Sequence[HitRow], zone: str) -> None:
    """What became of the story for each rule that hit it."""
    _heading("rules")
    rows = [
        [
            row.rule_id,
            "alerted",
            shown(row.created, zone),
            f"article {row.article.id}",
            ", ".join(f"{post.channel}: {post.state}" for post in row.posts) or "-",
        ]
        for row in reversed(alerts)
    ]
    rows += [
        [
            row.hit.rule_id,
            row.fate,
            shown(row.hit.created, zone),
            f"article {row.article.id}",
            f"{REASONS.get(row.hit.code, row.hit.code)}{f' ({row.hit.detail})' if row.hit.detail else ''}",
        ]
        for row in _unalerted(alerts, hits)
    ]
    if rows:
        print_table(["rule", "", "when", "by", "sent, or why not"], rows)
    else:
        out.print("none hit it")


def _unalerted(alerts: Sequence[AlertRow], hits: Sequence[HitRow]) -> list[HitRow]:
    """The last hit of each rule that did not alert the story."""
    last = {row.hit.rule_id: row for row in reversed(hits)}
    return [row for rule_id, row in last.items() if rule_id not in {one.rule_id for one in alerts}]


def _timeline(record: StoryRecord, zone: str) -> None:
    """Every article, oldest first; the outlet's first one is marked, for it is what counts."""
    _heading("timeline")
    rows: list[list[str]] = []
    outlets: set[str] = set()
    titles: dict[str, int | None] = {}
    for one in record.articles:
        article = one.article
        number = "" if article.outlet_id in outlets else str(len(outlets) + 1)
        outlets.add(article.outlet_id)
        same = titles.setdefault(article.title, article.id)
        rows.append(
            [
                f"{shown(article.when, zone)}{'' if article.published else ' (seen)'}",
                number,
                outlet_name(one.outlet, article),
                str(article.id),
                _by(one),
                ", ".join(one.rules) or "-",
                headline(article.title, LONGEST_HEADLINE) if same == article.id else f"as article {same}",
            ]
        )
    print_table(["when", "outlet", "", "article", "by", "rules", "headline"], rows)


def _by(one: StoryArticle) -> str:
    """By what an article joined; one that an analyst brought with another story, that story; what it changed."""
    by = _BY.get(one.how, one.how)
    if one.part is not None:
        by = f"opened story {one.part}" if one.how == "new" else f"{by}, story {one.part}"
    numbers = [change for change in (one.change, *(later.change for later in one.revisions)) if change]
    return ", ".join([by, *numbers, *([f"denies story {one.denies}"] if one.denies is not None else [])])


def _overruled(overrule: Overrule, story_id: int) -> str:
    """What an analyst decided, as seen from one of the two stories."""
    listed = ", ".join(map(str, overrule.article_ids))
    moved = f"article {listed}" if len(overrule.article_ids) == 1 else f"articles {listed}"
    if overrule.kind == "merge":
        return f"story {overrule.other_id} was merged into this: {moved}"
    if overrule.other_id == story_id:
        return f"split off story {overrule.story_id}: {moved}"
    return f"story {overrule.other_id} was split off: {moved}"


def _headlines(record: StoryRecord, zone: str) -> None:
    found = wordings(record)
    if len(found) < 2:
        return
    _heading("how the headline changed")
    before = ""
    for one in found:
        changed = changes(before, one.title) if before else []
        text = _marked(changed) if any(part.kind == "kept" for part in changed) else Text(one.title)
        who = f"{shown(one.when, zone)} {outlet_name(one.first.outlet, one.first.article)}"
        count = f" ×{one.articles}" if one.articles > 1 else ""
        for line in hanging(Text(f"  {who}{count}  "), text, out):
            out.print(line)
        before = before or one.title


def _revisions(record: StoryRecord, zone: str) -> None:
    revised = [one for one in record.articles if one.revisions]
    if not revised:
        return
    _heading("revisions")
    for one in revised:
        for later, changed in differences(one):
            who = outlet_name(one.outlet, one.article)
            out.print(f"  {shown(later.seen, zone)} {who}, article {one.article.id}", markup=False)
            for name, stretches in changed.items():
                for line in hanging(Text(f"    {name:<8}", style="dim"), _marked(stretches), out):
                    out.print(line)
            if not changed:
                out.print("    only the space between the words")


def _marked(stretches: Sequence[Change]) -> Text:
    """What changed in colours; where there are none, [-removed-] and {+added+}."""
    coloured = out.is_terminal and not out.no_color
    made = Text()
    for one in stretches:
        if made:
            made.append(" ")
        before, after = ("", "") if coloured else _MARKS.get(one.kind, ("", ""))
        made.append(f"{before}{one.text}{after}", style=_STYLES.get(one.kind, ""))
    return made


def _heading(name: str) -> None:
    out.print()
    out.print(Text(name, style="bold"))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


# ── for programs ─────────────────────────────────────────────────────────────────────────────────────────────────


def as_json(record: StoryRecord, alerts: Sequence[AlertRow], hits: Sequence[HitRow]) -> dict[str, object]:
    """What the page tells beside the story's head: first, timeline, headlines, alerts, and rules that did not alert."""
    first = record.articles[0].article if record.articles else None
    return {
        "first": first and {"outlet": first.outlet_id, "article": first.id, "when": iso(first.when)},
        "timeline": [_entry_json(one) for one in record.articles],
        "headlines": [
            {
                "title": one.title,
                "when": iso(one.when),
                "outlet": one.first.article.outlet_id,
                "article": one.first.article.id,
                "articles": one.articles,
            }
            for one in wordings(record)
        ],
        "denied_by": record.denied_by,
        "overrules": [{**asdict(overrule), "when": iso(when)} for when, overrule in record.overrules],
        "alerts": [alert_json(row) for row in reversed(alerts)],
        "not_alerted": [
            {"rule": row.hit.rule_id, "fate": row.fate, "reason": row.hit.code, "detail": row.hit.detail}
            for row in _unalerted(alerts, hits)
        ],
    }


def _entry_json(one: StoryArticle) -> dict[str, object]:
    return {
        **article_json(one.article),
        "when": iso(one.article.when),
        "how": one.how,
        "part": one.part,
        "change": one.change,
        "denies": one.denies,
        "detail": one.detail,
        "similarity": one.similarity,
        "rules": one.rules,
        "revisions": [
            {
                "seen": iso(later.seen),
                "change": later.change,
                "changes": {
                    name: [{"kind": part.kind, "text": part.text} for part in stretches]
                    for name, stretches in changed.items()
                },
            }
            for later, changed in differences(one)
        ],
    }
