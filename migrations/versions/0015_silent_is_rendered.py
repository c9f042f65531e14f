"""Whether a message makes a sound follows from its alerts when it is rendered.

Revision ID: 0015
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade():
    op.drop_column("messages", "silent")
