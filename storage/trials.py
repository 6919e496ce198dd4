"""Trials with everything that the store has of them, for reports, status and pruners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from tunefront.objectives.limits import Objective, read_extra_limits, read_objectives
from tunefront.objectives.measures import WITHOUT_FEATURES
from tunefront.storage import constraints, curves, queue, refused_candidates
from tunefront.storage.attempts import Attempt, attempts_in, read_attempts
from tunefront.storage.curves import Epoch
from tunefront.storage.database import schema
from tunefront.storage.database.stored_trials import read_trials
from tunefront.storage.measurements import load_measurements
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import STATES, Outcome
from tunefront.storage.population import stages
from tunefront.storage.population.stages import Stage

DEVICE_KINDS = "device_kinds"  # measured where it is more than one: the kinds of devices that trained a trial
# Time -> the measurement of one pass of frozen layers that it contains beside the times of its epochs.
PASSES = {"train_seconds": "prefix_seconds", "validation_seconds": "prefix_validation_seconds"}
SLOTS_ON_GPU = "slots_on_gpu"  # measured where it is more than one: the slots that had a trial's GPU together


@dataclass(frozen=True)
class TrialRecord:
    """One trial.

    Attributes:
        number: The trial's number within the study, as Optuna counts it from 0.
        state: ``waiting``, ``running``, ``complete``, ``pruned``, ``refused``, ``failed`` or ``cancelled``.
        reason: Why it was pruned, refused, failed, cancelled or given back; empty if there is none.
        values: A value for each objective, if complete.
        is_feasible: Whether no limit of the spec is known to be broken, see :func:`is_feasible`.
        parameters: The parameters that its training began with: ``group.name`` -> value. They are those it was sampled
            with, unless it went on with the weights of a training that began with others.
        measurements: Name with unit -> value.
        n_attempts: How often the trial was started, not counting further turns of a member of a population.
        worker_id: The worker of the last attempt; empty if the trial was never started.
        slot: The slot where it runs now; empty if it does not run.
        started_at: The start of the last attempt, in seconds on the database's clock, like `ended_at`.
        model_path: The path of its kept model on the worker's machine; empty if none was kept.
        distributions: The distribution that each parameter was drawn from.
        queued_again_as: The new number of a refused candidate that a change of limits queued again; None without one.
        parts: The attempts that its training consists of: the last one, and those that this one went on from.
        stages: The parts of its training with settings of their own, from its first epoch on; empty if its settings
            stayed as they were sampled.
    """

    number: int
    state: str
    reason: str
    values: tuple[float, ...] | None
    is_feasible: bool
    parameters: Mapping[str, Any]
    measurements: Mapping[str, float]
    epochs: Sequence[Epoch]
    n_attempts: int
    worker_id: str
    slot: str
    started_at: float | None
    ended_at: float | None
    model_path: str
    distributions: Mapping[str, BaseDistribution] = field(default_factory=dict)
    queued_again_as: int | None = None
    parts: Sequence[Attempt] = ()
    stages: Sequence[Stage] = ()

    @property
    def machines(self) -> frozenset[str]:
        """The kinds of machines that its epochs were trained on, as far as they are known."""
        return frozenset(part.machine for part in self.parts if part.machine)

    @property
    def is_paused(self) -> bool:
        """Whether it waits for its next turn, as a member of a population."""
        return self.state == "waiting" and bool(self.parts) and self.parts[-1].ending == Outcome.PAUSED

    @property
    def ancestors(self) -> list[int]:
        """The numbers of the trials with whose weights its training went on, in the order of epochs."""
        return [stage.weights_of for stage in self.stages if stage.weights_of is not None]

    @property
    def has_mixed_times(self) -> bool:
        """Whether its times are sums over several kinds of machines, so that they compare with nothing."""
        return self.measurements.get(DEVICE_KINDS, 1) > 1

    @property
    def lacked_features(self) -> bool:
        """Whether it computed every epoch what other trials of its study store, so that its times are longer."""
        return WITHOUT_FEATURES in self.measurements

    @property
    def slots_on_gpu(self) -> int:
        """The number of slots that had the GPU together on which it trained; 1 if it had one, or a CPU, for itself."""
        return int(self.measurements.get(SLOTS_ON_GPU, 1))


_STATE_NAMES = {
    TrialState.WAITING: "waiting",
    TrialState.RUNNING: "running",
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
_FINER_STATES = (Outcome.REFUSED, Outcome.CANCELLED)  # which Optuna calls pruned and failed


def load(study: OpenStudy) -> list[TrialRecord]:
    """Read every trial of the study, in the order of their numbers."""
    with study.store.engine.connect() as connection:
        frozen_trials = read_trials(connection, study.study_id)
    objectives = list(read_objectives(study.record.spec).values())
    extra = read_extra_limits(study.record.spec)
    epochs = curves.load(study)
    measurements = load_measurements(study)
    with study.store.engine.connect() as connection:
        attempts = read_attempts(connection, study.study_id)
        leases = connection.execute(sa.select(schema.leases).where(schema.leases.c.study_id == study.study_id)).all()
    slots = {row.number: row.slot for row in leases}
    queued_again = refused_candidates.queued_again(frozen_trials)

    records = []
    for frozen in frozen_trials:
        parts = attempts_in(attempts.get(frozen.number, []))
        last = parts[-1] if parts else None
        course = stages.read(frozen.user_attrs)
        state = _STATE_NAMES[frozen.state]
        if last is not None and last.ending in _FINER_STATES and frozen.state == STATES[Outcome(last.ending)]:
            state = last.ending
        records.append(
            TrialRecord(
                number=frozen.number,
                state=state,
                reason=frozen.user_attrs.get(queue.REASON, "") or (last.reason if last is not None else ""),
                values=tuple(frozen.values) if frozen.state == TrialState.COMPLETE else None,
                is_feasible=is_feasible(frozen, objectives, extra),
                parameters={**frozen.params, **stages.first_parameters(course)},
                measurements=measurements.get(frozen.number, {}),
                epochs=epochs.get(frozen.number, []),
                n_attempts=_n_attempts(attempts.get(frozen.number, [])),
                worker_id=last.worker_id if last is not None else "",
                slot=slots.get(frozen.number, ""),
                started_at=last.started_at if last is not None else None,
                ended_at=last.ended_at if last is not None else None,
                model_path=_of_model(last.model_path) if last is not None else "",
                distributions=dict(frozen.distributions),
                queued_again_as=queued_again.get(frozen.number),
                parts=parts,
                stages=course,
            )
        )
    return records


def _of_model(path: str) -> str:
    """Return the path of a model, and none of another file: whoever can write to the store can write any path."""
    return path if path.endswith(".keras") else ""


def _n_attempts(attempts: Sequence[Attempt]) -> int:
    started = [attempt for attempt in attempts if attempt.worker_id]  # else it was cancelled while it waited
    return len(started) - sum(attempt.ending == Outcome.PAUSED for attempt in started[:-1])


def is_feasible(trial: FrozenTrial, objectives: Sequence[Objective], extra: Sequence[Objective] = ()) -> bool:
    """Return whether no limit is known to be broken, by a complete trial's values or else by its constraints.

    A trial that a person ended in the dashboard has values and no constraints. In a study that an older tunefront
    began, the constraints of a complete trial may be those of an attempt whose worker died.

    Args:
        extra: Limits on measures that are no objectives, which a complete trial has constraints of alone.
    """
    if trial.state != TrialState.COMPLETE:
        return all(violation <= 0 for violation in trial.constraints.values())
    found = constraints.by_measure(trial, [*objectives, *extra]) if extra else {}
    if any(found.get(each.measure.name, 0.0) > 0 for each in extra):
        return False
    return all(each.violation(value) <= 0 for each, value in zip(objectives, trial.values, strict=True))


def set_model_path(study: OpenStudy, number: int, path: str) -> None:
    """Store the path of a trial's kept model; an empty path says that the model was removed."""
    table = schema.attempts
    last = sa.select(sa.func.max(table.c.attempt)).where(
        (table.c.study_id == study.study_id) & (table.c.number == number)
    )
    with study.store.engine.begin() as connection:
        connection.execute(
            table.update()
            .where(
                (table.c.study_id == study.study_id)
                & (table.c.number == number)
                & (table.c.attempt == last.scalar_subquery())
            )
            .values(model_path=path)
        )
