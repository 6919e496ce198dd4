"""The start of trials: a lease for a free slot, a candidate, and a process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection

import optuna
from optuna.exceptions import UpdateFinishedTrialError

from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.slots import Slot
from tunefront.search.launching.spare_children import SpareChildren
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.contact.contact import Contact
from tunefront.search.supervisor.finisher import Finisher
from tunefront.search.supervisor.judge import Judge
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.notes import forget_ending
from tunefront.search.supervisor.population.population import Population
from tunefront.search.supervisor.running_trial import RunningTrial, RunningTrials, kind_of_process
from tunefront.search.supervisor.uploads.uploads import Uploads
from tunefront.search.trial.messages import TrialTask
from tunefront.spaces.settings import SpaceError
from tunefront.storage import lost_leases
from tunefront.storage.attempts import Lease, is_held
from tunefront.storage.counts import Counts
from tunefront.storage.outcomes import Outcome


class Starter:
    """The starter of one supervisor's trials.

    Args:
        trains: The function that a trial process runs.
        running: The supervisor's running trials, to which a trial that starts is added.
        numbers: Returns the numbers of all trials whose leases the supervisor knows of.
    """

    def __init__(
        self,
        assignment: Assignment,
        launcher: Launcher,
        trains: Callable[[Connection, TrialTask], None],
        source: TrialSource,
        population: Population | None,
        judge: Judge,
        models: KeptModels,
        checkpoints: StudyCheckpoints,
        running: RunningTrials,
        contact: Contact,
        uploads: Uploads,
        finisher: Finisher,
        numbers: Callable[[], Sequence[int]],
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._assignment = assignment
        self._study = assignment.study
        self._launcher = launcher
        self._trains = trains
        self._source = source
        self._population = population
        self._judge = judge
        self._models = models
        self._checkpoints = checkpoints
        self._running = running
        self._contact = contact
        self._uploads = uploads
        self._finisher = finisher
        self._numbers = numbers
        self._say = say
        self._clock = clock
        self._starting: dict[str, tuple[Lease, optuna.Trial]] = {}  # slot -> what is leased for it and does not run yet
        self._has_started = False
        self._spares: SpareChildren | None = None
        self._may_have_more = False  # leases than it knows of, because the store went away while one was taken

    @property
    def numbers(self) -> list[int]:
        """The numbers of the trials that are leased and do not run yet."""
        return [lease.number for lease, _ in list(self._starting.values())]

    def holds(self, slot: Slot) -> bool:
        """Return whether a trial is leased for a slot and does not run yet, because the store went away."""
        return slot.name in self._starting

    def fill(self, slots: Sequence[Slot], counts: Counts) -> None:
        """Start a trial on each of these slots, as far as there are trials.

        Args:
            counts: The study's trials a moment ago. Where none is due, the study's lock is not asked for: a hundred
                idle workers would have it all the time.

        Raises:
            StoreAwayError: If the store is away. A trial that is leased by then starts when it is back.
        """
        is_due = counts.is_due(self._assignment.spec.trials, only_waiting=self._assignment.spec.confirms is not None)
        if not (is_due or self._starting or self._may_have_more or self._population is not None):
            return
        for slot in slots:
            leased = self._left_from_outage(slot) or self._lease(slot)
            if leased is None:
                return
            self._starting[slot.name] = leased
            self._start(slot, *leased)
            del self._starting[slot.name]

    def give_back(self, reason: str) -> None:
        """Give back what is leased for a slot and does not run, because its start was cut off; no child waits on."""
        self.end_spares()
        for slot, (lease, _) in list(self._starting.items()):
            self._finisher.end_unstarted(lease, Outcome.RETURNED, reason)
            del self._starting[slot]

    def end_spares(self) -> None:
        """End the children that wait for another seed."""
        if self._spares is not None:
            self._spares.end()

    def _lease(self, slot: Slot) -> tuple[Lease, optuna.Trial] | None:
        if self._contact.ask(partial(self._uploads.awaits_checkpoint, self._population)):
            return None
        device = self._assignment.device_of(slot)
        leased = self._contact.ask(partial(self._take, slot.name, device))
        if leased is not None and (why := self._checkpoints.why_anew(device, leased[0])):
            self._say(why)
        return leased

    def _take(self, slot: str, device: str) -> tuple[Lease, optuna.Trial] | None:
        if self._may_have_more:
            lost_leases.undo_unknown(self._study, self._assignment.worker_id, self._numbers())
        self._may_have_more = True
        leased = self._source.lease(slot, device, partial(self._checkpoints.progress, device))
        self._may_have_more = False
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
            self._spares = SpareChildren() if self._contact.ask(assignment.may_share_processes) else None
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
            curve,
            self._judge.rungs_of(candidate),
            self._models.partial_path(lease.number),
            self._launcher.log_path.parent / "structures",
            may_be_followed=self._spares is not None,
        )
        log_path = assignment.out / "logs" / f"trial-{lease.number}.log"
        child = None
        if self._spares is not None and not task.resume_from:
            child = self._spares.pass_on(kind_of_process(candidate, slot), task, log_path)
        child = child or self._launcher.start(self._trains, task, log_path)
        running = RunningTrial.begun(lease, trial, candidate, slot, child, self._clock(), curve, task.device)
        running.spares = self._spares
        self._running.start(running)
