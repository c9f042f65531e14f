"""What an analyst decided about stories: merged and split ones, so that the next article follows.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("articles", sa.Column("part", sa.Integer, nullable=True))
    op.create_table(
        "overrules",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("story_id", sa.Integer, nullable=False),
        sa.Column("other_id", sa.Integer, nullable=False),
        sa.Column("article_ids", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
