"""A supervisor in a process of its own that is paused at a statement, as a machine that sleeps is."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.search.stub_trials import StubTrial
from tests.search.supervisor.outage_fixture import on_statement
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.launching import machine
from tunefront.search.launching.slots import Slot
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import studies
from tunefront.storage.database.waits import Waits


def run_paused(folder: str, url: str, n_trials: int, waits: Waits, fragment: str, *, is_elsewhere: bool) -> None:
    """Run the study as worker paul until it is done; stop at the first statement that contains `fragment`.

    Args:
        is_elsewhere: Whether others take the process for one of another machine, of which they know nothing.
    """
    plan = {number: StubTrial(pause_seconds=0.1) for number in range(n_trials)}
    fixture = SupervisorFixture(Path(folder), make_spec(trials=n_trials), plan, url=url, worker_id="paul", waits=waits)
    host = "host of paul" if is_elsewhere else machine.host_key()
    studies.register_worker(
        fixture.study, "paul", host, os.getpid(), machine.describe([Slot("cpu0", 1)], [], {}, "float32")
    )

    def pause() -> None:
        (Path(folder) / "paused").touch()
        os.kill(os.getpid(), signal.SIGSTOP)

    with on_statement(fixture.store.engine, fragment, pause):
        assert fixture.run() is Ending.DONE
    (Path(folder) / "lines").write_text("\n".join(fixture.view.lines))
