"""The nouns of telling, as monitor.model has those of watching: channels and routes, messages, deliveries, and what
comes of them. Imports nothing of ours but that; every stage speaks in these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from monitor.model import Article, Outlet, Severity, Span

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

    text: of operator and test messages; of a digest what its reason (`why`) needs. part of parts, total: of a digest
    that takes several messages, with the stories of all of them; total 0: it takes one. reply_to: the id, at the
    channel, of the message that this one goes on. alerts: (id, rule id).
    """

    id: int
    kind: str
    channel: str
    stories: tuple[StoryLines, ...] = ()
    text: str = ""
    why: str = ""
    part: int = 1
    parts: int = 1
    total: int = 0
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


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """A delivery leased to this process. attempt counts from 1; external_id is the message's id at the channel."""

    id: int
    message_id: int
    channel: str
    operation: Operation
    chat_key: str  # the chat that this attempt is for; its channel may have left it since
    attempt: int
    plain: bool  # the formatted form was refused once: send plain text
    external_id: str | None
    chat_id: str | None  # where the chat was migrated to, if it was
    created: datetime
    started: datetime | None = None  # when this attempt was leased; an unknown send is quarantined from here
    unknowns: int = 0  # earlier attempts whose outcome was unknown; too many end the delivery
    lost: bool = False  # the outcome of the last attempt is unknown still: the message may be there
    marker: str = ""  # by which the message is recognised in a chat where it may be; no other has the same
    service: str = ""  # what its channel shares with others, the bot; else the channel


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
    HOLD_CHANNEL = "hold_channel"  # this channel cannot write there, others of the chat may: its own queue waits
    MIGRATED = "migrated"  # the chat has a new id
    STOP = "stop"  # the credentials are refused: nothing can be sent on this channel
    GONE = "gone"  # the message to edit no longer exists
    REJECTED = "rejected"  # this message will never be accepted


GONE = "the message is no longer there"  # how the reason of an edit begins whose message was deleted, or is too old


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt's result."""

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
    own: bool = False  # the hold is its channel's alone, not the chat's
    firm: bool = False  # the server named that time: a restart does not shorten it
    chat_id: str | None = None
    notice: str | None = None  # what the operator should be told, once
    trouble: str = ""  # of the notice: what lasts until a message is sent again; "": it is over with being told
    shared: bool = False  # the trouble is the server's or the bot's: all its channels have it
