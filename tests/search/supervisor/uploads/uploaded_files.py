"""Supervisors that bring files to a folder of artifacts, and what stub trials leave there."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from tests.search.stub_trials import Plan
from tests.search.supervisor.outage_fixture import WAITS
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.storage.artifacts.folder import FolderArtifacts


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def model_digest(number: int) -> str:
    """Return the SHA-256 of what a stub trial saves."""
    return sha256(f"model of trial {number}")


def log_digest(number: int) -> str:
    return sha256(f"trial {number} prints\n")


def make_fixture(folder: Path, plan: Plan | None = None, n_slots: int = 1, **changes: object) -> SupervisorFixture:
    artifacts = FolderArtifacts(folder / "artifacts")
    artifacts.prepare()
    return SupervisorFixture(
        folder, make_spec(**changes), plan or {}, n_slots=n_slots, waits=WAITS, artifacts=artifacts
    )


@contextlib.contextmanager
def away(artifacts: Path) -> Iterator[None]:
    """Take a folder of artifacts away: a file stands in its place, so that nobody can make it anew."""
    aside = artifacts.with_name("aside")
    artifacts.rename(aside)
    artifacts.write_text("no folder")
    yield
    artifacts.unlink()
    aside.rename(artifacts)
