"""The supervisor: asks for trials, feeds its slots, judges epochs, and owns every write to the store.

One light process a machine. It never imports Keras; its trial processes never touch the store.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from objectives import format_quantity
from search.data import Dataset
from search.history import History
from search.launching import Child, Launcher, describe_exit
from search.machine import load_average
from search.models import KeptModels
from search.progress import SlotState, Snapshot, View
from search.pruning import ParetoPruner, geometric_rungs
from search.sampling import make_sampler, trial_seed
from search.slots import Slot
from search.spec import StudySpec
from search.standing import Standing
from search.trial_process import BrokenMessageError, Message, TrialTask, answer, receive, run_trial
from spaces import Candidate, SpaceError
from storage import Epoch, Lease, Outcome, Store, StoreError, StudyRecord, curves, patiently, queue, studies

_TICK_SECONDS = 0.5
_RENEW_SECONDS = queue.LEASE_SECONDS / 4


class Ending(enum.Enum):
    """Why a supervisor stopped."""

    DONE = "done"
    INTERRUPTED = "interrupted"
    TOO_MANY_FAILURES = "too many failures"
    TOO_MANY_REFUSALS = "too many refusals"


@dataclass
class _Running:
    """A trial under way on one of our slots."""

    lease: Lease
    trial: optuna.Trial
    candidate: Candidate
    slot: Slot
    child: Child
    started_at: float  # of the clock
    curve: list[Epoch] = field(default_factory=list)
    measurements: dict[str, float] = field(default_factory=dict)
    stop_reason: str = ""
    is_trained: bool = False  # and only its model is still being saved
    other_slots_busy: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Work:
    """What a supervisor works on, and where."""

    store: Store
    study: StudyRecord
    spec: StudySpec
    dataset: Dataset
    slots: Sequence[Slot]
    worker_id: str
    out: Path


class Supervisor:
    """Runs a study's trials on this machine until it is done.

    Args:
        trains: What a trial process runs; fault tests give a stub.
        is_interrupted: Asked often; True ends the run and gives running trials back.
    """

    def __init__(
        self,
        work: Work,
        launcher: Launcher,
        view: View,
        is_interrupted: Callable[[], bool],
        trains: Callable[[Connection, TrialTask], None] = run_trial,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = work
        self._launcher = launcher
        self._view = view
        self._is_interrupted = is_interrupted
        self._trains = trains
        self._clock = clock
        self._space = work.spec.parsed_space()
        objectives = work.spec.parsed_objectives()
        self._study = work.study.optuna_study(work.store)
        self._standing = Standing(self._study, objectives)
        self._history = History(work.store, self._study, work.study.study_id)
        self._models = KeptModels(work.store, work.study, work.out / "models")
        pruner = work.spec.pruner
        epochs = work.spec.training.epochs
        ends_early = work.spec.training.early_stopping is not None
        self._pruner = (
            ParetoPruner(objectives, epochs, pruner.front_loss, ends_early) if pruner.name == "pareto" else None
        )
        self._rungs = geometric_rungs(epochs, pruner.min_epochs) if self._pruner else ()
        self._running: dict[str, _Running] = {}
        self._seconds_a_trial: list[float] = []
        self._renewed_at = self._clock()
        self._shown_at = -_TICK_SECONDS

    def run(self) -> Ending:
        """Work until the study has its trials, gives up, or is interrupted."""
        try:
            while True:
                if self._is_interrupted():
                    return Ending.INTERRUPTED
                if len(self._running) < len(self._work.slots):
                    ending = self._ending()
                    if ending is not None:
                        return ending
                    self._fill_slots()
                self._listen()
                self._end_overdue()
                self._renew()
                self._show()
        except KeyError as error:
            if not self._is_deleted():
                raise
            raise StoreError(
                f"the study {self._work.study.name!r} was deleted from the storage while it ran"
            ) from error
        finally:
            self._give_back_running()

    def _is_deleted(self) -> bool:
        """Whether a person removed the study, in the dashboard for example."""
        return studies.find(self._work.store, self._work.study.name) is None

    def _ending(self) -> Ending | None:
        counts = patiently(self._count)
        if counts.failed > self._work.spec.max_failures:
            return Ending.TOO_MANY_FAILURES
        if counts.refused > self._work.spec.max_refusals:
            return Ending.TOO_MANY_REFUSALS
        # A confirmation replaces no training that failed: what it trains is chosen, not sampled.
        n_ended = counts.finished + (counts.failed if self._work.spec.confirms else 0)
        return Ending.DONE if n_ended >= self._work.spec.trials else None

    def _count(self) -> queue.Counts:
        return queue.count(self._work.store, self._study, self._work.study.study_id)

    # Starting trials

    def _fill_slots(self) -> None:
        for slot in self._work.slots:
            if slot.name not in self._running:
                leased = patiently(partial(self._lease, slot))
                if leased is None:
                    return
                self._start(slot, *leased)

    def _lease(self, slot: Slot) -> tuple[Lease, optuna.Trial] | None:
        work = self._work
        with work.store.exclusively():
            number = len(self._study.get_trials(deepcopy=False))
            self._study.sampler = make_sampler(work.spec.sampler, work.spec.seed, number)
            return queue.lease_next(
                work.store,
                self._study,
                work.study.study_id,
                work.spec.trials,
                work.worker_id,
                slot.name,
                only_waiting=work.spec.confirms is not None,
            )

    def _start(self, slot: Slot, lease: Lease, trial: optuna.Trial) -> None:
        work = self._work
        try:
            candidate = patiently(lambda: self._space.suggest(trial))
        except SpaceError as error:  # a user's own space: this trial is lost, the study goes on
            self._fail_unstarted(lease, trial, str(error))
            return
        task = TrialTask(
            number=lease.number,
            spec=work.spec.as_json(),
            candidate=candidate,
            dataset=work.dataset,
            slot=slot,
            seed=trial_seed(work.spec.seed, lease.number, is_confirmation=work.spec.confirms is not None),
            rungs=self._rungs,
            model_path=str(self._models.partial_path(lease.number)),
            measures_latency=any(o.measure.name == "latency_seconds" for o in self._standing.objectives.values()),
            log_folder=str(work.out / "tensorboard" / f"trial-{lease.number}")
            if work.spec.training.tensorboard
            else "",
        )
        child = self._launcher.start(self._trains, task, work.out / "logs" / f"trial-{lease.number}.log")
        self._running[slot.name] = _Running(lease, trial, candidate, slot, child, self._clock())

    def _fail_unstarted(self, lease: Lease, trial: optuna.Trial, reason: str) -> None:
        patiently(
            lambda: queue.finish(
                self._work.store,
                self._study,
                lease,
                trial,
                Outcome.FAILED,
                values=None,
                constraints=None,
                measurements={},
                reason=reason,
                model_path="",
            )
        )
        self._view.say(describe_outcome(lease.number, Outcome.FAILED, "", reason))

    # Listening to trials

    def _listen(self) -> None:
        """Handle what has come in, or wait a moment for it."""
        by_connection = {running.child.connection: running for running in self._running.values()}
        if not by_connection:
            self._wait_for_others()
            return
        for ready in wait(list(by_connection), timeout=_TICK_SECONDS):
            running = by_connection[ready]  # type: ignore[index]
            try:
                message = receive(running.child.connection)
            except (EOFError, OSError):
                self._end_vanished(running)
            except BrokenMessageError as error:
                self._end_broken(running, error)
            else:
                self._handle_safely(running, message)

    def _handle_safely(self, running: _Running, message: Message) -> None:
        try:
            self._handle(running, message)
        except (BrokenPipeError, ConnectionResetError):
            self._end_vanished(running)
        except BrokenMessageError as error:
            self._end_broken(running, error)

    def _wait_for_others(self) -> None:
        """All remaining trials run elsewhere: wait, and take over what is lost there."""
        time.sleep(_TICK_SECONDS)
        self._sweep()

    def _handle(self, running: _Running, message: Message) -> None:
        running.measurements |= message.measurements
        if message.kind == "built":
            self._judge_cost(running)
        elif message.kind == "epoch" and message.epoch:
            self._judge_epoch(running, _read_epoch(message.epoch))
        elif message.kind == "trained" and running.curve:
            self._judge_end(running)
        elif message.kind == "kept":
            self._complete(running, str(self._models.publish(running.lease.number)))
        elif message.kind == "failed":
            running.child.reap()
            self._end_without_result(running, message.reason)
        else:
            raise BrokenMessageError(f"{message.kind!r} is not expected here")

    def _judge_cost(self, running: _Running) -> None:
        """Refuse before training what breaks a limit that is known already."""
        refusal = self._standing.refusal(running.measurements)
        answer(running.child.connection, go_on=not refusal)
        if refusal:
            running.child.reap()
            self._finish(running, Outcome.REFUSED, reason=refusal)

    def _judge_epoch(self, running: _Running, epoch: Epoch) -> None:
        running.curve.append(epoch)
        running.other_slots_busy.append(len(self._running) - 1)
        if epoch.epoch in self._rungs and self._pruner:
            finished = patiently(self._history.finished)
            verdict = self._pruner.judge(running.curve, running.measurements, finished)
            answer(running.child.connection, go_on=verdict.goes_on)  # first: the child waits for it
            running.stop_reason = verdict.reason
        if not patiently(lambda: curves.append(self._work.store, running.lease, epoch)):
            running.child.kill()
            self._free(running)
            self._say_refused(running)

    def _judge_end(self, running: _Running) -> None:
        accuracy = max(epoch.accuracy for epoch in running.curve)
        running.measurements.setdefault(self._work.spec.accuracy_measure, accuracy)
        running.measurements["load_average"] = load_average()
        running.measurements["other_slots_busy"] = float(np.mean(running.other_slots_busy))
        running.measurements["trial_seconds"] = self._clock() - running.started_at
        if running.stop_reason:
            answer(running.child.connection, go_on=False)
            running.child.reap()
            self._finish(running, Outcome.PRUNED, reason=running.stop_reason)
            return
        missing = self._standing.unmeasured(running.measurements)
        if missing:
            running.child.kill()
            reason = f"{missing} cannot be measured on this machine: choose another measure for that objective"
            self._finish(running, Outcome.FAILED, reason=reason)
            return
        running.is_trained = True
        is_kept = patiently(lambda: self._standing.is_on_front(running.measurements))
        answer(running.child.connection, go_on=is_kept)
        if not is_kept:
            self._complete(running, "")

    # Ending trials

    def _complete(self, running: _Running, model_path: str, reason: str = "") -> None:
        running.child.reap()
        reason = reason or self._standing.violation(running.measurements)
        self._finish(running, Outcome.COMPLETE, reason=reason, model_path=model_path)
        patiently(lambda: self._models.drop(self._standing.beaten()))

    def _end_vanished(self, running: _Running) -> None:
        """The trial process is gone without a last word."""
        self._end_without_result(running, describe_exit(running.child.reap()))

    def _end_without_result(self, running: _Running, why: str) -> None:
        """Failed; but what died only while it saved its model was trained and measured."""
        if running.is_trained:
            self._complete(running, "", reason=f"complete, but its model was not kept: {why}")
        else:
            self._finish(running, Outcome.FAILED, reason=why)

    def _end_broken(self, running: _Running, error: BrokenMessageError) -> None:
        running.child.kill()
        self._finish(running, Outcome.FAILED, reason=f"its process sent what cannot be read: {error}")

    def _end_overdue(self) -> None:
        limit = self._work.spec.training.time_limit
        for running in list(self._running.values()):
            if self._clock() - running.started_at > limit:
                running.child.kill()
                epochs = f"{len(running.curve)} of {self._work.spec.training.epochs} epochs"
                reason = f"not finished within training.time_limit = {limit:g} s ({epochs} done)"
                self._end_without_result(running, reason)

    def _finish(self, running: _Running, outcome: Outcome, *, reason: str = "", model_path: str = "") -> None:
        """Free the slot and record the outcome; what comes after the lease was lost is refused."""
        self._free(running)
        is_complete = outcome is Outcome.COMPLETE
        is_recorded = patiently(
            lambda: queue.finish(
                self._work.store,
                self._study,
                running.lease,
                running.trial,
                outcome,
                values=self._standing.values(running.measurements) if is_complete else None,
                constraints=self._standing.constraints(running.measurements) if outcome is not Outcome.FAILED else None,
                measurements=running.measurements,
                reason=reason,
                model_path=model_path,
            )
        )
        if outcome in (Outcome.COMPLETE, Outcome.PRUNED):
            self._seconds_a_trial.append(self._clock() - running.started_at)
        if is_recorded:
            self._view.say(describe_outcome(running.lease.number, outcome, self._shown_values(running), reason))
        else:
            self._say_refused(running)

    def _free(self, running: _Running) -> None:
        del self._running[running.slot.name]
        self._models.drop_partial(running.lease.number)

    def _say_refused(self, running: _Running) -> None:
        self._view.say(f"trial {running.lease.number}: result refused, another worker has taken the trial over")

    def _give_back_running(self) -> None:
        for running in self._running.values():  # all of them, before a write to the store can fail
            running.child.kill()
        for running in list(self._running.values()):
            if not self._is_deleted():
                self._finish(running, Outcome.RETURNED, reason="interrupted")

    # Staying alive, and being watched

    def _renew(self) -> None:
        if self._clock() - self._renewed_at >= _RENEW_SECONDS:
            numbers = [running.lease.number for running in self._running.values()]
            patiently(lambda: queue.renew(self._work.store, self._work.worker_id, numbers))
            self._sweep()
            self._renewed_at = self._clock()

    def _sweep(self) -> None:
        for number in patiently(lambda: queue.sweep(self._work.store, self._study, self._work.study.study_id)):
            self._view.say(f"trial {number}: its worker was lost; back in the queue")

    def _shown_values(self, running: _Running) -> str:
        shown = [
            format_quantity(running.measurements[objective.measure.name], objective.measure.unit)
            for objective in self._standing.objectives.values()
            if objective.measure.name in running.measurements
        ]
        return ", ".join(shown)

    def _show(self) -> None:
        if self._clock() - self._shown_at >= _TICK_SECONDS:
            self._view.show(patiently(self._snapshot))
            self._shown_at = self._clock()

    def _snapshot(self) -> Snapshot:
        counts = self._count()
        remaining = max(self._work.spec.trials - counts.finished, 0)
        seconds = self._seconds_a_trial
        mean = sum(seconds) / len(seconds) if seconds else None
        return Snapshot(
            study=self._work.study.name,
            n_trials=self._work.spec.trials,
            epochs=self._work.spec.training.epochs,
            counts=counts,
            slots=[self._slot_state(slot) for slot in self._work.slots],
            objectives=self._standing.objectives,
            front=self._standing.front(),
            seconds_left=None if mean is None else remaining * mean / len(self._work.slots),
        )

    def _slot_state(self, slot: Slot) -> SlotState:
        running = self._running.get(slot.name)
        if running is None:
            return SlotState(slot.name)
        curve = running.curve
        best = max((epoch.accuracy for epoch in curve), default=None)
        return SlotState(
            slot.name, running.lease.number, running.candidate.summary(running.trial.params), len(curve), best
        )


def _read_epoch(fields: Mapping[str, Any]) -> Epoch:
    try:
        return Epoch(**fields)
    except TypeError as error:
        raise BrokenMessageError(str(error)) from error


def describe_outcome(number: int, outcome: Outcome, values: str, reason: str) -> str:
    """One line for a log: what became of a trial."""
    parts = [part for part in (values if outcome is Outcome.COMPLETE else "", reason) if part]
    return f"trial {number}: {outcome.value}" + (f": {'; '.join(parts)}" if parts else "")
