"""The supervisor of one study on this machine, which fills slots with its trials, and makes all writes to the store.

Those of all studies live in one light process, whose loop is `search/fleet/worker.py`. It never imports Keras, and its
trial processes never touch the store.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection

from tunefront.objectives.chance import read_chance
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.slots import Slot
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.contact.contact import Contact, StoreAwayError
from tunefront.search.supervisor.contact.delivery import Delivery
from tunefront.search.supervisor.contact.renewal import Renewal
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.supervisor.contact.sweeper import Sweeper
from tunefront.search.supervisor.contact.wishes import Obedience
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.finisher import Finisher
from tunefront.search.supervisor.judge import Judge
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.listener import Listener
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.notes import note_ending, note_front_loss
from tunefront.search.supervisor.population.population import population_of
from tunefront.search.supervisor.running_trial import RunningTrials
from tunefront.search.supervisor.snapshot import Snapshots
from tunefront.search.supervisor.starter import Starter
from tunefront.search.supervisor.study_end import StudyEnd
from tunefront.search.supervisor.uploads.uploads import Uploads
from tunefront.search.supervisor.view import View
from tunefront.search.trial.messages import TrialTask
from tunefront.search.trial.process import run_trial
from tunefront.storage import studies
from tunefront.storage.counts import count
from tunefront.storage.database.locks import StoreError
from tunefront.storage.open_study import OpenStudy

TICK_SECONDS = 0.5


class Supervisor:
    """The supervisor of a study's trials on this machine.

    Its owner calls `begin`, then again and again `step`, `listen` and `look`, and at last `end`, or `leave` where that
    is not possible.

    Args:
        trains: The function that a trial process runs; fault tests give a stub.
        is_interrupted: Called often; True means that the caller is about to end, and waits for nothing.
        n_busy: Returns how many slots run a trial of any study; None where there is no other study.
    """

    def __init__(
        self,
        assignment: Assignment,
        launcher: Launcher,
        view: View,
        is_interrupted: Callable[[], bool],
        trains: Callable[[Connection, TrialTask], None] = run_trial,
        clock: Callable[[], float] = time.monotonic,
        n_busy: Callable[[], int] | None = None,
    ) -> None:
        self._assignment = assignment
        self.slots = assignment.slots  # of this machine
        self._view = view
        self._is_interrupted = is_interrupted
        self._clock = clock
        self._study = assignment.study
        self._count = partial(count, self._study)
        self._is_one_of_many = n_busy is not None
        self._running = RunningTrials()
        spec, facts = assignment.spec, assignment.study.record.dataset
        chance = read_chance(facts, spec.accuracy_measure)
        self._live_front = LiveFront(self._study, spec.parsed_objectives(), spec.extra_limits(), chance)
        self._models = KeptModels(assignment.study, assignment.out / "models")
        self._checkpoints = assignment.checkpoints()
        self._judge = Judge(assignment)
        self._spool = Spool(assignment.out / "spool", self._models)
        place = assignment.artifacts, self._spool, self._checkpoints, assignment.open_named
        uploads = self._uploads = Uploads(self._study, *place)
        population = population_of(assignment, self._checkpoints, uploads.far_files, view.say)
        source = TrialSource(self._study, spec, spec.parsed_space(), assignment.worker_id, population)
        self._study_end = StudyEnd(assignment, source, clock)
        self._renewal = Renewal(self._study.store, assignment.worker_id, self._leased_numbers)
        self._contact = Contact(self._renewal, self._study.store.waits.away_seconds, view.say, clock)
        delivery = Delivery(assignment.study, assignment.spec, self._live_front, self._spool)
        self._finisher = Finisher(
            assignment, self._live_front, self._models, self._running, view, self._contact, delivery, uploads, clock
        )
        self._starter = Starter(
            assignment,
            launcher,
            trains,
            source,
            population,
            self._judge,
            self._models,
            self._checkpoints,
            self._running,
            self._contact,
            uploads,
            self._finisher,
            self._leased_numbers,
            view.say,
            clock,
        )
        self._sweeper = Sweeper(
            self._study, self._contact, self._renewal, delivery, uploads, self._finisher.deliver_kept, view.say, clock
        )
        self._obedience = Obedience(
            self._study, self._running, self._contact, self._finisher, self._starter, view.say, clock
        )
        self._listener = Listener(
            assignment,
            self._judge,
            self._live_front,
            self._models,
            self._finisher,
            self._running,
            self._contact,
            self._checkpoints,
            population,
            view.say,
            is_interrupted,
            n_busy or (lambda: len(self._running)),
            clock,
        )
        self._snapshots = Snapshots(
            assignment,
            self._running,
            self._live_front,
            view,
            self._contact,
            self._spool,
            lambda: uploads.notice() or self._obedience.notice,
            clock,
        )

    @property
    def study(self) -> OpenStudy:
        """The study."""
        return self._study

    @property
    def is_idle(self) -> bool:
        """Whether nothing of the study runs here, is about to, or waits to be told."""
        return not (self._running or self._starter.numbers or len(self._spool) or self._uploads.is_busy)

    @property
    def is_out_of_reach(self) -> bool:
        """Whether the store is away, as far as it knows."""
        return self._contact.is_lost

    @property
    def n_running(self) -> int:
        """The number of its trials that run here."""
        return len(self._running)

    @property
    def connections(self) -> list[Connection]:
        """The connections to its trial processes."""
        return list(self._running.by_connection())

    @property
    def holds_slots(self) -> bool:
        """Whether a result is about to be told that the next candidate may depend on, see `Uploads.holds_slots`."""
        return self._uploads.holds_slots

    def occupies(self, slot: Slot) -> bool:
        """Return whether one of its trials runs on a slot, or is about to."""
        return self._running.on(slot) is not None or self._starter.holds(slot)

    def begin(self) -> None:
        """Begin to renew leases and to upload files."""
        self._renewal.start()
        self._uploads.start()
        with self._while_it_exists():
            self._contact.ask_or(self._assignment.drop_ended_checkpoints, None)  # dead runs have left them

    def step(self, free: Sequence[Slot]) -> Ending | None:
        """Tell the store what it missed, take over lost trials, and fill free slots; return why the study is over.

        While the store is away, trials train on, and what it is to be told waits; what was not done is done the next
        time.

        Args:
            free: The slots that it may use for new trials.
        """
        with self._while_it_exists(), contextlib.suppress(StoreAwayError):
            return self._meet_store([slot for slot in self._assignment.slots if self._starter.holds(slot)] + [*free])
        return None

    def listen(self, ready: Collection[Connection]) -> None:
        """Handle the messages that have come in on those of these connections that are its own."""
        with self._while_it_exists():
            self._listener.listen(ready)

    def rest(self, seconds: float) -> None:
        """Wait so long, or until an upload has changed something."""
        self._uploads.wait(seconds)

    def look(self) -> None:
        """End the trials that have run too long, and show how the study stands."""
        with self._while_it_exists():
            self._finisher.end_overdue()
            self._snapshots.show(self._finisher.seconds_a_trial)

    def end(self, ending: Ending) -> None:
        """Note why it ends, and leave the study."""
        try:
            with self._while_it_exists():
                self._finisher.await_uploads()
                # Without this renewal the last seconds would not count for the study's time limit.
                self._insist(self._renewal.renew)
                self._insist(partial(note_ending, self._assignment, ending))
                self._insist(partial(note_front_loss, self._study, self._judge.pareto))
                self._contact.ask_or(self._assignment.drop_ended_checkpoints, None)
        finally:
            self.leave(ending)

    def leave(self, ending: Ending) -> None:
        """Give back what runs or is about to, and end the threads."""
        try:
            self._finisher.give_back_running(ending.value)
            self._starter.give_back(ending.value)
            if len(self._spool):
                where = self._assignment.out / "spool"
                self._view.say(f"results wait in {where}: run the same command again when all can be reached")
        finally:
            self._uploads.stop()
            self._renewal.stop()

    def _meet_store(self, slots: Sequence[Slot]) -> Ending | None:
        """Do a step.

        Raises:
            StoreAwayError: If the store is away.
        """
        ask = self._contact.ask
        self._finisher.deliver_kept()
        self._listener.note_missed()
        self._sweeper.sweep(is_idle=not self._running)
        if (wished := self._obedience.obey()) is not None:
            return wished
        if ask(self._study_end.is_out_of_time) and ask(self._count).finished < self._assignment.spec.trials:
            return Ending.TIME_LIMIT
        if slots and not self._uploads.holds_slots:
            counts = ask(self._count)
            ending = ask(partial(self._study_end.ending, counts))
            if ending is Ending.NO_GROWTH and self._starter.numbers:
                self._starter.give_back(ending.value)  # they would count as running for ever
                counts = ask(self._count)
            # A trial that runs, here or elsewhere, may still come on the front, so that the front grows again.
            if ending is not None and not (ending is Ending.NO_GROWTH and counts.running):
                return ending
            if ending is None and self._obedience.may_start:
                self._starter.fill(slots, counts)
        return None

    @contextlib.contextmanager
    def _while_it_exists(self) -> Iterator[None]:
        """Say so if the study is gone: a person has removed it, for example in the dashboard."""
        try:
            yield
        except KeyError as error:
            found = studies.find(self._study.store, self._study.name)
            if found is not None and found.record.created_at == self._study.record.created_at:
                raise  # else it was deleted, and perhaps another one has its name by now
            raise StoreError(f"the study {self._study.name!r} was deleted from the storage while it ran") from error

    def _insist(self, operation: Callable[[], object]) -> None:
        """Run an operation on the store, and wait for as long as it is away, unless a person or other studies wait."""
        while True:
            with contextlib.suppress(StoreAwayError):
                self._contact.ask(operation)
                return
            if self._is_interrupted() or self._is_one_of_many:  # the study is still open when it is back
                return
            time.sleep(TICK_SECONDS)
            self._snapshots.show(self._finisher.seconds_a_trial)

    def _leased_numbers(self) -> list[int]:
        """Return the trials whose leases are to be renewed; the thread that renews them asks.

        A trial goes from one of these places to the next while this looks, and is in both for a moment.
        """
        numbers = [*self._starter.numbers, *self._running.numbers, *self._finisher.telling]
        return [*numbers, *(result.lease.number for result in self._spool.results())]
