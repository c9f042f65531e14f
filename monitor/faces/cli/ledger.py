"""`rasid hits`, `alerts` and `status`: what was found, what became of it, and how the daemon is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.delivery.links import link
from monitor.errors import RasidError
from monitor.faces.cli import complete
from monitor.faces.cli.common import AsJson, ConfigDir, err, isolated, out, print_json, print_table, told, unknown
from monitor.faces.cli.times import moment, shown
from monitor.model import LARGEST_ID, Article, Decision, Outlet, Span
from monitor.model_delivery import PERSON
from monitor.reasons import REASONS, REASONS_AR
from monitor.runtime import configuration
from monitor.runtime.configuration import Configuration
from monitor.runtime.database import owner
from monitor.runtime.searching import search_words
from monitor.store.records import AlertRow, Delays, HitFilter, HitRow, Post
from monitor.store.store import Store
from monitor.yamlfile import near

RuleOption = Annotated[
    str | None, typer.Option("--rule", "-r", autocompletion=complete.rules, help="Only of this rule.")
]
OutletOption = Annotated[
    str | None, typer.Option("--outlet", "-o", autocompletion=complete.outlets, help="Only in articles of this outlet.")
]
StoryOption = Annotated[
    int | None, typer.Option("--story", min=1, max=LARGEST_ID, help="Only of this story, by number.")
]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="From: 7d, 12h (ago), today, yesterday, 2026-11-20, 2026-11-20T10:00.")
]
UntilOption = Annotated[str | None, typer.Option("--until", help="Before, written like --since.")]
TextOption = Annotated[
    str | None, typer.Option("--text", "-t", help="Articles with all these words; -word: without; word*: begins so.")
]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many.")]
BeforeOption = Annotated[
    int | None, typer.Option("--before", min=1, max=LARGEST_ID, help="The next page: below this number.")
]


@contextmanager
def reading(config: Path) -> Iterator[tuple[Configuration, Store]]:
    """The configuration and its database, opened for reading; works beside a running daemon."""
    with told():
        found = configuration.load(config)
        store = Store.open(found.settings.settings.database.url, owner=owner(), read_only=True)
        try:
            if store.schema_version() is None:
                raise RasidError(f"{store.place} is empty: run rasid once, or rasid db upgrade")
            yield found, store
        finally:
            store.close()


def hits(
    rule: RuleOption = None,
    outlet: OutletOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    decision: Annotated[Decision | None, typer.Option("--decision", "-d", help="Only with this decision.")] = None,
    text: TextOption = None,
    story: StoryOption = None,
    limit: LimitOption = 30,
    before: BeforeOption = None,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """List hits, the newest first: every article that a rule matched, what became of it, and why.

    Examples: rasid hits --rule shahed-drones --since 24h · rasid hits --decision held · rasid hits --text "أوديسا" ·
    rasid hits --since yesterday --until today --json
    """
    with reading(config) as (found, store):
        zone = found.settings.settings.zone
        wanted = hit_filter(zone, rule, outlet, since, until, text, story, limit, before, decision=decision)
        page = store.hits(wanted)
    if not page.items:
        doubt(found, rule, outlet)
    if as_json:
        print_json({"hits": [hit_json(row) for row in page.items], "next_before": page.next_before})
        return
    rows = [
        [
            str(row.hit.id),
            shown(row.hit.created, zone),
            row.hit.rule_id,
            row.fate,
            row.why if row.fate in ("failed", "held") else row.hit.code,
            outlet_name(row.outlet, row.article),
            headline(row.article.title or row.article.summary or row.article.body),
        ]
        for row in page.items
    ]
    print_table(["hit", "when", "rule", "fate", "why", "outlet", "headline"], rows)
    more(page.next_before, len(rows), "hits")


def alerts(
    rule: RuleOption = None,
    outlet: OutletOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    text: TextOption = None,
    story: StoryOption = None,
    limit: LimitOption = 30,
    before: BeforeOption = None,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """List alerts, the newest first, with the outlets that carry the story and where it was sent.

    Below them stands how many hits were held back or muted, by reason. Examples: rasid alerts --since 7d
    --rule south-caucasus · rasid alerts --outlet bbc --json · rasid alerts --before 40
    """
    with reading(config) as (found, store):
        zone = found.settings.settings.zone
        wanted = hit_filter(zone, rule, outlet, since, until, text, story, limit, before)
        page, held_back = store.alerts(wanted), store.held_back(wanted)
    if not page.items:
        doubt(found, rule, outlet)
    if as_json:
        told_alerts = [alert_json(row) for row in page.items]
        print_json({"alerts": told_alerts, "next_before": page.next_before, "held_back": held_back})
        return
    rows = [
        [
            str(row.id),
            shown(row.created, zone),
            row.rule_id,
            row.severity.value,
            row.why,
            str(len(row.outlets)),
            ", ".join(_fared(post) for post in row.posts) or "-",
            f"not relevant ({', '.join(row.not_relevant)})" if row.not_relevant else "",
            headline(row.article.title or row.article.summary or row.article.body),
        ]
        for row in page.items
    ]
    columns = ["alert", "when", "rule", "severity", "why", "outlets", "sent", "feedback", "headline"]
    print_table(columns, rows)
    more(page.next_before, len(rows), "alerts")
    if out.is_terminal and held_back:
        out.print(f"no alert, or not yet: {', '.join(f'{number} {code}' for code, number in held_back.items())}")


def status(config: ConfigDir = Path("config"), as_json: AsJson = False) -> None:
    """Show how things are: feeds, hits, the queue, the real delay from publication to message, and what is wrong.

    Examples: rasid status · rasid status --json
    """
    now = datetime.now(UTC)
    with reading(config) as (found, store):
        zone = found.settings.settings.zone
        numbers = store.status(now)
        chats = [chat for chat in store.chats() if chat.channels]
        notices = store.notices()
        orphans = store.orphans([*found.channels, *store.waiting_channels(PERSON)])
        silences = len(store.silences(now))
    if as_json:
        told_chats = [{**asdict(one), "hold_until": iso(one.hold_until)} for one in chats]
        told_notices = [{"key": one.key, "text": one.text, "created": iso(one.created)} for one in notices]
        print_json(
            {
                **asdict(numbers),
                "window": numbers.window.total_seconds(),
                "oldest_queued": iso(numbers.oldest_queued),
                "last_polled": iso(numbers.last_polled),
                "last_sent": iso(numbers.last_sent),
                "chats": told_chats,
                "notices": told_notices,
                "waiting_for_missing_channels": orphans,
                "silences": silences,
            }
        )
        return
    lines = [
        ["feeds", f"{numbers.feeds} watched, {numbers.feeds_failing} failing, {numbers.feeds_stopped} stopped"],
        ["last poll", shown(numbers.last_polled, zone)],
        ["articles", f"{numbers.articles} in {numbers.stories} stories"],
        ["hits, 24 h", _counts(numbers.hits_window)],
        ["hits, all", _counts(numbers.hits)],
        ["alerts", str(numbers.alerts)],
        ["queue", f"{numbers.queue}" + (f", since {shown(numbers.oldest_queued, zone)}" if numbers.queue else "")],
        ["last message", shown(numbers.last_sent, zone)],
        ["delay, 24 h", f"from publication {_delay(numbers.since_published)}"],
        ["", f"from first sight {_delay(numbers.since_first_seen)}"],
    ]
    for chat in chats:
        if chat.hold_until is not None and chat.hold_until > now:
            held = f"{', '.join(chat.channels)} until {shown(chat.hold_until, zone)}: {chat.hold_reason}"
            lines.append(["held", held])
    lines += [["no channel", f"{number} wait for {name}, not in channels.yaml"] for name, number in orphans.items()]
    lines += [["silences", f"{silences} in force: rasid silence list"]] if silences else []
    lines += [["trouble", f"{shown(one.created, zone)} {one.text}"] for one in notices]
    print_table(["", ""], lines)


def hit_filter(
    zone: str,
    rule: str | None,
    outlet: str | None,
    since: str | None,
    until: str | None,
    text: str | None,
    story: int | None,
    limit: int,
    before: int | None,
    *,
    decision: Decision | None = None,
    fate: str | None = None,
) -> HitFilter:
    """What the options of a list ask for. RasidError where they are wrong."""
    first, end = between(since, until, zone)
    return HitFilter(
        rule=rule,
        outlet=outlet,
        since=first,
        until=end,
        decision=decision,
        text=search_words(text) if text is not None else None,
        limit=limit,
        before_id=before,
        story=story,
        fate=fate,
    )


def between(since: str | None, until: str | None, zone: str) -> tuple[datetime | None, datetime | None]:
    """The moments of --since and --until. RasidError where nothing lies between them."""
    first = moment(since, zone) if since is not None else None
    end = moment(until, zone) if until is not None else None
    if first is not None and end is not None and first >= end:
        raise RasidError("--until is not after --since: nothing lies between them")
    return first, end


def doubt(found: Configuration, rule: str | None, outlet: str | None) -> None:
    """Nothing was found: say so where the name asked for is none that the configuration knows."""
    if rule is not None and found.rules.get(rule) is None:
        err.print(f"! {unknown('rule', rule, (one.rule.id for one in found.rules.rules))}", markup=False)
    if outlet is not None and outlet not in found.catalog.outlets:
        guess = near(outlet, found.catalog.outlets)
        err.print(f"! no outlet is called {outlet}{f': did you mean {guess}?' if guess else ''}", markup=False)


def more(before: int | None, count: int, command: str) -> None:
    """Say that nothing was found, or how to read on; nothing of it in a pipe."""
    if out.is_terminal and not count:
        out.print("none")
    if out.is_terminal and before is not None:
        out.print(f"more: rasid {command} --before {before}")


def headline(text: str, longest: int = 90) -> str:
    """A headline on one line, isolated so that it neither turns the line around nor is turned by it."""
    title = " ".join(text.split())
    return isolated(f"{title[:longest]}{'…' if len(title) > longest else ''}")


def outlet_name(outlet: Outlet | None, article: Article) -> str:
    """An outlet as lists show it: its Arabic name, else its id."""
    return isolated(outlet.name_ar) if outlet and outlet.name_ar else article.outlet_id


def _counts(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"


def _delay(delay: Delays) -> str:
    if delay.p50 is None or delay.p90 is None:
        return "no message yet"
    return f"{delay.p50:.0f} s (median), {delay.p90:.0f} s (9 of 10), {delay.count} messages"


def iso(when: datetime | None) -> str | None:
    """A moment as JSON has it."""
    return when.isoformat() if when else None


def hit_json(row: HitRow) -> dict[str, object]:
    """A hit and what became of it, as JSON has it."""
    return {
        "id": row.hit.id,
        "rule": row.hit.rule_id,
        "story": row.hit.story_id,
        "created": iso(row.hit.created),
        "decision": row.hit.decision.value,
        "reason": row.hit.code,
        "sentence": REASONS.get(row.hit.code, row.hit.code),
        "sentence_ar": REASONS_AR.get(row.hit.code, row.hit.code),
        "detail": row.hit.detail,
        "until": iso(row.until),
        "fate": row.fate,
        "why": row.why,
        "at": iso(row.at),
        "score": row.score,
        "article": article_json(row.article),
        "spans": [_span_json(row.article, span) for span in row.hit.spans],
        "messages": [post_json(post) for post in row.posts],
    }


def alert_json(row: AlertRow) -> dict[str, object]:
    """An alert, as JSON has it."""
    return {
        "id": row.id,
        "rule": row.rule_id,
        "story": row.story_id,
        "severity": row.severity.value,
        "created": iso(row.created),
        "digest": row.digest,
        "change": row.change,
        "reason": row.why,
        "article": article_json(row.article),
        "spans": [_span_json(row.article, span) for span in row.spans],
        "not_relevant": row.not_relevant,
        "outlets": row.outlets,
        "articles": row.article_count,
        "messages": [post_json(post) for post in row.posts],
    }


def _span_json(article: Article, span: Span) -> dict[str, object]:
    text = " | ".join(article.tags) if span.field == "tags" else str(getattr(article, span.field, ""))
    return {**span._asdict(), "text": text[span.start : span.end]}


def article_json(article: Article) -> dict[str, object]:
    """An article without its text, as JSON has it."""
    return {
        "id": article.id,
        "outlet": article.outlet_id,
        "feed": article.feed_id,
        "title": article.title,
        "url": article.url,
        "published": iso(article.published),
        "first_seen": iso(article.first_seen),
    }


def _fared(post: Post) -> str:
    """What became of it in a channel; of what waits, why."""
    why = f" ({post.reason})" if post.state == "pending" and post.reason else ""
    return f"{post.channel}: {post.state}{why}"


def post_json(post: Post) -> dict[str, object]:
    """A message of an alert, as JSON has it."""
    times = {"sent_at": iso(post.sent_at), "settled": iso(post.settled), "due": iso(post.due)}
    return {**asdict(post), **times, "link": link(post.chat, post.external_id)}
