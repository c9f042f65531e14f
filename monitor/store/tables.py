"""The tables. migrations/ builds them; a test holds the two together.

Feeds and outlets are configuration, so nothing refers to them by foreign key: rows may outlive them.
"""

from __future__ import annotations

import sqlalchemy as sa

from monitor.store.dialect import Json, Key, Utc, Words

metadata = sa.MetaData()


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _refers(name: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(target), nullable=nullable)


outlets = sa.Table(
    "outlets",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("name_ar", Words, nullable=False),
    sa.Column("name_en", Words, nullable=False),
    sa.Column("country", Words, nullable=False),
    sa.Column("language", Words, nullable=False),
)

feeds = sa.Table(
    "feeds",
    metadata,
    sa.Column("feed_id", Key, primary_key=True),
    sa.Column("configured_url", Words, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),  # configured and enabled
    sa.Column("next_due", Utc, nullable=False),
    sa.Column("url", Words),
    sa.Column("etag", Words),
    sa.Column("last_modified", Words),
    sa.Column("body_hash", Words),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("first_poll_done", sa.Boolean, nullable=False),
    sa.Column("last_ok", Utc),
    sa.Column("last_polled", Utc),
    sa.Column("last_error", Words),
    sa.Column("stopped", Words),
    sa.Column("claimed_by", Words),
    sa.Column("claimed_until", Utc),
    sa.Index("feeds_due", "next_due"),
)

# Hashes of raw entries: what is known here never reaches the parser.
entry_hashes = sa.Table(
    "entry_hashes",
    metadata,
    sa.Column("feed_id", Key, primary_key=True),
    sa.Column("hash", Key, primary_key=True),
    sa.Column("last_seen", Utc, nullable=False),
)

# Keys of pruned articles, so that an old entry that a feed still carries never comes back as new.
gone_keys = sa.Table(
    "gone_keys",
    metadata,
    sa.Column("feed_id", Key, primary_key=True),
    sa.Column("key", Key, primary_key=True),
    sa.Column("entry_hash", Key, nullable=False),
    sa.Column("last_seen", Utc, nullable=False),
)

stories = sa.Table("stories", metadata, _id(), sa.Column("opened", Utc, nullable=False), sqlite_autoincrement=True)

