"""Supervisors and trial processes that are killed again and again: a study ends with exactly its trials.

A loop starts killed supervisors anew, as a user's would. In `make test` this is a few seconds of it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from tests.search.checkpointed_trials import EPOCHS, StubTraining, follow_with_checkpoints
from tests.search.supervisor.faults.supervisor_process import Order, work
from tests.search.supervisor.outage_fixture import WAITS, meanwhile, wait_until
from tests.search.supervisor_fixture import SupervisorFixture
from tests.storage.conftest import KINDS, dispose
from tunefront.storage.database import schema
from tunefront.storage.database.waits import Waits

pytestmark = [pytest.mark.usefixtures("fork_server"), pytest.mark.slow]

N_SUPERVISORS = 2
N_SLOTS = 2
ACCURACIES = StubTraining().accuracies


@dataclass
class Loop:
    """A user's loop around each of several supervisors, which starts it anew until it ends by itself.

    Attributes:
        started: All processes that it ever started.
    """

    order: Order

    def __post_init__(self) -> None:
        self.started: list[BaseProcess] = []
        self._running = [self._start() for _ in range(N_SUPERVISORS)]

    def _start(self) -> BaseProcess:
        context = multiprocessing.get_context("forkserver")
        process = context.Process(target=work, args=(self.order, f"worker{len(self.started)}"))
        process.start()
        self.started.append(process)
        return process

    def go_on(self) -> bool:
        """Start anew what was killed; return whether a supervisor still runs."""
        self._running = [self._start() if process.exitcode not in (None, 0) else process for process in self._running]
        return any(process.exitcode is None for process in self._running)

    def supervisors(self) -> list[int]:
        """Return the process numbers of the supervisors that run."""
        return [process.pid for process in self._running if process.pid is not None and process.exitcode is None]

    def trials(self) -> list[int]:
        """Return the process numbers of the trials that run, as they have noted them, under these supervisors alone."""
        noted = {int(path.stem.split("-")[1]) for path in (self.order.folder / "notes").glob("*.pid")}
        found: set[int] = set()
        for pid in self.supervisors():
            with contextlib.suppress(psutil.NoSuchProcess):
                found |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
        return sorted(found & noted)

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.join()


@pytest.fixture(params=KINDS)
def make_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """A maker of empty databases of each kind."""
    with contextlib.ExitStack() as made:

        def make() -> str:
            if request.param == "sqlite":
                return f"sqlite:///{tempfile.mkdtemp(dir=tmp_path)}/tunefront.db"
            return made.enter_context(request.getfixturevalue("postgres").database())

        yield make


@pytest.fixture
def loops() -> Iterator[list[Loop]]:
    """The loops of a test; whatever they started is ended with it."""
    made: list[Loop] = []
    yield made
    for loop in made:
        loop.end()


@dataclass
class Killer:
    """A killer of a random supervisor or trial, every few seconds.

    Attributes:
        pauses: The least and the most time between two strikes.
        clock: The clock of these times.
        at_most: The number of processes after which it stops. On a machine so slow that no trial ends between two of
            its strikes, a study would have no end.
    """

    chance: random.Random
    pauses: tuple[float, float]
    at_most: int = 1000
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.killed: Counter[str] = Counter()
        self._wait()

    def _wait(self) -> None:
        self._next_at = self.clock() + self.chance.uniform(*self.pauses)

    def strike(self, loop: Loop) -> None:
        """Kill one, if it is time."""
        if self.clock() < self._next_at or self.killed.total() >= self.at_most:
            return
        by_kind = {"supervisor": loop.supervisors(), "trial": loop.trials()}
        victims = [(kind, pid) for kind, pids in by_kind.items() for pid in sorted(pids)]
        if victims:
            kind, pid = self.chance.choice(victims)
            try:
                psutil.Process(pid).kill()
                self.killed[kind] += 1
            except psutil.NoSuchProcess:  # it has ended by itself meanwhile
                pass
        self._wait()


def run(loops: list[Loop], order: Order, n_trials: int, killer: Killer | None = None) -> float:
    """Run the study to its end, and return the seconds that it took."""
    began = time.monotonic()
    fixture = order.fixture("watcher")
    loops.append(loop := Loop(order))
    while loop.go_on():
        if killer is not None and fixture.counts().finished < n_trials:
            killer.strike(loop)
        time.sleep(0.2)
    took = time.monotonic() - began
    assert {process.exitcode for process in loop.started} <= {0, -9}
    check(fixture, n_trials, killer.killed if killer is not None else Counter())
    dispose(fixture.store)
    return took


def check(fixture: SupervisorFixture, n_trials: int, killed: Counter[str]) -> None:
    """Check that exactly so many trials are complete, each once and whole, and that nothing is open or running."""
    wait_until(lambda: fixture.living_trials() == [], 2 * fixture.waits.lease_seconds)
    counts = fixture.counts()
    assert (counts.complete, counts.running, counts.pruned, counts.refused) == (n_trials, 0, 0, 0)
    trials = fixture.trials()
    assert [trial.number for trial in trials] == list(range(len(trials)))
    for trial in trials:
        if trial.state == "complete":
            assert [(epoch.epoch, epoch.accuracy) for epoch in trial.epochs] == list(enumerate(ACCURACIES, 1))
            assert (trial.values, trial.measurements["train_seconds"]) == ((0.6, 1000.0), 8.625)
            if "its model was not kept: killed from outside" in trial.reason:  # while it saved it
                assert trial.model_path == ""
            else:
                # Each epoch was trained once, by a process of this trial, whatever went on from a checkpoint.
                assert Path(trial.model_path).read_text() == " ".join([str(trial.number)] * EPOCHS)
    endings = read_endings(fixture)
    for trial in trials:
        *before, last = endings[trial.number]  # nothing is run once more after its end
        assert last == trial.state
        assert set(before) <= {"lost", "killed"}
    n_lost = sum(ending == "lost" for found in endings.values() for ending in found)
    assert n_lost <= killed["supervisor"] * N_SLOTS
    assert counts.failed <= killed["trial"] + killed["supervisor"]


def n_trained(fixture: SupervisorFixture, number: int) -> int:
    """Return how many epochs the processes of a trial have trained."""
    return len((fixture.notes / f"{number}.epochs").read_text().split())


def read_endings(fixture: SupervisorFixture) -> dict[int, list[str]]:
    """Return how the attempts at each trial ended, in their order."""
    table = schema.attempts
    query = sa.select(table.c.number, table.c.ending).order_by(table.c.number, table.c.attempt)
    found: dict[int, list[str]] = {}
    with fixture.store.engine.connect() as connection:
        for number, ending in connection.execute(query):
            found.setdefault(number, []).append(ending)
    return found


def make_order(folder: Path, url: str, n_trials: int, epoch_seconds: float, waits: Waits) -> Order:
    """Make the order of a study whose trials are all alike and equally good, so that every model is kept."""
    plan = {number: StubTraining(pause_seconds=epoch_seconds) for number in range(20 * n_trials)}
    changes = {
        "trials": n_trials,
        "max_failures": 1000,
        "objectives": {"accuracy": "accuracy", "memory": "model_bytes", "time": False},
        "training": {"epochs": EPOCHS, "time_limit": 10_000.0},
    }
    return Order(folder, url, plan, waits, N_SLOTS, changes, follow_with_checkpoints)


def test_a_study_has_exactly_its_trials_when_its_processes_are_killed(
    loops: list[Loop], tmp_path: Path, make_url: Callable[[], str]
) -> None:
    order = make_order(tmp_path, make_url(), 8, epoch_seconds=0.1, waits=replace(WAITS, lock_seconds=30.0))
    killer = Killer(random.Random(7), pauses=(0.2, 0.8), at_most=8)
    run(loops, order, 8, killer)
    assert killer.killed.total() == 8


# The whole, in minutes

N_TRIALS = 40
EPOCH_SECONDS = 0.75  # six of them a trial; two supervisors with two slots each then need 45 seconds
MOST_TIMES_UNDISTURBED = 2.5


@dataclass
class Calm:
    """A study without kills, which runs at the same time, so that a machine's load is the same for both."""

    loops: list[Loop]
    order: Order

    def __post_init__(self) -> None:
        self.fixture = self.order.fixture("pace")
        self._began = time.monotonic()
        self.seconds = float("nan")

    def run(self) -> None:
        self.seconds = run(self.loops, self.order, N_TRIALS)

    def pace(self) -> float:
        """Return how many trials it has finished; once it is done, how many it would have if it went on."""
        if self.seconds == self.seconds:
            return N_TRIALS * (time.monotonic() - self._began) / self.seconds
        return self.fixture.counts().finished


