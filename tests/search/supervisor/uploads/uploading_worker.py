"""A supervisor in a process of its own that keeps its models in a bucket."""

from __future__ import annotations

from pathlib import Path

from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.storage import studies
from tunefront.storage.artifacts.address import open_artifacts
from tunefront.storage.database.waits import Waits


def run_uploading(folder: str, url: str, n_trials: int, waits: Waits, address: str) -> None:
    """Run the study as worker paul until it is done."""
    spec, artifacts = make_spec(trials=n_trials), open_artifacts(address)
    fixture = SupervisorFixture(Path(folder), spec, {}, url=url, worker_id="paul", waits=waits, artifacts=artifacts)
    studies.register_worker(fixture.study, "paul", "host of paul", 1, {})
    fixture.run()
