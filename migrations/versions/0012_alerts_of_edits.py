"""Edits that bring an alert are told from those that only show further articles.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("deliveries", sa.Column("brings_alert", sa.Boolean, nullable=False, server_default=sa.false()))
