"""The table of a confirmation's answers to each image."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Some databases of version 1 have the table already, because it was first added without a version of its own.
    if sa.inspect(op.get_bind()).has_table("tunefront_answers"):
        return
    op.create_table(
        "tunefront_answers",
        sa.Column("study_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("split", sa.String(16), primary_key=True),
        # The length makes it a MEDIUMBLOB on MySQL, whose BLOB ends at 64 kB.
        sa.Column("content", sa.LargeBinary(2**24 - 1), nullable=False),
    )
