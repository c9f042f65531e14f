"""The nouns of Rasid as frozen dataclasses, and as named tuples where an article has many. Imports nothing of ours;
every stage speaks in these.

All datetimes are timezone-aware UTC. Offsets in spans are code points of the original field text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

LARGEST_ID = 2**31 - 1  # of a row: Postgres' integer holds no more

# ── outlets and feeds (configuration) ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Outlet:
    """A publisher; several feeds may belong to one outlet. country is ISO 3166 alpha-2, language BCP 47."""

    id: str
    name_ar: str
    name_en: str
    country: str
    language: str

    def name(self, language: str) -> str:
        return self.name_ar if language == "ar" else self.name_en


@dataclass(frozen=True, slots=True)
class Feed:
    """A polled URL, as configured. id: given in the file, or derived from outlet and URL."""

    id: str
    url: str
    outlet: Outlet
    language: str | None = "ar"  # None: decide by the article's letters
    tags: tuple[str, ...] = ()
    interval: timedelta = timedelta(minutes=5)
    max_age: timedelta = timedelta(days=2)  # older entries are stored but never alert (reason too_old)
    full_text: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold secrets
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    user_agent: str | None = None
    proxy: str | None = None  # None: that of the setting; "": none at all
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class FeedState:
    """What the database remembers of a feed between polls."""

    feed_id: str
    next_due: datetime
    url: str | None = None  # where a permanent redirect led; used in place of the configured URL
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    failures: int = 0
    first_poll_done: bool = False
    last_ok: datetime | None = None
    last_polled: datetime | None = None
    last_error: str | None = None
    stopped: str | None = None  # reason no longer polled (410 Gone); cleared by editing the feed's URL


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """One successful conditional GET. body is None when the server said 304."""

    status: int
    url: str  # where the body came from, after redirects
    body: bytes | None
    headers: Mapping[str, str]  # lower-case names
    etag: str | None = None
    last_modified: str | None = None
    permanent_url: str | None = None  # set when every redirect on the way was permanent (301, 308)
    elapsed: float = 0.0  # seconds


# ── articles ─────────────────────────────────────────────────────────────────────────────────────────────────────

FIELDS = ("title", "summary", "body", "author", "tags", "url", "outlet", "language")


@dataclass(frozen=True, slots=True)
class Article:
    """Our normalised entry. Text fields are plain text (no markup) in logical order, NFC-untouched originals."""

    feed_id: str
    outlet_id: str
    key: str  # novelty key inside the feed: GUID, else URL, else content hash
    url: str  # "" where the entry had no usable http(s) link
    canonical_url: str  # lower host, tracking parameters and fragment removed; "" as above
    title: str
    summary: str
    body: str
    author: str
    tags: tuple[str, ...]
    language: str  # BCP 47 primary tag, "und" where unknown
    published: datetime | None
    first_seen: datetime
    content_hash: str  # over folded title, summary and body
    id: int | None = None
    entry_hash: str = ""  # over the raw bytes of the entry; lets an unchanged entry skip the parser

    @property
    def when(self) -> datetime:
        """Published, or first seen where the feed gave no date or one in the future."""
        return min(self.published, self.first_seen) if self.published else self.first_seen


@dataclass(frozen=True, slots=True)
class Page:
    """What was read from an article's web page. text: its body, one paragraph a line, "" where none was found."""

    title: str
    text: str
    published: datetime | None = None
    author: str = ""


# ── rules, spans, matches ────────────────────────────────────────────────────────────────────────────────────────


