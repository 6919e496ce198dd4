"""tunefront's own tables, which live beside Optuna's, and their version.

Times are seconds since the epoch on the *database's* clock, so that machines whose clocks or
time zones differ agree on what has expired.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

VERSION = 5  # raised with each migration

metadata = sa.MetaData()


def _study() -> sa.Column[int]:
    return sa.Column("study_id", sa.Integer, primary_key=True, autoincrement=False)


def _number() -> sa.Column[int]:
    """Return the column of a trial's number within its study, as Optuna counts it."""
    return sa.Column("number", sa.Integer, primary_key=True, autoincrement=False)


schema_version = sa.Table(
    "tunefront_schema",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True),
)

studies = sa.Table(
    "tunefront_studies",
    metadata,
    sa.Column("study_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(512), nullable=False),  # as in Optuna's table
    sa.Column("spec", sa.Text, nullable=False),  # canonical JSON of the StudySpec
    sa.Column("dataset", sa.Text, nullable=False),  # JSON facts: counts, classes, shape
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),  # higher is first
    # `wish` is a tunefront.storage.control.wishes.StudyWish, with when and by whom it was made. Whoever can write to
    # the store can write any name there.
    sa.Column("wish", sa.String(16), nullable=False, server_default="open"),
    sa.Column("wished_at", sa.Double),
    sa.Column("wished_by", sa.String(255), nullable=False, server_default=""),
    sa.Column("is_submitted", sa.Boolean, nullable=False, server_default=sa.false()),  # any worker may take it
    sa.Column("is_over", sa.Boolean, nullable=False, server_default=sa.false()),  # no worker need look for a trial
)

workers = sa.Table(
    "tunefront_workers",
    metadata,
    sa.Column("worker_id", sa.String(64), primary_key=True),
    sa.Column("study_id", sa.Integer, nullable=False, index=True),
    sa.Column("host", sa.String(255), nullable=False),  # identifies one boot and one process namespace
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("machine", sa.Text, nullable=False),  # JSON: hardware, versions, slots
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("seen_at", sa.Double, nullable=False),
    sa.Column("process_id", sa.String(64), nullable=False, server_default=""),  # empty: of an older tunefront
)

# A process that works on one study after the other, or on several. It has a row in the table above for each study that
# it has worked on. One that works on a single study has its worker's identifier.
processes = sa.Table(
    "tunefront_processes",
    metadata,
    sa.Column("process_id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),  # what people call it; of those that run, one has it
    sa.Column("host", sa.String(255), nullable=False),  # as in the table above
    sa.Column("host_name", sa.String(255), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("devices", sa.Text, nullable=False),  # JSON: the kind of each slot's device
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("seen_at", sa.Double, nullable=False),
    sa.Column("ended_at", sa.Double),
    sa.Column("is_draining", sa.Boolean, nullable=False, server_default=sa.false()),  # it was told to end
    sa.Column("wished_at", sa.Double),
    sa.Column("wished_by", sa.String(255), nullable=False, server_default=""),
)

# Trials that run and are to end. A row goes when its trial has ended.
cancellations = sa.Table(
    "tunefront_cancellations",
    metadata,
    _study(),
    _number(),
    sa.Column("wished_at", sa.Double, nullable=False),
    sa.Column("wished_by", sa.String(255), nullable=False),
)

leases = sa.Table(
    "tunefront_leases",
    metadata,
    _study(),
    _number(),
    sa.Column("worker_id", sa.String(64), nullable=False),
    sa.Column("slot", sa.String(64), nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
)

attempts = sa.Table(
    "tunefront_attempts",
    metadata,
    _study(),
    _number(),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("worker_id", sa.String(64), nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("ended_at", sa.Double),
    # `ending` is "running", or a tunefront.storage.outcomes.Outcome. `intended` is the outcome that is written before
    # Optuna is told. Should the worker die in between, the sweep that ends the attempt reads the outcome there.
    sa.Column("intended", sa.String(16), nullable=False, default=""),
    sa.Column("ending", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("model_path", sa.Text, nullable=False, default=""),
    # The epochs, of all folds together, up to the newest checkpoint that the attempt has written, and up to the one
    # that it went on from; 0 is none.
    sa.Column("checkpoint_epochs", sa.Integer, nullable=False, server_default="0"),
    sa.Column("resumed_epochs", sa.Integer, nullable=False, server_default="0"),
    sa.Column("machine", sa.String(255), nullable=False, server_default=""),  # its kind, by which times compare
)

epochs = sa.Table(
    "tunefront_epochs",
    metadata,
    _study(),
    _number(),
    sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),  # counts from 1
    sa.Column("accuracy", sa.Double, nullable=False),  # the accuracy objective's value
    sa.Column("train_seconds", sa.Double, nullable=False),
    sa.Column("validation_seconds", sa.Double, nullable=False),
    sa.Column("metrics", sa.Text, nullable=False),  # JSON: every metric Keras reported
    sa.Index("tunefront_epochs_by_study", "study_id", "epoch"),
)

measurements = sa.Table(
    "tunefront_measurements",
    metadata,
    _study(),
    _number(),
    sa.Column("name", sa.String(64), primary_key=True),  # with its unit, such as train_seconds
    sa.Column("value", sa.Double, nullable=False),
)

answers = sa.Table(
    "tunefront_answers",
    metadata,
    _study(),
    _number(),
    sa.Column("split", sa.String(16), primary_key=True),  # "test" or "validation"
    # Compressed JSON, see `answers.py`. The length makes it a MEDIUMBLOB on MySQL, whose BLOB ends at 64 kB.
    sa.Column("content", sa.LargeBinary(2**24 - 1), nullable=False),
)

# The files of a trial's attempt in the study's artifacts. Rows are written before files: so whoever removes a file
# that no row names removes none that is on its way.
artifacts = sa.Table(
    "tunefront_artifacts",
    metadata,
    _study(),
    _number(),
    sa.Column("name", sa.String(255), primary_key=True),  # its path in a results folder, such as models/trial-3.keras
    sa.Column("digest", sa.String(64), nullable=False, index=True),  # SHA-256 in hexadecimal digits
    sa.Column("n_bytes", sa.BigInteger, nullable=False),
)


class database_now(FunctionElement[float]):  # noqa: N801 - named like SQLAlchemy's functions
    """Seconds since the epoch on the database's clock."""

    type = sa.Double()
    inherit_cache = True


@compiles(database_now)
def _now(element: database_now, compiler: SQLCompiler, **_: object) -> str:
    return "extract(epoch from clock_timestamp())"


@compiles(database_now, "sqlite")
def _now_sqlite(element: database_now, compiler: SQLCompiler, **_: object) -> str:
    # SQLite has unixepoch('subsec') only since 3.42, so this uses julianday.
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_now, "mysql", "mariadb")
def _now_mysql(element: database_now, compiler: SQLCompiler, **_: object) -> str:
    return "unix_timestamp(now(6))"


def check_version(connection: Connection) -> None:
    """Raise ValueError if a newer tunefront wrote the tables."""
    found = connection.execute(sa.select(schema_version.c.version)).scalar()
    if found is not None and found > VERSION:
        raise ValueError(
            f"it has tables of version {found}, and this tunefront knows versions up to {VERSION}: "
            "install a newer tunefront"
        )
