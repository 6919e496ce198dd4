"""The end of trials: what is recorded of each, what happens to its model and slot, and what a person is told."""

from __future__ import annotations

from collections.abc import Callable

from tunefront.objectives.measures import known_early
from tunefront.objectives.quantities import format_quantity
from tunefront.search.launching.fork_server import describe_exit
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.running_trial import RunningTrial, RunningTrials
from tunefront.search.supervisor.view import View
from tunefront.search.trial.messages import BrokenMessageError, NotFiniteError
from tunefront.storage import constraints, queue, studies
from tunefront.storage.attempts import Lease
from tunefront.storage.database.patience import patiently
from tunefront.storage.outcomes import Outcome


class Finisher:
    """The finisher of one supervisor's trials.

    Attributes:
        seconds_a_trial: The seconds of each trial that was completed or pruned.

    Args:
        running: The supervisor's running trials, from which trials that end are removed.
    """

    def __init__(
        self,
        assignment: Assignment,
        live_front: LiveFront,
        models: KeptModels,
        running: RunningTrials,
        view: View,
        clock: Callable[[], float],
    ) -> None:
        self.seconds_a_trial: list[float] = []
        self._assignment = assignment
        self._live_front = live_front
        self._models = models
        self._running = running
        self._view = view
        self._clock = clock

    def complete(self, running: RunningTrial, model_path: str, reason: str = "") -> None:
        """End a trial that was trained to the end; its model is at `model_path` if it was kept."""
        running.child.reap()
        reason = reason or self._live_front.broken_limit(running.measurements)
        self.finish(running, Outcome.COMPLETE, reason=reason, model_path=model_path)
        patiently(lambda: self._models.drop(self._live_front.beaten()))

    def end_vanished(self, running: RunningTrial) -> None:
        """End a trial whose process has disappeared without a last message."""
        self.end_without_result(running, describe_exit(running.child.reap()))

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
            if self._clock() - running.started_at > training.time_limit:
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
        self._free(running)
        is_complete = outcome is Outcome.COMPLETE
        is_recorded = patiently(
            lambda: queue.finish(
                self._assignment.study,
                running.lease,
                outcome,
                values=self._live_front.values(running.measurements) if is_complete else None,
                violations=self._violations(running, outcome),
                measurements=running.measurements,
                answers=running.answers,
                reason=reason,
                model_path=model_path,
            )
        )
        if outcome in (Outcome.COMPLETE, Outcome.PRUNED):
            self.seconds_a_trial.append(self._clock() - running.started_at)
        if is_recorded:
            self._view.say(self._describe_end(running, outcome, reason))
        else:
            self._say_refused(running.lease.number)

    def _violations(self, running: RunningTrial, outcome: Outcome) -> list[float]:
        """Return the violations for samplers; for a stopped trial, those of limits that its end would have decided."""
        if outcome not in (Outcome.COMPLETE, Outcome.PRUNED, Outcome.REFUSED):
            return []
        known = self._live_front.violations(running.measurements)
        if outcome is Outcome.PRUNED:
            known = {**self._live_front.violations(known_early(running.measurements)), **running.violations}
        return constraints.as_list(self._live_front.limits, known)

    def close_ended_by_person(self, lease: Lease) -> None:
        """Close the attempt of a trial that a person ended before it had started."""
        patiently(lambda: queue.finish(self._assignment.study, lease, Outcome.FAILED))
        self._say_refused(lease.number)

    def fail_unstarted(self, lease: Lease, reason: str) -> None:
        """End a leased trial as failed because it has no candidate to train."""
        patiently(lambda: queue.finish(self._assignment.study, lease, Outcome.FAILED, reason=reason))
        self._view.say(describe_outcome(lease.number, Outcome.FAILED, "", reason))

    def give_back_running(self, reason: str) -> None:
        """Stop all running trials, and give them back to the queue."""
        study = self._assignment.study
        for running in self._running:  # all are killed before a write to the store can fail
            running.child.kill()
        for running in self._running:
            if studies.find(study.store, study.name) is not None:
                self.finish(running, Outcome.RETURNED, reason=reason)

    def _free(self, running: RunningTrial) -> None:
        self._running.free(running)
        self._models.drop_partial(running.lease.number)

    def _say_refused(self, number: int) -> None:
        self._view.say(f"trial {number}: result refused: another worker has taken the trial over, or a person ended it")

    def _describe_end(self, running: RunningTrial, outcome: Outcome, reason: str) -> str:
        number = running.lease.number
        if outcome is Outcome.PRUNED:
            return describe_stopped(number, len(running.curve), running.candidate.epochs, running.stop_brief)
        line = describe_outcome(number, outcome, self._shown_values(running), reason)
        if outcome is Outcome.COMPLETE and not self._assignment.spec.confirms:
            line += patiently(lambda: self._live_front.describe_entry(number))
        return line

    def _shown_values(self, running: RunningTrial) -> str:
        shown = [
            format_quantity(running.measurements[objective.measure.name], objective.measure.unit)
            for objective in self._live_front.objectives.values()
            if objective.measure.name in running.measurements
        ]
        return ", ".join(shown)


def describe_outcome(number: int, outcome: Outcome, values: str, reason: str) -> str:
    """Return a line for a log that says how a trial ended."""
    parts = [part for part in (values if outcome is Outcome.COMPLETE else "", reason) if part]
    return f"trial {number}: {outcome.value}" + (f": {'; '.join(parts)}" if parts else "")


def describe_stopped(number: int, n_epochs: int, n_planned: int, brief: str) -> str:
    """Return a line for a log on a trial that was stopped early: ``"trial 9 stopped at 5/12: trial 5 is better"``."""
    return f"trial {number} stopped at {n_epochs}/{n_planned}" + (f": {brief}" if brief else "")
