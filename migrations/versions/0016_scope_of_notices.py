"""A trouble of a whole bot is told once, not once a channel.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("notices", sa.Column("scope", sa.String, nullable=False, server_default=""))