class Severity(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class RuleState(StrEnum):
    ON = "on"
    TRIAL = "trial"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Rule:
    """A watch rule without its query: everything that deciding and rendering need."""

    id: str
    name_ar: str
    name_en: str
    severity: Severity = Severity.NORMAL
    state: RuleState = RuleState.ON
    channels: tuple[str, ...] = ()  # empty: the default channel
    cooldown: timedelta = timedelta(0)
    cooldown_high: bool = False  # the cooldown holds back severity high too
    max_per_hour: int = 0  # alerts; more wait and come as one digest; 0: no limit
    muted_by: tuple[str, ...] = ()  # rules; a story that one of them alerted does not alert this one
    escalate: int = 0  # outlets from which on a story is raised to high; 0: never
    languages: tuple[str, ...] = ()  # empty: every language
    outlets_include: tuple[str, ...] = ()
    outlets_exclude: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    min_outlets: int = 1
    developments: bool = False  # a number that changed in a story that it alerted alerts again
    max_age: timedelta | None = None
    tags: tuple[str, ...] = ()
    version: str = ""  # hash of the rule as written; a changed rule has another

    def name(self, language: str) -> str:
        return self.name_ar if language == "ar" else self.name_en


class Span(NamedTuple):
    """One matched place of an article: code points [start, end) of `field`, and the term that matched there."""

    field: str
    start: int
    end: int
    term: str


class RuleMatch(NamedTuple):
    """A rule whose query holds for an article. spans is sorted, and empty only for queries without positive terms."""

    rule_id: str
    spans: tuple[Span, ...]
    score: float = 0.0


# ── stories ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an article belongs. story_id None: it opens a story. how: new, url, guid, content, title, body.

    change: the toll that rose since the article it was found like, "4 → 7". denies: the story that it denies or
    corrects, which it does not join.
    """

    story_id: int | None
    how: str
    detail: str = ""
    similarity: float = 0.0  # 0..1 against the nearest article, joined or not
    change: str = ""
    denies: int | None = None


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story as deciding needs it, before the new article is added."""

    id: int
    opened: datetime
    outlets: tuple[str, ...]
    article_count: int


@dataclass(frozen=True, slots=True)
class Overrule:
    """What an analyst decided. kind "merge": story other_id became part of story_id; "split": it was split off it.

    article_ids: those that moved.
    """

    id: int
    kind: str
    story_id: int
    other_id: int
    article_ids: tuple[int, ...]


# ── silences ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Silence:
    """What is not to alert for a while: hits for which every criterion given holds. text: a query; "": any text.

    until: its end as planned; ended: when somebody ended it before that. author: who asked for it.
    """

    id: int
    created: datetime
    until: datetime
    rule_id: str | None = None
    outlet_id: str | None = None
    story_id: int | None = None
    text: str = ""
    reason: str = ""
    author: str = ""
    ended: datetime | None = None

    @property
    def end(self) -> datetime:
        """When it ends or ended."""
        return self.ended or self.until


# ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────────


class Decision(StrEnum):
    ALERT = "alert"  # an alert was made
    JOINED = "joined"  # the rule already alerted this story: grouped with it
    HELD = "held"  # waits: cooldown, or too few outlets
    MUTED = "muted"  # stored, will not be sent


ESCALATED = "escalated"  # what an alert tells of, in place of a number that changed, where a rule raised its story


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision with its reason. code is a key of reasons.REASONS; until: when a held hit is looked at again.

    change: the number that the alert tells of, "4 → 7"; "": it tells of the story.
    """

    decision: Decision
    code: str
    detail: str = ""
    until: datetime | None = None
    change: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """rule × article, as stored."""

    id: int
    rule_id: str
    article_id: int
    story_id: int
    spans: tuple[Span, ...]
    decision: Decision
    code: str
    detail: str
    created: datetime
    until: datetime | None = None  # of a hit held by a cooldown: when it is looked at again


# ── channels (configuration) ────────────────────────────────────────────────────────────────────────────────────

PERSON = "person:"  # begins the name of a channel that is a person, who follows rules


class Mode(StrEnum):
    """What a channel gets a message for."""

    EACH = "each"  # every article that a rule hit
    STORY = "story"  # every story, edited as it grows
    DIGEST = "digest"  # many stories, at set times


@dataclass(frozen=True, slots=True)
class Schedule:
    """When digests go, in the channel's own time: `every` so often, at most an hour, or at `times` of the day."""

    every: timedelta | None = None
    times: tuple[time, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A configured destination. options belong to its transport (delivery.channels names and checks them).

    burst: stories told one by one within burst_window; what comes beyond that is told in a digest. 0: no limit.
    quiet: (from, to), times of the day between which only severity high is told, and with quiet_high nothing.
    """

    name: str
    type: str  # telegram, webhook, apprise, file, console
    language: str = "ar"  # of the words around the articles: ar or en
    timezone: str | None = None  # IANA name; None: the setting `timezone`
    options: Mapping[str, object] = field(default_factory=dict)
    mode: Mode = Mode.STORY
    digest: Schedule | None = None  # of mode digest
    burst: int = 0
    burst_window: timedelta = timedelta(minutes=5)
    quiet: tuple[time, time] | None = None
    quiet_high: bool = False
    hashtags: bool = False  # one for each rule, below the message


@dataclass(frozen=True, slots=True)
class Place:
    """How an alert is told in a channel. mode DIGEST: it joins the channel's open digest of its kind (`why`: digest,
    burst or quiet), which goes at `until`. held: that, in words; detail: what the digest says of it.
    """

    channel: str
    mode: Mode = Mode.STORY
    why: str = ""
    until: datetime | None = None
    held: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Where alerts go for which everything that is given holds; what is not given, holds. All lists mean: one of them.

    go_on: the routes below are asked too, also where this one takes an alert.
    """

    channels: tuple[str, ...]
    severities: tuple[Severity, ...] = ()
    rules: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()  # of the rule
    countries: tuple[str, ...] = ()  # of the outlet
    languages: tuple[str, ...] = ()  # of the article
    outlets: tuple[str, ...] = ()
    go_on: bool = False


@dataclass(frozen=True, slots=True)
class ChatPace:
    """How fast a chat may be written to. Channels with one chat_key share it; shared_key spans chats (the bot)."""

    chat_key: str
    min_gap: float = 0.0  # seconds between two sends to the chat
    per_minute: int = 0  # 0: no limit
    shared_key: str = ""
    shared_per_second: int = 0


# ── messages and deliveries ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ArticleLine:
    """One article of a story as a message shows it; spans are those of its hits (empty where it did not match)."""

    article: Article
    outlet: Outlet
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class StoryLines:
    """One story in a message: its lead article first, then the others, oldest first.

    began: the story's first article, where another one raised the alert. later: rules that an article after the lead
    alerted, each with that article. changes: numbers that changed, "4 → 7", each with the article that changed it.
    denies: the first article of the story that this one denies or corrects; denied: an article that denies this one.
    news: the numbers that are why a rule alerts the story again, "4 → 7"; ESCALATED: that so many outlets carry it.
    high: a rule told it as of high severity, whatever its own is.
    """

    story_id: int
    rule_ids: tuple[str, ...]
    lines: tuple[ArticleLine, ...]
    article_count: int
    outlet_count: int
    began: ArticleLine | None = None
    later: tuple[tuple[str, ArticleLine], ...] = ()
    changes: tuple[tuple[str, ArticleLine], ...] = ()
    denies: ArticleLine | None = None
    denied: ArticleLine | None = None
    news: tuple[str, ...] = ()
    high: bool = False


@dataclass(frozen=True, slots=True)
class MessageView:
    """All that rendering needs. kind: story, development, article, digest, operator, test.

    text: of operator and test messages; of a digest what its reason (`why`) needs. part of parts: of a digest that
    takes several messages. reply_to: the id, at the channel, of the message that this one goes on. alerts: (id, rule
    id).
    """

    id: int
    kind: str
    channel: str
    stories: tuple[StoryLines, ...] = ()
    text: str = ""
    why: str = ""
    part: int = 1
    parts: int = 1
    reply_to: str | None = None
    alerts: tuple[tuple[int, str], ...] = ()


class Button(NamedTuple):
    """A button under a message: what it says, and what it does (alerts.buttons) to the alert of that number."""

    label: str
    action: str
    alert_id: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready for a transport. html is Telegram's subset, None where only plain text may be sent."""

    text: str
    html: str | None
    silent: bool = False
    data: Mapping[str, object] = field(default_factory=dict)  # the structured form, for programs
    link: str = ""  # of the article that it is about; "": of none, or of several
    reply_to: str | None = None  # see MessageView
    buttons: tuple[tuple[Button, ...], ...] = ()  # rows; for transports that have such


class Operation(StrEnum):
    SEND = "send"
    EDIT = "edit"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """A delivery leased to this process. attempt counts from 1; external_id is the message's id at the channel."""

    id: int
    message_id: int
    channel: str
    operation: Operation
    attempt: int
    plain: bool  # the formatted form was refused once: send plain text
    external_id: str | None
    chat_id: str | None  # where the chat was migrated to, if it was
    created: datetime
    started: datetime | None = None  # when this attempt was leased; an unknown send is quarantined from here
    unknowns: int = 0  # earlier attempts whose outcome was unknown; too many end the delivery
    lost: bool = False  # the outcome of the last attempt is unknown still: the message may be there
    marker: str = ""  # by which the message is recognised in a chat where it may be; no other has the same


class OutcomeKind(StrEnum):
    """What an attempt at a channel came to, said by the transport, which alone reads the server's words."""

    SENT = "sent"
    NOT_MODIFIED = "not_modified"  # an edit that changes nothing: as good as sent
    RETRY = "retry"  # surely not delivered; try again after retry_after
    UNKNOWN = "unknown"  # may or may not have been delivered
    UNSENT = "unsent"  # nothing was sent, and nothing is wrong with the chat: send now
    UNSEEN = "unseen"  # a lost message was looked for, without an answer: look again
    PLAIN = "plain"  # formatting or length refused: render as plain text and try once more
    HOLD_CHAT = "hold_chat"  # the chat cannot be written to; its queue waits
    MIGRATED = "migrated"  # the chat has a new id
    STOP = "stop"  # the credentials are refused: nothing can be sent on this channel
    GONE = "gone"  # the message to edit or delete no longer exists
    REJECTED = "rejected"  # this message will never be accepted


GONE = "the message is no longer there"  # how the reason of an edit begins whose message was deleted, or is too old


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt's result. scope says whether a wait holds the chat (429) or only this delivery."""

    kind: OutcomeKind
    detail: str = ""
    external_id: str | None = None
    retry_after: float | None = None  # seconds
    chat_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is to be written after an attempt (delivery.retry decides it, store.settle writes it)."""

    state: str  # sent, pending, unknown, dead
    due_at: datetime | None = None
    reason: str = ""
    external_id: str | None = None
    plain: bool = False
    unknown: bool = False  # whether the attempt reached the channel was not learnt: it counts as such
    hold_until: datetime | None = None  # the chat takes nothing before this
    hold_reason: str = ""
    firm: bool = False  # the server named that time: a restart does not shorten it
    chat_id: str | None = None
    notice: str | None = None  # what the operator should be told, once
    trouble: str = ""  # of the notice: what lasts until a message is sent again; "": it is over with being told
