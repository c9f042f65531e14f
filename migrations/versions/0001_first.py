"""The first tables.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def text(name, *, null=False, **more):
    return sa.Column(name, sa.Text, nullable=null, **more)


def time(name, *, null=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def whole(name, *, null=False):
    return sa.Column(name, sa.Integer, nullable=null)


def flag(name):
    return sa.Column(name, sa.Boolean, nullable=False)


def real(name):
    return sa.Column(name, sa.Float, nullable=False)


def key():
    return sa.Column("id", sa.Integer, primary_key=True)


def refers(name, target, *, null=False, primary=False):
    return sa.Column(name, sa.Integer, sa.ForeignKey(target), nullable=null, primary_key=primary)


def upgrade():
    feeds()
    articles()
    hits()
    messages()
    search()


def feeds():
    op.create_table("outlets", text("id", primary_key=True), *map(text, ("name_ar", "name_en", "country", "language")))
    op.create_table(
        "feeds",
        text("feed_id", primary_key=True),
        text("configured_url"),
        flag("active"),
        time("next_due"),
        text("url", null=True),
        text("etag", null=True),
        text("last_modified", null=True),
        text("body_hash", null=True),
        whole("failures"),
        flag("first_poll_done"),
        time("last_ok", null=True),
        time("last_polled", null=True),
        text("last_error", null=True),
        text("stopped", null=True),
        text("claimed_by", null=True),
        time("claimed_until", null=True),
    )
    op.create_index("feeds_due", "feeds", ["next_due"])
    op.create_table(
        "entry_hashes", text("feed_id", primary_key=True), text("hash", primary_key=True), time("last_seen")
    )
    op.create_table(
        "gone_keys",
        text("feed_id", primary_key=True),
        text("key", primary_key=True),
        text("entry_hash"),
        time("last_seen"),
    )


def articles():
    op.create_table("stories", key(), time("opened"), sqlite_autoincrement=True)
    op.create_table(
        "articles",
        key(),
        refers("story_id", "stories.id"),
        *map(text, ("feed_id", "outlet_id", "key", "url", "canonical_url")),
        *map(text, ("title", "summary", "body", "author", "tags", "language")),
        time("published", null=True),
        time("first_seen"),
        text("content_hash"),
        text("entry_hash"),
        flag("first_poll"),
        text("how"),
        text("detail"),
        real("similarity"),
        sqlite_autoincrement=True,
    )
    op.create_index("articles_key", "articles", ["feed_id", "key"], unique=True)
    op.create_index("articles_story", "articles", ["story_id"])
    op.create_index("articles_first_seen", "articles", ["first_seen"])
    op.create_table(
        "revisions",
        key(),
        refers("article_id", "articles.id"),
        text("content_hash"),
        time("seen"),
        *map(text, ("url", "title", "summary", "body", "author", "tags")),
    )
    op.create_index("revisions_hash", "revisions", ["article_id", "content_hash"], unique=True)


def hits():
    op.create_table(
        "hits",
        key(),
        text("rule_id"),
        text("rule_version"),
        refers("article_id", "articles.id"),
        refers("story_id", "stories.id"),
        refers("revision_id", "revisions.id", null=True),
        text("spans"),
        real("score"),
        text("decision"),
        text("code"),
        text("detail"),
        time("until", null=True),
        time("created"),
        time("decided"),
        sqlite_autoincrement=True,
    )
    op.create_index("hits_article", "hits", ["article_id", "rule_id"], unique=True)
    op.create_index("hits_rule", "hits", ["rule_id", "id"])
    op.create_index("hits_story", "hits", ["story_id"])
    op.create_index("hits_held", "hits", ["decision", "until"])
    op.create_index("hits_created", "hits", ["created"])
    op.create_table(
        "alerts",
        key(),
        text("rule_id"),
        refers("story_id", "stories.id"),
        refers("hit_id", "hits.id"),
        text("severity"),
        time("created"),
        flag("digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("alerts_story", "alerts", ["story_id", "rule_id"], unique=True)
    op.create_index("alerts_rule", "alerts", ["rule_id", "created"])
    op.create_index("alerts_hit", "alerts", ["hit_id"])


def messages():
    op.create_table(
        "messages",
        key(),
        text("kind"),
        text("channel"),
        refers("story_id", "stories.id", null=True),
        text("text"),
        flag("silent"),
        flag("plain"),
        text("external_id", null=True),
        time("created"),
        time("sent_at", null=True),
        time("last_edit", null=True),
        sqlite_autoincrement=True,
    )
    unique_where("messages_story", "messages", ["story_id", "channel"], "kind = 'story'")
    op.create_index("messages_sent", "messages", ["sent_at"])
    op.create_table(
        "message_alerts",
        refers("message_id", "messages.id", primary=True),
        refers("alert_id", "alerts.id", primary=True),
    )
    op.create_index("message_alerts_alert", "message_alerts", ["alert_id"])
    op.create_table(
        "deliveries",
        key(),
        refers("message_id", "messages.id"),
        text("channel"),
        text("operation"),
        text("state"),
        whole("priority"),
        time("created"),
        time("due_at"),
        whole("attempt"),
        whole("unknowns"),
        flag("plain"),
        text("chat_key", null=True),
        text("owner", null=True),
        time("started", null=True),
        time("lease_until", null=True),
        time("settled", null=True),
        text("reason"),
        sqlite_autoincrement=True,
    )
    op.create_index("deliveries_message", "deliveries", ["message_id"])
    op.create_index("deliveries_queue", "deliveries", ["state", "due_at"])
    op.create_index("deliveries_chat", "deliveries", ["chat_key", "state", "priority", "id"])
    unique_where("deliveries_in_flight", "deliveries", ["chat_key"], "state IN ('sending', 'unknown')")
    waiting_edit = "state = 'pending' AND operation = 'edit'"
    unique_where("deliveries_waiting_edit", "deliveries", ["message_id"], waiting_edit)
    op.create_table(
        "chats",
        text("chat_key", primary_key=True),
        text("channels"),
        text("chat_id", null=True),
        time("hold_until", null=True),
        text("hold_reason"),
        text("recent"),
    )
    op.create_table(
        "notices",
        text("key", primary_key=True),
        time("created"),
        text("text"),
        refers("message_id", "messages.id", null=True),
    )


def unique_where(name, table, columns, where):
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=True, sqlite_where=condition, postgresql_where=condition)


def search():
    """Words, not text: they come folded and split, so both databases only need to look them up."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TABLE article_words (article_id INTEGER PRIMARY KEY REFERENCES articles (id), words TEXT NOT NULL)"
        )
        op.execute(
            "CREATE VIRTUAL TABLE article_search USING fts5("
            "words, content='article_words', content_rowid='article_id', "
            'tokenize="unicode61 remove_diacritics 0")'
        )
        return
    op.execute(
        "CREATE TABLE article_words (article_id INTEGER PRIMARY KEY REFERENCES articles (id), words TEXT NOT NULL, "
        "tsv tsvector GENERATED ALWAYS AS (array_to_tsvector(string_to_array(nullif(words, ''), ' '))) STORED)"
    )
    op.execute("CREATE INDEX article_words_tsv ON article_words USING gin (tsv)")


def downgrade():
    raise NotImplementedError("restore a backup instead")
