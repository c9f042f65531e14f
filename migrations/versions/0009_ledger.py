"""The ledger counts what was removed, and remembers how a delivery that is tried again had ended before.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "removed_hits",
        sa.Column("day", sa.Text, primary_key=True, nullable=False),
        sa.Column("rule_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("fate", sa.Text, primary_key=True, nullable=False),
        sa.Column("hits", sa.Integer, nullable=False),
    )
    op.create_table(
        "delivery_ends",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("delivery_id", sa.Integer, sa.ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=False),
        sa.Column("again", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("delivery_ends_delivery", "delivery_ends", ["delivery_id"])
