"""The tables of version 1."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("tunefront_schema", sa.Column("version", sa.Integer, primary_key=True))
    op.create_table(
        "tunefront_studies",
        _key("study_id"),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_table(
        "tunefront_workers",
        sa.Column("worker_id", sa.String(64), primary_key=True),
        sa.Column("study_id", sa.Integer, nullable=False, index=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
    )
    op.create_table(
        "tunefront_leases",
        _key("study_id"),
        _key("number"),
        sa.Column("worker_id", sa.String(64), nullable=False),
        sa.Column("slot", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    op.create_table(
        "tunefront_attempts",
        _key("study_id"),
        _key("number"),
        _key("attempt"),
        sa.Column("worker_id", sa.String(64), nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("intended", sa.String(16), nullable=False),
        sa.Column("ending", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("model_path", sa.Text, nullable=False),
    )
    op.create_table(
        "tunefront_epochs",
        _key("study_id"),
        _key("number"),
        _key("epoch"),
        sa.Column("accuracy", sa.Double, nullable=False),
        sa.Column("train_seconds", sa.Double, nullable=False),
        sa.Column("validation_seconds", sa.Double, nullable=False),
        sa.Column("metrics", sa.Text, nullable=False),
        sa.Index("tunefront_epochs_by_study", "study_id", "epoch"),
    )
    op.create_table(
        "tunefront_measurements",
        _key("study_id"),
        _key("number"),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
    )


def _key(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)
