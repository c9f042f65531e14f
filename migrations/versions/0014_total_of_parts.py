"""A digest that takes several messages says in each how many stories it tells of in all.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("messages", sa.Column("total", sa.Integer, nullable=False, server_default="0"))
