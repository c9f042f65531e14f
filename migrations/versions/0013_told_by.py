"""Which delivery tells of an alert, where the message was there before it.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("message_alerts", sa.Column("told_by", sa.Integer, nullable=True))
