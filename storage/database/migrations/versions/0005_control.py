"""What people wish of studies, processes and trials, and the table of processes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The defaults are also for a supervisor of an older tunefront that still runs, and does not know the columns.
    op.add_column("tunefront_studies", sa.Column("priority", sa.Integer, nullable=False, server_default="0"))
    op.add_column("tunefront_studies", sa.Column("wish", sa.String(16), nullable=False, server_default="open"))
    op.add_column("tunefront_studies", sa.Column("wished_at", sa.Double))
    op.add_column("tunefront_studies", sa.Column("wished_by", sa.String(255), nullable=False, server_default=""))
    for name in ("is_submitted", "is_over"):
        op.add_column("tunefront_studies", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("tunefront_workers", sa.Column("process_id", sa.String(64), nullable=False, server_default=""))
    op.create_table(
        "tunefront_processes",
        sa.Column("process_id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("host_name", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("devices", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("is_draining", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("wished_at", sa.Double),
        sa.Column("wished_by", sa.String(255), nullable=False, server_default=""),
    )
    op.create_table(
        "tunefront_cancellations",
        sa.Column("study_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("wished_at", sa.Double, nullable=False),
        sa.Column("wished_by", sa.String(255), nullable=False),
    )
