"""What an article changed in its story: a toll that rose, and the story that it denies or corrects.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("articles", sa.Column("change", sa.Text, nullable=False, server_default=""))
    op.add_column("articles", sa.Column("denies", sa.Integer, nullable=True))
    op.create_index("articles_denies", "articles", ["denies"])
    op.add_column("revisions", sa.Column("change", sa.Text, nullable=False, server_default=""))
