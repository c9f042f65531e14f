"""Where a message was posted, so that an edit never meets another chat's post; holds that the server asked for.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("messages", sa.Column("chat", sa.Text, nullable=True))
    op.add_column("chats", sa.Column("firm", sa.Boolean, nullable=False, server_default=sa.false()))
