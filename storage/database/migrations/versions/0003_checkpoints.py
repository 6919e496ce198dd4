"""What an attempt has kept of its training, what it went on from, and the kind of machine that it runs on."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The defaults are also for a supervisor of an older tunefront that still runs, and does not know the columns.
    for name in ("checkpoint_epochs", "resumed_epochs"):
        op.add_column("tunefront_attempts", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.add_column("tunefront_attempts", sa.Column("machine", sa.String(255), nullable=False, server_default=""))
