"""A rule may alert a story again for a number that changed: an alert bears the number that it tells of.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("alerts", sa.Column("change", sa.Text, nullable=False, server_default=""))
    op.drop_index("alerts_story", "alerts")
    op.create_index("alerts_story", "alerts", ["story_id", "rule_id", "change"], unique=True)