articles = sa.Table(
    "articles",
    metadata,
    _id(),
    _refers("story_id", "stories.id"),
    sa.Column("feed_id", Key, nullable=False),
    sa.Column("outlet_id", Key, nullable=False),
    sa.Column("key", Key, nullable=False),
    sa.Column("url", Words, nullable=False),
    sa.Column("canonical_url", Words, nullable=False),
    sa.Column("title", Words, nullable=False),
    sa.Column("summary", Words, nullable=False),
    sa.Column("body", Words, nullable=False),
    sa.Column("author", Words, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("language", Words, nullable=False),
    sa.Column("published", Utc),
    sa.Column("first_seen", Utc, nullable=False),
    sa.Column("content_hash", Key, nullable=False),
    sa.Column("entry_hash", Key, nullable=False),
    sa.Column("first_poll", sa.Boolean, nullable=False),
    sa.Column("how", Words, nullable=False),  # of its placement: see model.Placement
    sa.Column("detail", Words, nullable=False),
    sa.Column("similarity", sa.Float, nullable=False),
    sa.Column("part", sa.Integer),  # the story its words joined, where an analyst merged that into story_id
    sa.Column("change", Words, nullable=False, server_default=""),  # the number that it changed in its story, "4 → 7"
    sa.Column("denies", sa.Integer),  # the story that it denies or corrects
    sa.Index("articles_denies", "denies"),
    sa.Index("articles_key", "feed_id", "key", unique=True),
    sa.Index("articles_story", "story_id"),
    sa.Index("articles_first_seen", "first_seen"),
    sqlite_autoincrement=True,
)

# Further keys under which later versions of an article came: from another feed of its outlet, or with another GUID.
other_keys = sa.Table(
    "other_keys",
    metadata,
    sa.Column("feed_id", Key, primary_key=True),
    sa.Column("key", Key, primary_key=True),
    _refers("article_id", "articles.id"),
    sa.Index("other_keys_article", "article_id"),
)

# What the story index holds of each recent article, as bytes that only monitor.stories reads.
signatures = sa.Table(
    "signatures",
    metadata,
    sa.Column("article_id", sa.Integer, sa.ForeignKey("articles.id"), primary_key=True, autoincrement=False),
    sa.Column("kept", sa.LargeBinary, nullable=False),
)

# What analysts decided. Story numbers are no foreign keys: a merged story is gone, and what it became stands here.
overrules = sa.Table(
    "overrules",
    metadata,
    _id(),
    sa.Column("created", Utc, nullable=False),
    sa.Column("kind", Words, nullable=False),  # merge: other_id became part of story_id; split: it was split off
    sa.Column("story_id", sa.Integer, nullable=False),
    sa.Column("other_id", sa.Integer, nullable=False),
    sa.Column("article_ids", Json, nullable=False),  # those that moved
    sqlite_autoincrement=True,
)

# Later versions of an article. The article itself keeps its first text, so that the spans of its hits stay true.
revisions = sa.Table(
    "revisions",
    metadata,
    _id(),
    _refers("article_id", "articles.id"),
    sa.Column("content_hash", Key, nullable=False),
    sa.Column("seen", Utc, nullable=False),
    sa.Column("url", Words, nullable=False),
    sa.Column("title", Words, nullable=False),
    sa.Column("summary", Words, nullable=False),
    sa.Column("body", Words, nullable=False),
    sa.Column("author", Words, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("change", Words, nullable=False, server_default=""),  # the number in its headline that changed, "4 → 7"
    sa.Index("revisions_hash", "article_id", "content_hash", unique=True),
)

hits = sa.Table(
    "hits",
    metadata,
    _id(),
    sa.Column("rule_id", Key, nullable=False),
    sa.Column("rule_version", Words, nullable=False),
    _refers("article_id", "articles.id"),
    _refers("story_id", "stories.id"),
    _refers("revision_id", "revisions.id", nullable=True),  # the text its spans are of, where it is a later one
    sa.Column("spans", Json, nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("decision", Key, nullable=False),
    sa.Column("code", Words, nullable=False),
    sa.Column("detail", Words, nullable=False),
    sa.Column("until", Utc),
    sa.Column("created", Utc, nullable=False),
    sa.Column("decided", Utc, nullable=False),
    sa.Index("hits_article", "article_id", "rule_id", unique=True),
    sa.Index("hits_rule", "rule_id", "id"),
    sa.Index("hits_story", "story_id"),
    sa.Index("hits_held", "decision", "until"),
    sa.Index("hits_created", "created"),
    sqlite_autoincrement=True,
)

alerts = sa.Table(
    "alerts",
    metadata,
    _id(),
    sa.Column("rule_id", Key, nullable=False),
    _refers("story_id", "stories.id"),
    _refers("hit_id", "hits.id"),
    sa.Column("severity", Words, nullable=False),
    sa.Column("created", Utc, nullable=False),
    sa.Column("digest", sa.Boolean, nullable=False),  # released by a digest: starts no new cooldown
    sa.Column("change", Key, nullable=False, server_default=""),  # the number that it tells of, "4 → 7"; "": the story
    sa.Index("alerts_story", "story_id", "rule_id", "change", unique=True),
    sa.Index("alerts_rule", "rule_id", "created"),
    sa.Index("alerts_hit", "hit_id"),
    sqlite_autoincrement=True,
)

messages = sa.Table(
    "messages",
    metadata,
    _id(),
    sa.Column("kind", Words, nullable=False),  # story, development, article, digest, operator, test
    sa.Column("channel", Key, nullable=False),
    _refers("story_id", "stories.id", nullable=True),
    sa.Column("article_id", sa.Integer),  # of kind article: the one it is about
    sa.Column("why", Key, nullable=False, server_default=""),  # of a digest: digest, burst, quiet, released, flood
    sa.Column("open", sa.Boolean, nullable=False, server_default=sa.false()),  # a digest that further alerts join
    sa.Column("part", sa.Integer, nullable=False, server_default="1"),  # of a digest that takes several messages
    sa.Column("parts", sa.Integer, nullable=False, server_default="1"),
    sa.Column("total", sa.Integer, nullable=False, server_default="0"),  # of that digest: its stories in all parts
    sa.Column("text", Words, nullable=False),
    sa.Column("plain", sa.Boolean, nullable=False),
    sa.Column("external_id", Words),
    sa.Column("chat", Words),  # where it was posted; external_id means nothing elsewhere
    sa.Column("created", Utc, nullable=False),
    sa.Column("sent_at", Utc),
    sa.Column("last_edit", Utc),
    sa.Index(
        "messages_story",
        "story_id",
        "channel",
        unique=True,
        sqlite_where=sa.text("kind = 'story'"),
        postgresql_where=sa.text("kind = 'story'"),
    ),
    sa.Index(
        "messages_article",
        "article_id",
        "channel",
        unique=True,
        sqlite_where=sa.text("kind = 'article'"),
        postgresql_where=sa.text("kind = 'article'"),
    ),
    sa.Index(
        "messages_open",
        "channel",
        "why",
        unique=True,
        sqlite_where=sa.text("open"),
        postgresql_where=sa.text("open"),
    ),
    sa.Index("messages_channel", "channel", "created"),
    sa.Index("messages_sent", "sent_at"),
    sqlite_autoincrement=True,
)

message_alerts = sa.Table(
    "message_alerts",
    metadata,
    sa.Column("message_id", sa.Integer, sa.ForeignKey("messages.id"), primary_key=True),
    sa.Column("alert_id", sa.Integer, sa.ForeignKey("alerts.id"), primary_key=True),
    # the delivery that tells of it, where it joined a message that was there (see posting); NULL: any send does
    sa.Column("told_by", sa.Integer),
    sa.Index("message_alerts_alert", "alert_id"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    _id(),
    _refers("message_id", "messages.id"),
    sa.Column("channel", Key, nullable=False),
    sa.Column("operation", Words, nullable=False),  # send, edit, delete
    sa.Column("state", Words, nullable=False),  # pending, sending, unknown, sent, dead
    sa.Column("priority", sa.Integer, nullable=False),  # lower goes first
    sa.Column("created", Utc, nullable=False),
    sa.Column("due_at", Utc, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("unknowns", sa.Integer, nullable=False),  # attempts whose outcome was never learnt
    sa.Column("plain", sa.Boolean, nullable=False),
    # of an edit: it is the first to tell of an alert
    sa.Column("brings_alert", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("chat_key", Key),  # known from the first claim on
    sa.Column("owner", Words),
    sa.Column("started", Utc),
    sa.Column("lease_until", Utc),
    sa.Column("settled", Utc),
    sa.Column("reason", Words, nullable=False),
    sa.Index("deliveries_message", "message_id"),
    sa.Index("deliveries_queue", "state", "due_at"),
    sa.Index("deliveries_chat", "chat_key", "state", "priority", "id"),
    sa.Index(
        "deliveries_in_flight",
        "chat_key",
        unique=True,
        sqlite_where=sa.text("state IN ('sending', 'unknown')"),
        postgresql_where=sa.text("state IN ('sending', 'unknown')"),
    ),
    sa.Index(
        "deliveries_waiting_edit",
        "message_id",
        unique=True,
        sqlite_where=sa.text("state = 'pending' AND operation = 'edit'"),
        postgresql_where=sa.text("state = 'pending' AND operation = 'edit'"),
    ),
    sqlite_autoincrement=True,
)

# How a delivery ended that a person let be made again.
delivery_ends = sa.Table(
    "delivery_ends",
    metadata,
    _id(),
    sa.Column("delivery_id", sa.Integer, sa.ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False),
    sa.Column("ended", Utc, nullable=False),
    sa.Column("again", Utc, nullable=False),
    sa.Column("reason", Words, nullable=False),
    sa.Index("delivery_ends_delivery", "delivery_id"),
    sqlite_autoincrement=True,
)

# What retention removed still counts: the ledger adds up to every hit there ever was.
removed_hits = sa.Table(
    "removed_hits",
    metadata,
    sa.Column("day", Key, primary_key=True),  # UTC, on which the hits were made: 2026-03-01
    sa.Column("rule_id", Key, primary_key=True),
    sa.Column("fate", Key, primary_key=True),
    sa.Column("hits", sa.Integer, nullable=False),
)

# Where messages go: what a chat's server told us, and when it was written to (shared by all workers).
chats = sa.Table(
    "chats",
    metadata,
    sa.Column("chat_key", Key, primary_key=True),
    sa.Column("channels", Json, nullable=False),
    sa.Column("chat_id", Words),  # where the chat was migrated to
    sa.Column("hold_until", Utc),
    sa.Column("hold_reason", Words, nullable=False),
    sa.Column("firm", sa.Boolean, nullable=False, server_default=sa.false()),  # the server asked for this hold
    sa.Column("recent", Json, nullable=False),  # starts of the last minute's attempts, seconds since 1970
)

# What is not to alert for a while. A silence holds where all its criteria that are given do.
silences = sa.Table(
    "silences",
    metadata,
    _id(),
    sa.Column("created", Utc, nullable=False),
    sa.Column("until", Utc, nullable=False),
    sa.Column("ended", Utc),  # when somebody ended it early
    sa.Column("rule_id", Key),
    sa.Column("outlet_id", Key),
    sa.Column("story_id", sa.Integer),
    sa.Column("text", Words, nullable=False),  # a query; "": any text
    sa.Column("reason", Words, nullable=False),
    sa.Column("author", Words, nullable=False),
    sa.Index("silences_until", "until"),
    sqlite_autoincrement=True,
)

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("created", Utc, nullable=False),
    sa.Column("text", Words, nullable=False),
    sa.Column("scope", Key, nullable=False, server_default=""),  # told once for all of one scope, unless ""
    _refers("message_id", "messages.id", nullable=True),  # NULL: not told
)

# What people did through the bot. An update of Telegram's that comes twice is done once: its key is kept.
actions = sa.Table(
    "actions",
    metadata,
    _id(),
    sa.Column("at", Utc, nullable=False),
    sa.Column("update_key", Key),
    sa.Column("person", Key, nullable=False),  # Telegram's number of the user
    sa.Column("name", Words, nullable=False),
    sa.Column("role", Words, nullable=False),
    sa.Column("action", Words, nullable=False),
    sa.Column("given", Words, nullable=False),
    sa.Column("result", Words, nullable=False),
    sa.Index("actions_update", "update_key", unique=True),
    sa.Index("actions_at", "at"),
    sqlite_autoincrement=True,
)

# Of hits, not of alerts: an alert may be merged into another, its hit stays.
feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("hit_id", sa.Integer, sa.ForeignKey("hits.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("person", Key, primary_key=True),
    sa.Column("kind", Words, nullable=False),  # not_relevant
    sa.Column("at", Utc, nullable=False),
)

# Rules that people follow in private; each of these people is a channel.
follows = sa.Table(
    "follows",
    metadata,
    sa.Column("person", Key, primary_key=True),
    sa.Column("rule_id", Key, primary_key=True),
    sa.Column("language", Words, nullable=False),
    sa.Column("since", Utc, nullable=False),
)

# Beside these, the migrations make the search index, whose shape each database has its own (see dialect):
# article_words (article_id, words); over it, on SQLite the FTS5 table article_search, on Postgres a tsvector in it.
