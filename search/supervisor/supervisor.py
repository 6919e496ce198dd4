"""The supervisor, which fills its slots with trials until the study is over, and makes all writes to the store.

It is one light process on each machine. It never imports Keras, and its trial processes never touch the store.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection

import optuna
from optuna.exceptions import UpdateFinishedTrialError

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
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.finisher import Finisher
from tunefront.search.supervisor.judge import Judge
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.listener import Listener
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.notes import forget_ending, note_ending, note_front_loss
from tunefront.search.supervisor.population.population import population_of
from tunefront.search.supervisor.running_trial import RunningTrial, RunningTrials
from tunefront.search.supervisor.snapshot import Snapshots
from tunefront.search.supervisor.study_end import StudyEnd
from tunefront.search.supervisor.uploads.uploads import SHORT_SECONDS, Uploads
from tunefront.search.supervisor.view import View
from tunefront.search.trial.messages import TrialTask
from tunefront.search.trial.process import run_trial
from tunefront.spaces.settings import SpaceError
from tunefront.storage import studies
from tunefront.storage.attempts import Lease, is_held
from tunefront.storage.counts import Counts, count
from tunefront.storage.database.locks import StoreError
from tunefront.storage.outcomes import Outcome

_TICK_SECONDS = 0.5


class Supervisor:
    """The supervisor of a study's trials on this machine.

    Args:
        trains: The function that a trial process runs; fault tests give a stub.
        is_interrupted: Called often; True ends the run and gives running trials back.
    """

    def __init__(
        self,
        assignment: Assignment,
        launcher: Launcher,
        view: View,
        is_interrupted: Callable[[], bool],
        trains: Callable[[Connection, TrialTask], None] = run_trial,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._assignment = assignment
        self._launcher = launcher
        self._view = view
        self._is_interrupted = is_interrupted
        self._trains = trains
        self._clock = clock
        self._study = assignment.study
        self._running = RunningTrials()
        spec, facts = assignment.spec, assignment.study.record.dataset
        self._live_front = LiveFront(
            self._study.optuna,
            spec.parsed_objectives(),
            spec.extra_limits(),
            read_chance(facts, spec.accuracy_measure),
        )
        self._models = KeptModels(assignment.study, assignment.out / "models")
        self._checkpoints = assignment.checkpoints()
        self._judge = Judge(assignment)
        population = population_of(assignment, self._checkpoints, view.say)
        self._source = TrialSource(self._study, spec, spec.parsed_space(), assignment.worker_id, population)
        self._study_end = StudyEnd(assignment, self._source, clock)
        self._starting: dict[str, tuple[Lease, optuna.Trial]] = {}  # slot -> what is leased for it and does not run yet
        self._spool = Spool(assignment.out / "spool", self._models)
        uploads = self._uploads = Uploads(self._study, assignment.artifacts, self._spool, self._checkpoints)
        self._renewal = Renewal(self._study.store, assignment.worker_id, self._leased_numbers)
        self._contact = Contact(self._renewal, self._study.store.waits.away_seconds, view.say, clock)
        delivery = Delivery(assignment.study, assignment.spec, self._live_front, self._spool)
        self._finisher = Finisher(
            assignment, self._live_front, self._models, self._running, view, self._contact, delivery, uploads, clock
        )
        self._sweeper = Sweeper(
            self._study, self._contact, self._renewal, delivery, uploads, self._finisher.deliver_kept, view.say, clock
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
            clock,
        )
        self._shown_at = -_TICK_SECONDS
        self._has_started = False
        self._snapshots = Snapshots(assignment, self._running, self._live_front, clock)

    def run(self) -> Ending:
        """Run trials until the study has all of them, ends early, gives up, or is interrupted.

        While the store is away, trials train on, and what it is to be told waits.
        """
        ending = Ending.INTERRUPTED
        self._renewal.start()
        self._uploads.start()
        try:
            self._contact.ask_or(self._assignment.drop_ended_checkpoints, None)  # dead runs have left them
            ending = self._work_on()
            self._finisher.await_uploads()
            self._insist(self._renewal.renew)  # otherwise the last seconds would not count for the study's time limit
            self._insist(partial(note_ending, self._assignment, ending))
            self._insist(partial(note_front_loss, self._study, self._judge.pareto))
            self._contact.ask_or(self._assignment.drop_ended_checkpoints, None)
            return ending
        except KeyError as error:
            if not self._is_deleted():
                raise
            raise StoreError(f"the study {self._study.name!r} was deleted from the storage while it ran") from error
        finally:
            try:
                self._give_back(reason=ending.value)
            finally:
                self._uploads.stop()
                self._renewal.stop()

    def _work_on(self) -> Ending:
        while True:
            if self._is_interrupted():
                return Ending.INTERRUPTED
            with contextlib.suppress(StoreAwayError):
                ending = self._meet_store()
                if ending is not None:
                    return ending
            if self._running:
                self._listener.listen(SHORT_SECONDS if self._uploads.holds_slots else _TICK_SECONDS)
            else:  # All remaining trials run elsewhere or are uploaded, or the store is away.
                self._uploads.wait(_TICK_SECONDS)
            self._finisher.end_overdue()
            self._show()

    def _meet_store(self) -> Ending | None:
        """Tell the store what it missed, take over lost trials, and fill the slots; return why the study is over.

        Raises:
            StoreAwayError: If the store is away. What was not done is done the next time.
        """
        ask = self._contact.ask
        self._finisher.deliver_kept()
        self._listener.note_missed()
        self._sweeper.sweep(is_idle=not self._running)
        if ask(self._study_end.is_out_of_time) and not self._has_all_trials():
            return Ending.TIME_LIMIT
        if len(self._running) < len(self._assignment.slots) and not self._uploads.holds_slots:
            counts = ask(self._count)
            ending = ask(partial(self._study_end.ending, counts))
            if ending is Ending.NO_GROWTH and self._starting:
                self._give_back_starting(ending.value)  # they would count as running for ever
                counts = ask(self._count)
            # A trial that runs, here or elsewhere, may still come on the front, so that the front grows again.
            if ending is not None and not (ending is Ending.NO_GROWTH and counts.running):
                return ending
            if ending is None:
                self._fill_slots()
        return None

    def _insist(self, operation: Callable[[], object]) -> None:
        """Run an operation on the store, and wait for as long as it is away, unless a person ends that."""
        while True:
            with contextlib.suppress(StoreAwayError):
                self._contact.ask(operation)
                return
            if self._is_interrupted():
                return
            time.sleep(_TICK_SECONDS)
            self._show()

    def _has_all_trials(self) -> bool:
        return self._contact.ask(self._count).finished >= self._assignment.spec.trials

    def _is_deleted(self) -> bool:
        """Return whether a person removed the study, for example in the dashboard."""
        return studies.find(self._study.store, self._study.name) is None

    def _count(self) -> Counts:
        return count(self._study)

    # Starting trials

    def _fill_slots(self) -> None:
        for slot in self._assignment.slots:
            if self._running.on(slot) is not None:
                continue
            leased = self._left_from_outage(slot) or self._lease(slot)
            if leased is None:
                return
            self._starting[slot.name] = leased
            self._start(slot, *leased)
            del self._starting[slot.name]

    def _lease(self, slot: Slot) -> tuple[Lease, optuna.Trial] | None:
        if self._contact.ask(self._uploads.awaits_checkpoint):
            return None
        device = self._assignment.device_of(slot)
        progress = partial(self._checkpoints.progress, device)
        leased = self._contact.ask(partial(self._source.lease, slot.name, device, progress))
        if leased is not None and (why := self._checkpoints.why_anew(device, leased[0])):
            self._view.say(why)
        return leased

    def _left_from_outage(self, slot: Slot) -> tuple[Lease, optuna.Trial] | None:
        """Return what was leased for a slot before the store went away, if it has not started and is still held."""
        if slot.name in self._starting:
            lease, _ = self._starting[slot.name]
            if self._contact.ask(partial(is_held, self._study.store, lease)):
                return self._starting[slot.name]
            del self._starting[slot.name]
        return None

    def _start(self, slot: Slot, lease: Lease, trial: optuna.Trial) -> None:
        assignment = self._assignment
        if not self._has_started:
            self._contact.ask(partial(forget_ending, self._study))
            self._has_started = True
        curve = self._contact.ask(partial(self._judge.begin, lease))
        try:
            candidate = self._contact.ask(lambda: self._source.suggest(trial))
        except (SpaceError, UpdateFinishedTrialError) as error:  # of a user's own space; or a person has ended it
            why = str(error) if isinstance(error, SpaceError) else ""
            self._finisher.end_unstarted(lease, Outcome.FAILED, why)
            return
        task = assignment.task(
            lease,
            candidate,
            slot,
            self._judge.rungs_of(candidate),
            self._models.partial_path(lease.number),
            self._launcher.log_path.parent / "structures",
        )
        child = self._launcher.start(self._trains, task, assignment.out / "logs" / f"trial-{lease.number}.log")
        self._running.start(RunningTrial.begun(lease, trial, candidate, slot, child, self._clock(), curve, task.device))

    # Staying alive, and being watched

    def _leased_numbers(self) -> list[int]:
        """Return the trials whose leases are to be renewed; the thread that renews them asks.

        A trial goes from one of these places to the next while this looks, and is in both for a moment.
        """
        starting = [lease.number for lease, _ in list(self._starting.values())]
        numbers = [*starting, *self._running.numbers, *self._finisher.telling]
        return [*numbers, *(result.lease.number for result in self._spool.results())]

    def _give_back(self, reason: str) -> None:
        self._finisher.give_back_running(reason)
        self._give_back_starting(reason)
        if len(self._spool):
            where = self._assignment.out / "spool"
            self._view.say(f"results wait in {where}: run the same command again when all can be reached")

    def _give_back_starting(self, reason: str) -> None:
        """Give back what is leased for a slot and does not run, because its start was cut off."""
        for slot, (lease, _) in list(self._starting.items()):
            self._finisher.end_unstarted(lease, Outcome.RETURNED, reason)
            del self._starting[slot]

    def _show(self) -> None:
        if self._clock() - self._shown_at < _TICK_SECONDS:
            return
        self._shown_at = self._clock()
        for problem in self._spool.take_problems():
            self._view.say(problem)
        seconds = self._finisher.seconds_a_trial
        notice = self._uploads.notice()
        snapshot = self._contact.ask_or(lambda: self._snapshots.take(self._count(), seconds, notice), None)
        if snapshot is None:
            snapshot = self._snapshots.take_without_store(self._contact.notice(len(self._spool)))
        if snapshot is not None:
            self._view.show(snapshot)
