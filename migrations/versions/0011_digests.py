"""Digests that collect alerts until they go, with the reason; and messages about one article.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("messages", sa.Column("article_id", sa.Integer, nullable=True))
    op.add_column("messages", sa.Column("why", sa.Text, nullable=False, server_default=""))
    op.add_column("messages", sa.Column("open", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("messages", sa.Column("part", sa.Integer, nullable=False, server_default="1"))
    op.add_column("messages", sa.Column("parts", sa.Integer, nullable=False, server_default="1"))
    for name, columns, where in (
        ("messages_article", ["article_id", "channel"], "kind = 'article'"),
        ("messages_open", ["channel", "why"], "open"),
    ):
        only = sa.text(where)
        op.create_index(name, "messages", columns, unique=True, sqlite_where=only, postgresql_where=only)
    op.create_index("messages_channel", "messages", ["channel", "created"])
