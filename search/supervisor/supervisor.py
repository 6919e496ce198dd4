"""The supervisor, which fills its slots with trials until the study is over, and makes all writes to the store.

It is one light process on each machine. It never imports Keras, and its trial processes never touch the store.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection

import optuna
from optuna.exceptions import UpdateFinishedTrialError

from tunefront.objectives.chance import read_chance
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.slots import Slot
from tunefront.search.sampling.seeds import trial_seed
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.finisher import Finisher
from tunefront.search.supervisor.judge import Judge
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.listener import Listener
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.notes import forget_ending, note_ending, note_front_loss
from tunefront.search.supervisor.running_trial import RunningTrial, RunningTrials
from tunefront.search.supervisor.snapshot import Snapshots
from tunefront.search.supervisor.study_end import StudyEnd
from tunefront.search.supervisor.view import View
from tunefront.search.system.links import refuse_link, refuse_links_in
from tunefront.search.trial.messages import TrialTask
from tunefront.search.trial.process import run_trial
from tunefront.spaces.settings import SpaceError
from tunefront.storage import queue, studies
from tunefront.storage.attempts import Lease
from tunefront.storage.counts import Counts, count
from tunefront.storage.database.locks import StoreError
from tunefront.storage.database.patience import patiently

_TICK_SECONDS = 0.5
_RENEW_SECONDS = queue.LEASE_SECONDS / 4


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
        self._judge = Judge(assignment)
        self._source = TrialSource(
            assignment.study, assignment.spec, assignment.spec.parsed_space(), assignment.worker_id
        )
        self._study_end = StudyEnd(assignment, self._source, clock)
        self._finisher = Finisher(assignment, self._live_front, self._models, self._running, view, clock)
        self._listener = Listener(
            assignment, self._judge, self._live_front, self._models, self._finisher, self._running, clock
        )
        self._renewed_at = self._clock()
        self._shown_at = -_TICK_SECONDS
        self._has_started = False
        self._snapshots = Snapshots(assignment, self._running, self._live_front, clock)

    def run(self) -> Ending:
        """Run trials until the study has all of them, ends early, gives up, or is interrupted."""
        ending = Ending.INTERRUPTED
        try:
            ending = self._work_on()
            patiently(self._note_time)
            patiently(partial(note_ending, self._assignment, ending))
            patiently(partial(note_front_loss, self._study, self._judge.pareto))
            return ending
        except KeyError as error:
            if not self._is_deleted():
                raise
            raise StoreError(f"the study {self._study.name!r} was deleted from the storage while it ran") from error
        finally:
            self._finisher.give_back_running(reason=ending.value)

    def _work_on(self) -> Ending:
        while True:
            if self._is_interrupted():
                return Ending.INTERRUPTED
            if patiently(self._study_end.is_out_of_time) and not self._has_all_trials():
                return Ending.TIME_LIMIT
            if len(self._running) < len(self._assignment.slots):
                counts = patiently(self._count)
                ending = patiently(partial(self._study_end.ending, counts))
                # A trial that runs, here or elsewhere, may still come on the front, so that the front grows again.
                if ending is not None and not (ending is Ending.NO_GROWTH and counts.running):
                    return ending
                if ending is None:
                    self._fill_slots()
            if self._running:
                self._listener.listen(_TICK_SECONDS)
            else:  # All remaining trials run elsewhere: wait, and take over lost ones.
                time.sleep(_TICK_SECONDS)
                self._sweep()
            self._finisher.end_overdue()
            self._renew()
            self._show()

    def _has_all_trials(self) -> bool:
        return patiently(self._count).finished >= self._assignment.spec.trials

    def _note_time(self) -> None:
        """Renew once more at the end; otherwise the time since the last renewal would not count for the time limit."""
        queue.renew(self._study.store, self._assignment.worker_id, [])

    def _is_deleted(self) -> bool:
        """Return whether a person removed the study, for example in the dashboard."""
        return studies.find(self._study.store, self._study.name) is None

    def _count(self) -> Counts:
        return count(self._study)

    # Starting trials

    def _fill_slots(self) -> None:
        for slot in self._assignment.slots:
            if self._running.on(slot) is None:
                leased = patiently(partial(self._source.lease, slot.name))
                if leased is None:
                    return
                self._start(slot, *leased)

    def _start(self, slot: Slot, lease: Lease, trial: optuna.Trial) -> None:
        assignment = self._assignment
        if not self._has_started:
            patiently(partial(forget_ending, self._study))
            self._has_started = True
        patiently(lambda: self._judge.begin(lease))
        try:
            candidate = patiently(lambda: self._source.suggest(trial))
        except SpaceError as error:  # from a user's own space; only this trial fails
            self._finisher.fail_unstarted(lease, str(error))
            return
        except UpdateFinishedTrialError:
            self._finisher.close_ended_by_person(lease)
            return
        task = TrialTask(
            number=lease.number,
            spec=assignment.spec.as_json(),
            candidate=candidate,
            dataset=assignment.dataset,
            slot=slot,
            seed=trial_seed(assignment.spec.seed, lease.number, is_confirmation=assignment.spec.confirms is not None),
            rungs=self._judge.rungs_of(candidate),
            model_path=str(self._models.partial_path(lease.number)),
            measures_latency=any(one.measure.name == "latency_seconds" for one in self._live_front.limits),
            log_folder=self._log_folder(lease.number),
            structures=str(self._launcher.log_path.parent / "structures"),
        )
        child = self._launcher.start(self._trains, task, assignment.out / "logs" / f"trial-{lease.number}.log")
        self._running.start(RunningTrial(lease, trial, candidate, slot, child, self._clock()))

    def _log_folder(self, number: int) -> str:
        """Return the folder where a trial writes logs for TensorBoard; empty if the study wants none."""
        if not self._assignment.spec.training.tensorboard:
            return ""
        folder = self._assignment.out / "tensorboard" / f"trial-{number}"
        refuse_link(folder.parent)
        refuse_links_in(folder)
        return str(folder)

    # Staying alive, and being watched

    def _renew(self) -> None:
        if self._clock() - self._renewed_at >= _RENEW_SECONDS:
            patiently(lambda: queue.renew(self._study.store, self._assignment.worker_id, self._running.numbers))
            self._sweep()
            self._renewed_at = self._clock()

    def _sweep(self) -> None:
        for number in patiently(lambda: queue.sweep(self._study)):
            self._view.say(f"trial {number}: its worker was lost; back in the queue")

    def _show(self) -> None:
        if self._clock() - self._shown_at >= _TICK_SECONDS:
            seconds = self._finisher.seconds_a_trial
            self._view.show(patiently(lambda: self._snapshots.take(self._count(), seconds)))
            self._shown_at = self._clock()
