"""How trials end: what is recorded of each, what becomes of its model and its slot, and what a person is told."""

from __future__ import annotations

from collections.abc import Callable

import optuna

from tunefront.objectives.measures import known_early
from tunefront.objectives.quantities import format_quantity
from tunefront.search.launching.fork_server import describe_exit
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.running_trial import Running, RunningTrial
from tunefront.search.supervisor.view import View
from tunefront.search.trial.messages import BrokenMessageError, NotFiniteError
from tunefront.storage import Lease, Outcome, constraints, patiently, queue, studies


class Finisher:
    """Ends the trials of one supervisor.

    Attributes:
        seconds_a_trial: Of those that were completed or pruned.

    Args:
        running: The supervisor's; what ends is taken out of it.
    """

    def __init__(
        self,
        assignment: Assignment,
        study: optuna.Study,
        live_front: LiveFront,
        models: KeptModels,
        running: Running,
        view: View,
        clock: Callable[[], float],
    ) -> None:
        self.seconds_a_trial: list[float] = []
        self._assignment = assignment
        self._study = study
        self._live_front = live_front
        self._models = models
        self._running = running
        self._view = view
        self._clock = clock

    def complete(self, running: RunningTrial, model_path: str, reason: str = "") -> None:
        """Trained to the end; its model lies at `model_path`, if it was kept."""
        running.child.reap()
        reason = reason or self._live_front.broken_limit(running.measurements)
        self.finish(running, Outcome.COMPLETE, reason=reason, model_path=model_path)
        patiently(lambda: self._models.drop(self._live_front.beaten()))

    def end_vanished(self, running: RunningTrial) -> None:
        """The trial process is gone without a last word."""
        self.end_without_result(running, describe_exit(running.child.reap()))

    def end_without_result(self, running: RunningTrial, why: str) -> None:
        """Failed; but what died only while it saved its model was trained and measured."""
        if running.is_trained:
            self.complete(running, "", reason=f"complete, but its model was not kept: {why}")
        else:
            self.finish(running, Outcome.FAILED, reason=why)

    def end_broken(self, running: RunningTrial, error: BrokenMessageError) -> None:
        """It sent what is no message of ours."""
        running.child.kill()
        self.finish(running, Outcome.FAILED, reason=f"its process sent what cannot be read: {error}")

    def end_not_finite(self, running: RunningTrial, error: NotFiniteError) -> None:
        """It measured what is no number: NaN would end Optuna's study, and an infinity would be its best."""
        running.child.kill()
        self.end_without_result(running, str(error))

    def end_overdue(self) -> None:
        """End what has run longer than a trial may."""
        training = self._assignment.spec.training
        for running in list(self._running.values()):
            if self._clock() - running.started_at > training.time_limit:
                running.child.kill()
                epochs = f"{len(running.curve)} of {training.epochs} epochs"
                reason = f"not finished within training.time_limit = {training.time_limit:g} s ({epochs} done)"
                self.end_without_result(running, reason)

    def end_taken_over(self, running: RunningTrial) -> None:
        """Its lease is another worker's now."""
        running.child.kill()
        self._free(running)
        self._say_refused(running.lease.number)

    def finish(self, running: RunningTrial, outcome: Outcome, *, reason: str = "", model_path: str = "") -> None:
        """Free the slot and record the outcome; what comes after the lease was lost is refused."""
        self._free(running)
        is_complete = outcome is Outcome.COMPLETE
        is_recorded = patiently(
            lambda: queue.finish(
                self._assignment.store,
                self._study,
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
            self._view.say(describe_outcome(running.lease.number, outcome, self._shown_values(running), reason))
        else:
            self._say_refused(running.lease.number)

    def _violations(self, running: RunningTrial, outcome: Outcome) -> list[float]:
        """Return what samplers learn of limits: of a stopped trial only what its end would have kept or broken."""
        if outcome not in (Outcome.COMPLETE, Outcome.PRUNED, Outcome.REFUSED):
            return []
        known = self._live_front.violations(running.measurements)
        if outcome is Outcome.PRUNED:
            known = {**self._live_front.violations(known_early(running.measurements)), **running.violations}
        return constraints.as_list(self._live_front.objectives.values(), known)

    def close_ended_by_person(self, lease: Lease) -> None:
        """A person ended it before it had started: close its attempt."""
        patiently(lambda: queue.finish(self._assignment.store, self._study, lease, Outcome.FAILED))
        self._say_refused(lease.number)

    def fail_unstarted(self, lease: Lease, reason: str) -> None:
        """There is no candidate to train."""
        patiently(lambda: queue.finish(self._assignment.store, self._study, lease, Outcome.FAILED, reason=reason))
        self._view.say(describe_outcome(lease.number, Outcome.FAILED, "", reason))

    def give_back_running(self, reason: str) -> None:
        """Stop whatever still runs; it goes back to the queue."""
        for running in self._running.values():  # all of them, before a write to the store can fail
            running.child.kill()
        for running in list(self._running.values()):
            if studies.find(self._assignment.store, self._assignment.study.name) is not None:
                self.finish(running, Outcome.RETURNED, reason=reason)

    def _free(self, running: RunningTrial) -> None:
        del self._running[running.slot.name]
        self._models.drop_partial(running.lease.number)

    def _say_refused(self, number: int) -> None:
        self._view.say(f"trial {number}: result refused: another worker has taken the trial over, or a person ended it")

    def _shown_values(self, running: RunningTrial) -> str:
        shown = [
            format_quantity(running.measurements[objective.measure.name], objective.measure.unit)
            for objective in self._live_front.objectives.values()
            if objective.measure.name in running.measurements
        ]
        return ", ".join(shown)


def describe_outcome(number: int, outcome: Outcome, values: str, reason: str) -> str:
    """Return one line for a log: what became of a trial."""
    parts = [part for part in (values if outcome is Outcome.COMPLETE else "", reason) if part]
    return f"trial {number}: {outcome.value}" + (f": {'; '.join(parts)}" if parts else "")