@pytest.mark.chaos
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_study_has_exactly_its_trials_in_time_when_a_process_is_killed_every_few_seconds(
    loops: list[Loop], tmp_path: Path, make_url: Callable[[], str], seed: int
) -> None:
    orders = []
    for name in ("calm", "wild"):
        (tmp_path / name).mkdir()
        orders.append(make_order(tmp_path / name, make_url(), N_TRIALS, EPOCH_SECONDS, Waits()))
    calm, wild = Calm(loops, orders[0]), orders[1]
    # In the time of two to five trials: that is every few seconds, and seldom enough on a slow machine.
    killer = Killer(random.Random(seed), pauses=(2.0, 5.0), clock=calm.pace)
    with meanwhile(calm.run):
        took = run(loops, wild, N_TRIALS, killer)
    dispose(calm.fixture.store)
    kind = wild.url.partition(":")[0].partition("+")[0]
    times = took / calm.seconds
    print(f"{kind}, seed {seed}: {describe(wild, killer)}; {took:.0f} s, {times:.2f} times the undisturbed")
    assert times <= MOST_TIMES_UNDISTURBED


def describe(order: Order, killer: Killer) -> str:
    """Return what was killed and what came of it."""
    fixture = order.fixture("reader")
    endings, counts = read_endings(fixture), fixture.counts()
    ended = Counter(ending for found in endings.values() for ending in found)
    trials = fixture.trials()
    n_again = sum(n_trained(fixture, trial.number) - EPOCHS for trial in trials if trial.state == "complete")
    n_thrice = sum("was lost in" in trial.reason for trial in trials)
    dispose(fixture.store)
    return (
        f"{killer.killed['supervisor']} supervisors and {killer.killed['trial']} trials killed; "
        f"{counts.complete} complete, {counts.failed} failed ({n_thrice} of them as lost three times); "
        f"{ended['lost'] + ended['killed']} attempts went on from a checkpoint or began anew; "
        f"{n_again} epochs trained again"
    )
