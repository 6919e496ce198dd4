"""A supervisor in a process of its own, which begins as the command does: it delivers and sweeps what others left."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.search.stub_trials import follow
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.launching import machine
from tunefront.search.launching.slots import Slot
from tunefront.search.supervisor.contact.delivery import deliver_left_results
from tunefront.search.supervisor.contact.local_workers import ended_workers
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import queue, studies
from tunefront.storage.database.locks import in_turn
from tunefront.storage.database.waits import Waits


@dataclass(frozen=True)
class Order:
    """The order to work on a study until it is done.

    Attributes:
        folder: The folder with the study's results, which supervisors share as on one machine.
        plan: What `trains` does in each trial, by its number.
        changes: Changes of the stub study's spec.
    """

    folder: Path
    url: str
    plan: Mapping[int, Any]
    waits: Waits
    n_slots: int
    changes: Mapping[str, Any] = field(default_factory=dict)
    trains: Callable[..., None] = follow

    def fixture(self, worker_id: str) -> SupervisorFixture:
        """Open the study as that worker does."""
        return SupervisorFixture(
            self.folder,
            make_spec(**self.changes),
            self.plan,
            self.url,
            self.n_slots,
            worker_id,
            waits=self.waits,
            trains=self.trains,
            preload=(self.trains.__module__,),  # its own fork server starts once, and each trial at once
        )


def work(order: Order, worker_id: str) -> None:
    """Work on the study as the order says; what a person is told goes to a file beside the results."""
    fixture = order.fixture(worker_id)
    lines = (order.folder / f"{worker_id}.txt").open("w", buffering=1)
    fixture.view.say = lambda line: print(line, file=lines)  # type: ignore[method-assign]
    say, study = fixture.view.say, fixture.study
    in_turn(lambda: deliver_left_results(study, fixture.out, say), say)
    in_turn(lambda: queue.sweep(study, ended_workers(study), with_expired=False), say)
    description = machine.describe([Slot("cpu0", 1)], [], {}, "float32")
    studies.register_worker(study, worker_id, machine.host_key(), os.getpid(), description)
    sys.exit(0 if fixture.run() is Ending.DONE else 1)
