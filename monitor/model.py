"""The nouns of Rasid as frozen dataclasses, and as named tuples where an article has many. Imports nothing of ours;
every stage speaks in these. Those of channels and messages are in monitor.model_delivery.

All datetimes are timezone-aware UTC. Offsets in spans are code points of the original field text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
