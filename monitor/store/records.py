"""What the store answers with, beyond the nouns of monitor.model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Literal, TypeVar

from monitor.model import Article, Decision, Hit, Outlet, Overrule, Severity, Span
from monitor.model_delivery import ArticleLine, MessageView, StoryLines

T = TypeVar("T")


# ── intake ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Novelty:
    """Whether an article is there already. article_id is None for new ones, and for old ones that were pruned."""

    kind: Literal["new", "same", "revision"]
    article_id: int | None


@dataclass(frozen=True, slots=True)
class Placed:
    """A stored article (its id is set) and its story. part: the story that it joined by its words, which an analyst
    may have merged into that one."""

    article: Article
    story_id: int
    part: int


@dataclass(frozen=True, slots=True)
class Filed:
    """A stored article as the story index wants it. story_id, part: as in Placed. when: as of the article.

    signature: what was kept of it; None: nothing.
    """

    article_id: int
    story_id: int
    part: int
    when: datetime
    signature: bytes | None


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StoryRows:
    """One story of a message: lead first, then the first article of each other outlet, then the rest, oldest first.

    first: the id of the story's first article. raised: (rule, the id of the article that made it alert). changes,
    denies, denied, news, high: see StoryLines.
    """

    story_id: int
    rule_ids: tuple[str, ...]
    articles: tuple[tuple[Article, tuple[Span, ...]], ...]
    article_count: int
    outlet_count: int
    first: int
    raised: tuple[tuple[str, int], ...]
    changes: tuple[tuple[str, Article], ...]
    denies: Article | None
    denied: Article | None
    news: tuple[str, ...]
    high: bool

    def shown(self) -> list[Article]:
        """Every article of the record."""
        also = [one for one in (self.denies, self.denied) if one is not None]
        return [*(one for one, _ in self.articles), *(one for _, one in self.changes), *also]

    def lines(self, outlet: Callable[[str], Outlet]) -> StoryLines:
        """The same for rendering."""

        def line(one: Article, spans: tuple[Span, ...] = ()) -> ArticleLine:
            return ArticleLine(one, outlet(one.outlet_id), spans)

        lines = tuple(line(one, spans) for one, spans in self.articles)
        by_id = {one.article.id: one for one in lines}
        lead = self.raised[0][1]
        return StoryLines(
            story_id=self.story_id,
            rule_ids=self.rule_ids,
            lines=lines,
            article_count=self.article_count,
            outlet_count=self.outlet_count,
            began=by_id.get(self.first) if self.first != lead else None,
            later=tuple((rule, by_id[one]) for rule, one in self.raised if one > lead and one in by_id),
            changes=tuple((change, line(one)) for change, one in self.changes),
            denies=None if self.denies is None else line(self.denies),
            denied=None if self.denied is None else line(self.denied),
            news=self.news,
            high=self.high,
        )


@dataclass(frozen=True, slots=True)
class MessageRows:
    """All that the database knows of a message. alerts: (rule id, story id); alert_ids: the same, by number.

    outlets: as last configured, by id. why, part, parts, total, reply_to: see MessageView.
    """

    id: int
    kind: str
    channel: str
    text: str
    alerts: tuple[tuple[str, int], ...]
    alert_ids: tuple[int, ...]
    stories: tuple[StoryRows, ...]
    outlets: Mapping[str, Outlet]
    why: str = ""
    part: int = 1
    parts: int = 1
    total: int = 0
    reply_to: str | None = None

    def view(self, outlets: Mapping[str, Outlet] | None = None) -> MessageView:
        """The same for rendering. `outlets` (the present catalogue) goes before what the database remembers."""
        known = {**self.outlets, **(outlets or {})}

        def outlet(of: str) -> Outlet:
            return known.get(of) or Outlet(of, of, of, "", "und")

        stories = tuple(story.lines(outlet) for story in self.stories)
        alerts = tuple((one, rule) for one, (rule, _) in zip(self.alert_ids, self.alerts, strict=True))
        return MessageView(
            id=self.id,
            kind=self.kind,
            channel=self.channel,
            stories=stories,
            text=self.text,
            why=self.why,
            part=self.part,
            parts=self.parts,
            total=self.total,
            reply_to=self.reply_to,
            alerts=alerts,
        )


@dataclass(frozen=True, slots=True)
class ChatState:
    """A chat as the outbox sees it, or a channel that is held alone: its key is claiming.own's.

    queued counts its deliveries that wait; in_flight: sending or unknown.
    """

    chat_key: str
    channels: tuple[str, ...]
    chat_id: str | None
    hold_until: datetime | None
    hold_reason: str
    queued: int
    in_flight: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the operator was told, or would have been, and that still stands."""

    key: str
    text: str
    created: datetime


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class HitFilter:
    """What to read, newest first. text: words that the article must contain (-word: must not; word*: begins with).

    since and until bound the creation of the hit or alert: since <= created < until. before_id: the next page.
    """

    rule: str | None = None
    outlet: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    decision: Decision | None = None
    text: str | None = None
    limit: int = 50
    before_id: int | None = None
    story: int | None = None
    fate: str | None = None  # of hits: one of store.fates.FATES


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, newest first. next_before: the before_id that reads on; None at the end."""

    items: tuple[T, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Post:
    """What became of an alert in one channel. state is that of the send, or of the edit that tells of it: pending,
    sending, unknown, sent, dead.

    settled: when that ended; due: when one that waits goes, at the earliest. chat, external_id: where the message
    is and its id there, in the channel's own words.
    """

    message_id: int
    channel: str
    kind: str
    state: str
    sent_at: datetime | None
    reason: str
    settled: datetime | None = None
    due: datetime | None = None
    chat: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class HitRow:
    """A hit in the ledger, with the text that its spans are of.

    fate: see store.fates; why: the code of the decision, or what the channel said; at: since when it has that fate;
    until: when what is held goes or is looked at again, where that is known.
    """

    hit: Hit
    article: Article
    outlet: Outlet | None
    fate: str
    why: str
    at: datetime
    until: datetime | None = None
    score: float = 0.0
    posts: tuple[Post, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of hits. fates: how many have each; reasons: the same by the code of the decision, and what waits in
    a digest by the kind of that (digest, burst, quiet).

    removed: of those that retention removed, how many had which fate at the time.
    """

    fates: Mapping[str, int]
    reasons: Mapping[str, Mapping[str, int]]
    removed: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many hits there were, the removed ones included."""
        return sum(self.fates.values()) + sum(self.removed.values())


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert with the article that raised it. outlets: ids of the story's outlets, the first to report it first.

    change: the number that it tells of, "4 → 7"; ESCALATED: that so many outlets carry it; "": it tells of the story.
    why: the reason, a key of reasons.REASONS. not_relevant: the people who said so.
    """

    id: int
    rule_id: str
    story_id: int
    hit_id: int
    severity: Severity
    created: datetime
    digest: bool
    change: str
    why: str
    article: Article
    spans: tuple[Span, ...]
    outlets: tuple[str, ...]
    article_count: int
    posts: tuple[Post, ...]
    not_relevant: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoryFilter:
    """Which stories, those opened last first. rule: one that hit an article of the story. text: as in HitFilter.

    since: an article joined then or later; until: opened before. min_outlets: as many outlets or more carry it.
    """

    rule: str | None = None
    outlet: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    min_outlets: int = 1
    limit: int = 50
    before_id: int | None = None


