"""The end of trials: what is recorded of each, what happens to its model and slot, and what a person is told."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from tunefront.objectives.quantities import format_quantity
from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.launching.fork_server import describe_exit
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.contact.contact import Contact, StoreAwayError
from tunefront.search.supervisor.contact.delivery import Delivery, describe_delivery, describe_refused
from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.running_trial import RunningTrial, RunningTrials
from tunefront.search.supervisor.uploads.uploads import SHORT_SECONDS, Uploads
from tunefront.search.supervisor.view import View
from tunefront.search.trial.messages import BrokenMessageError, NotFiniteError
from tunefront.storage import studies
from tunefront.storage.attempts import Lease
from tunefront.storage.database.patience import is_of_database
from tunefront.storage.outcomes import STATES, Outcome

_LAST_SECONDS = 20.0  # for uploads, when a supervisor ends


class Finisher:
    """The finisher of one supervisor's trials.

    Attributes:
        seconds_a_trial: The seconds of each trial that was completed or pruned.
        telling: The numbers of trials that no longer run, and whose end the store is being told.

    Args:
        running: The supervisor's running trials, from which trials that end are removed.
        delivery: Tells the store how trials ended, or keeps that until it is back.
        uploads: Brings the files of results to the artifacts, before the store is told.
    """

    def __init__(
        self,
        assignment: Assignment,
        live_front: LiveFront,
        models: KeptModels,
        running: RunningTrials,
        view: View,
        contact: Contact,
        delivery: Delivery,
        uploads: Uploads,
        clock: Callable[[], float],
    ) -> None:
        self.seconds_a_trial: list[float] = []
        self.telling: list[int] = []
        self._has_left = False  # whether the store was away when the supervisor ended
        self._assignment = assignment
        self._live_front = live_front
        self._models = models
        self._running = running
        self._view = view
        self._contact = contact
        self._delivery = delivery
        self._checkpoints = assignment.checkpoints()
        self._uploads = uploads
        self._descriptions: dict[str, Callable[[], str]] = {}  # of results whose files are being uploaded
        self._clock = clock

    def note_checkpoint(self, running: RunningTrial) -> None:
        """Note that a running trial has a new checkpoint, which others may go on from."""
        if running.curve:
            self._uploads.note_checkpoint(running.lease, running.curve[-1].epoch)

    def note_turn(self, running: RunningTrial, header: CheckpointHeader, path: Path) -> None:
        """Note the checkpoint of a turn after which a member of a population goes on, which others may go on from."""
        self._uploads.note_turn(running.lease, header, path)

    def complete(self, running: RunningTrial, model_path: str, reason: str = "") -> None:
        """End a trial that was trained to the end; its model is at `model_path` if it was kept."""
        running.release_child()
        reason = reason or self._live_front.broken_limit(running.measurements)
        self.finish(running, Outcome.COMPLETE, reason=reason, model_path=model_path)
        self._drop_beaten()

    def end_vanished(self, running: RunningTrial) -> None:
        """End a trial whose process has disappeared without a last message.

        One that was ended by signal 9 goes on from its checkpoint, once. Without a checkpoint it fails: where memory
        did not reach for the first epochs, it will not the next time.
        """
        exit_code = running.child.reap()
        why = describe_exit(exit_code)
        if exit_code == -signal.SIGKILL and running.checkpoint_epochs and not running.is_trained:
            if not running.lease.was_killed:
                self.finish(running, Outcome.KILLED, reason=why)
                return
            why += ", for the second time"
        self.end_without_result(running, why)

    def end_without_result(self, running: RunningTrial, why: str) -> None:
        """End a trial as failed, or as complete if it only died while it saved its model."""
        if running.is_trained:
            self.complete(running, "", reason=f"complete, but its model was not kept: {why}")
        else:
            self.finish(running, Outcome.FAILED, reason=why)

    def end_broken(self, running: RunningTrial, error: BrokenMessageError) -> None:
        """End a trial that sent an invalid message."""
        running.child.kill()
        self.finish(running, Outcome.FAILED, reason=f"its process sent what cannot be read: {error}")

    def end_not_finite(self, running: RunningTrial, error: NotFiniteError) -> None:
        """End a trial that measured no finite number: NaN would end Optuna's study, and infinity would be its best."""
        running.child.kill()
        self.end_without_result(running, str(error))

    def end_overdue(self) -> None:
        """End the trials that have run longer than the time limit."""
        training = self._assignment.spec.training
        for running in self._running:
            if running.seconds(self._clock()) > training.time_limit:
                running.child.kill()
                epochs = f"{len(running.curve)} of {running.candidate.epochs} epochs"
                reason = f"not finished within training.time_limit = {training.time_limit:g} s ({epochs} done)"
                self.end_without_result(running, reason)

    def end_taken_over(self, running: RunningTrial) -> None:
        """End a trial whose lease another worker has now."""
        running.child.kill()
        self._free(running)
        self._say_refused(running.lease.number)

    def finish(self, running: RunningTrial, outcome: Outcome, *, reason: str = "", model_path: str = "") -> None:
        """Free the slot and record the outcome, which is refused if the lease was lost."""
        self.telling.append(running.lease.number)  # before it no longer runs: its lease is renewed all the time
        self._free(running)
        if outcome in (Outcome.COMPLETE, Outcome.PRUNED):
            self.seconds_a_trial.append(running.seconds(self._clock()))
        result = TrialResult(
            running.lease,
            outcome,
            reason,
            measurements=running.measurements,
            stop_violations=running.violations,
            answers=running.answers,
            epochs=running.curve[running.n_noted :],
            model_path=model_path,
            resumed=running.resumed,
        )
        self._tell(result, lambda: self._describe_end(running, outcome, reason))
        self.telling.remove(running.lease.number)

    def end_unstarted(self, lease: Lease, outcome: Outcome, reason: str = "") -> None:
        """End a leased trial that has no process: it has no candidate to train, or its supervisor ends."""
        self._tell(TrialResult(lease, outcome, reason), lambda: describe_outcome(lease.number, outcome, "", reason))

    def deliver_kept(self) -> None:
        """Deliver the results that were kept while the store was away, or while their files were uploaded.

        Raises:
            StoreAwayError: If it is away again.
        """
        self._uploads.bring_checkpoints()
        ready = [result for result in self._delivery.spool.results() if self._uploads.is_done(result)]
        for line in self._uploads.take_lines():
            self._view.say(line)
        for result in ready:
            is_recorded = self._contact.ask(partial(self._delivery.record_spooled, result))
            self._uploads.far.note_told(result)
            describe = self._descriptions.pop(result.name, None)
            if is_recorded and result.outcome is Outcome.PAUSED:
                continue  # nothing has happened that a person need know
            if is_recorded and describe is not None:
                self._view.say(describe())
            else:
                self._view.say(describe_delivery(result, is_recorded=is_recorded))
            self._drop_checkpoints(result, is_recorded=is_recorded)
            self._drop_beaten()

    def give_back_running(self, reason: str) -> None:
        """Stop all running trials, and give them back to the queue."""
        study = self._assignment.study
        for running in self._running:  # all are killed before a write to the store can fail
            running.child.kill()
            self.note_checkpoint(running)
        self._uploads.bring_checkpoints(at_once=True)
        self.await_uploads()  # while their leases are held
        for running in self._running:
            if self._has_left or self._contact.ask_or(lambda: studies.find(study.store, study.name) is not None, True):
                self.finish(running, Outcome.RETURNED, reason=reason)
                self._has_left = self._contact.is_lost  # nobody waits for the store once more for each trial

    def await_uploads(self) -> None:
        """Deliver the results whose files are being uploaded, unless that takes long or a place is away.

        Files that are being removed are waited for too.
        """
        deadline = self._clock() + _LAST_SECONDS
        while (self._descriptions or self._uploads.is_busy) and self._clock() < deadline:
            if self._uploads.is_away or self._contact.is_lost:
                return
            with contextlib.suppress(StoreAwayError):
                self.deliver_kept()
            self._uploads.wait(SHORT_SECONDS)

    def _tell(self, result: TrialResult, describe: Callable[[], str]) -> None:
        if self._uploads.wants(result):
            self._descriptions[result.name] = describe
            self._delivery.spool.add(result)
            self._uploads.is_done(result)  # begins
            return
        try:
            if self._has_left:
                raise StoreAwayError
            is_recorded = self._contact.ask(partial(self._delivery.record, result))
        except StoreAwayError:
            self._delivery.spool.add(result)
            self._view.say(f"{describe()}; kept until the storage is back")
            return
        except Exception as error:
            if is_of_database(error):  # no waiting mends it, but a person may
                self._delivery.spool.add(result)
            raise
        self._drop_checkpoints(result, is_recorded=is_recorded)
        if is_recorded and result.outcome is Outcome.PAUSED:
            return  # nothing has happened that a person need know
        if is_recorded:
            self._view.say(describe())
        else:
            self._say_refused(result.lease.number)

    def _drop_checkpoints(self, result: TrialResult, *, is_recorded: bool) -> None:
        """Remove the checkpoints of a trial that has ended for good; those of a refused result may be another's."""
        if is_recorded and STATES[result.outcome] != TrialState.WAITING:
            self._checkpoints.drop([result.lease.number])

    def _drop_beaten(self) -> None:
        self._contact.ask_or(self._drop_now, None)

    def _drop_now(self) -> None:
        beaten = self._live_front.beaten()
        self._models.drop(beaten)
        if not self._uploads.has_place:
            return
        self._uploads.drop(beaten)
        trials = self._assignment.study.optuna.get_trials(deepcopy=False)
        self._uploads.drop_checkpoints(trials, self._assignment.with_ended_populations(trials))

    def _free(self, running: RunningTrial) -> None:
        self._running.free(running)
        self._models.drop_partial(running.lease.number)

    def _say_refused(self, number: int) -> None:
        self._view.say(describe_refused(number))

    def _describe_end(self, running: RunningTrial, outcome: Outcome, reason: str) -> str:
        number = running.lease.number
        if outcome is Outcome.PRUNED:
            return describe_stopped(number, len(running.curve), running.candidate.epochs, running.stop_brief)
        line = describe_outcome(number, outcome, self._shown_values(running.measurements), reason)
        if self._assignment.spec.confirms:
            return line + self._contact.ask_or(lambda: describe_training(running.trial.user_attrs), "")
        if outcome is Outcome.COMPLETE:
            line += self._contact.ask_or(lambda: self._live_front.describe_entry(number), "")
        return line

    def _shown_values(self, measurements: Mapping[str, float]) -> str:
        shown = [
            format_quantity(measurements[objective.measure.name], objective.measure.unit)
            for objective in self._live_front.objectives.values()
            if objective.measure.name in measurements
        ]
        return ", ".join(shown)


def describe_outcome(number: int, outcome: Outcome, values: str, reason: str) -> str:
    """Return a line for a log that says how a trial ended."""
    if outcome is Outcome.KILLED:
        return f"trial {number}: {reason}; it is tried once more, from its checkpoint"
    if outcome is Outcome.CANCELLED:
        return f"trial {number}: {reason}"
    parts = [part for part in (values if outcome is Outcome.COMPLETE else "", reason) if part]
    return f"trial {number}: {outcome.value}" + (f": {'; '.join(parts)}" if parts else "")


def describe_training(attributes: Mapping[str, Any]) -> str:
    """Return which training of which trial of the search a confirmation's trial is: ``"; training 3 of trial 17"``."""
    return f"; training {attributes['seed'] + 1} of trial {attributes['candidate']}" if "seed" in attributes else ""


def describe_stopped(number: int, n_epochs: int, n_planned: int, brief: str) -> str:
    """Return a line for a log on a trial that was stopped early: ``"trial 9 stopped at 5/12: trial 5 is better"``."""
    return f"trial {number} stopped at {n_epochs}/{n_planned}" + (f": {brief}" if brief else "")
