"""A stand-in for `tunefront work --until-idle` whose trials train nothing: a program, the child of a Ray worker.

Its machine is told apart by the variable STUB_HOST, because all nodes of a test's cluster are on one machine.
"""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path

from tests.search.stub_trials import StubTrial
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.launching import machine
from tunefront.search.launching.slots import Slot
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.system.signals import interruptible
from tunefront.storage import studies
from tunefront.storage.database.waits import Waits

LEASE_SECONDS = 4.0


def make_fixture(folder: Path, url: str, n_trials: int, epoch_seconds: float) -> SupervisorFixture:
    """Open the study as a worker, in a results folder of its own."""
    name = uuid.uuid4().hex
    own = folder / name
    own.mkdir()
    plan = {number: StubTrial(pause_seconds=epoch_seconds) for number in range(n_trials)}
    waits = Waits(lease_seconds=LEASE_SECONDS)
    return SupervisorFixture(own, make_spec(trials=n_trials), plan, url=url, worker_id=name, waits=waits)


def work(folder: str, url: str, n_trials: str, epoch_seconds: str) -> int:
    """Run the study, and return the exit code: 0 only if the study is over."""
    fixture = make_fixture(Path(folder), url, int(n_trials), float(epoch_seconds))
    host = os.environ["STUB_HOST"]
    described = machine.describe([Slot("cpu0", 1)], [], {}, "float32")
    studies.register_worker(fixture.study, fixture.worker_id, host, os.getpid(), {**described, "host_name": host})
    with interruptible(print) as is_interrupted:
        ending = fixture.run(is_interrupted)
    print(f"{host}: {ending.value}", flush=True)
    return 0 if ending is Ending.DONE else 75


if __name__ == "__main__":
    sys.exit(work(*sys.argv[1:]))