@dataclass(frozen=True, slots=True)
class StoryHead:
    """A story in a list. newest: when its last article was first seen. headline: of the first article that has one.

    outlets: ids, the first to be seen first. alerted: the rules that alerted it, in that order.
    """

    id: int
    opened: datetime
    newest: datetime
    headline: str
    outlets: tuple[str, ...]
    article_count: int
    alerted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """A later text of an article, when it was first seen, and the number in its headline that changed ("4 → 7")."""

    seen: datetime
    article: Article
    change: str


@dataclass(frozen=True, slots=True)
class StoryArticle:
    """An article in its story. how, detail, similarity: of its placement. rules: those that hit it.

    part: the story that it was placed in, where an analyst merged that into this one. change: the number that it
    changed, "4 → 7". denies: the story that it denies or corrects.
    """

    story_id: int
    article: Article
    outlet: Outlet | None
    how: str
    detail: str
    similarity: float
    rules: tuple[str, ...]
    revisions: tuple[Revision, ...]
    part: int | None
    change: str
    denies: int | None


@dataclass(frozen=True, slots=True)
class StoryRecord:
    """All that is known of a story. articles: by the time of their publication. overrules: of analysts, in order.

    denied_by: the stories of articles that deny or correct it.
    """

    head: StoryHead
    articles: tuple[StoryArticle, ...]
    overrules: tuple[tuple[datetime, Overrule], ...]
    denied_by: tuple[int, ...]


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds until a message was sent, over `count` messages; None where there were none."""

    count: int = 0
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The numbers of `rasid status`. Counts without a name are of all that the database holds."""

    articles: int = 0
    stories: int = 0
    hits: Mapping[str, int] = field(default_factory=dict)  # by decision
    hits_window: Mapping[str, int] = field(default_factory=dict)  # by decision, created within the window
    alerts: int = 0
    deliveries: Mapping[str, int] = field(default_factory=dict)  # by state
    queue: int = 0  # deliveries that are not at an end
    oldest_queued: datetime | None = None
    feeds: int = 0
    feeds_failing: int = 0
    feeds_stopped: int = 0
    last_polled: datetime | None = None
    last_sent: datetime | None = None
    window: timedelta = timedelta(days=1)
    since_published: Delays = Delays()
    since_first_seen: Delays = Delays()


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """The numbers of `rasid db info`."""

    place: str  # without the password
    size: int  # bytes
    rows: Mapping[str, int]  # by table
    schema_version: str
    oldest_article: datetime | None
    newest_article: datetime | None
    not_indexed: int  # articles that search does not find yet


@dataclass(frozen=True, slots=True)
class PruneReport:
    """How many rows were removed."""

    articles: int = 0
    stories: int = 0
    hits: int = 0
    alerts: int = 0
    messages: int = 0
    entry_hashes: int = 0
    keys: int = 0
