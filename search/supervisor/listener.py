"""The messages of trial processes, and the answers to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from tunefront.objectives.measures import MEASURES
from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.launching.machine import load_average
from tunefront.search.pruning.verdict import GO_ON
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.contact.contact import Contact
from tunefront.search.supervisor.finisher import Finisher
from tunefront.search.supervisor.judge import Judge
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.live_front import LiveFront
from tunefront.search.supervisor.model_card import model_card
from tunefront.search.supervisor.population.population import Population
from tunefront.search.supervisor.running_trial import RunningTrial, RunningTrials
from tunefront.search.trial.messages import BrokenMessageError, Message, NotFiniteError, answer, receive
from tunefront.storage.answers import Answers
from tunefront.storage.attempts import Progress
from tunefront.storage.curves import Epoch
from tunefront.storage.outcomes import Outcome
from tunefront.storage.trials import DEVICE_KINDS, SLOTS_ON_GPU


class Listener:
    """The listener to the trials on one supervisor's slots.

    Args:
        running: The supervisor's running trials, from which a trial that ends is removed.
        n_busy: Returns how many slots of this machine run a trial.
    """

    def __init__(
        self,
        assignment: Assignment,
        judge: Judge,
        live_front: LiveFront,
        models: KeptModels,
        finisher: Finisher,
        running: RunningTrials,
        contact: Contact,
        checkpoints: StudyCheckpoints,
        population: Population | None,
        say: Callable[[str], None],
        is_interrupted: Callable[[], bool],
        n_busy: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self._assignment = assignment
        self._judge = judge
        self._live_front = live_front
        self._models = models
        self._finisher = finisher
        self._running = running
        self._contact = contact
        self._checkpoints = checkpoints
        self._population = population
        self._say = say
        self._is_interrupted = is_interrupted
        self._n_busy = n_busy
        self._clock = clock

    def listen(self, ready: Collection[Connection]) -> None:
        """Handle the messages that have come in on those of these connections that are of trials of this supervisor."""
        by_connection = self._running.by_connection()
        for connection in ready:
            running = by_connection.get(connection)
            if running is None:
                continue
            try:
                message = receive(running.child.connection)
            except (EOFError, OSError):
                self._end_vanished(running)
            except BrokenMessageError as error:
                self._finisher.end_broken(running, error)
            except NotFiniteError as error:
                self._finisher.end_not_finite(running, error)
            else:
                self._handle_safely(running, message)

    def _handle_safely(self, running: RunningTrial, message: Message) -> None:
        try:
            self._handle(running, message)
        except (BrokenPipeError, ConnectionResetError):
            self._end_vanished(running)
        except BrokenMessageError as error:
            self._finisher.end_broken(running, error)

    def _end_vanished(self, running: RunningTrial) -> None:
        """End a trial whose process has disappeared, unless by a signal that went to this process too.

        `timeout`, systemd and others send SIGTERM to a whole group. The trial then goes back to the queue as others do.
        """
        running.child.reap()
        if not self._is_interrupted():
            self._finisher.end_vanished(running)

    def _handle(self, running: RunningTrial, message: Message) -> None:
        running.measurements |= message.measurements
        if message.kind == "built":
            self._judge_cost(running)
        elif message.kind == "epoch" and message.epoch:
            self._judge_epoch(running, _read_epoch(message.epoch))
        elif message.kind == "checkpoint" and message.epoch:
            running.checkpoint_epochs = int(message.epoch.get("n_epochs", 0))
            self._finisher.note_checkpoint(running)
            self._note(running)
        elif message.kind == "checkpoint" and message.reason:
            self._say(f"trial {running.lease.number} trains on without a checkpoint: {message.reason}")
        elif message.kind == "turn" and message.epoch:
            self._end_turn(running, int(message.epoch.get("epoch", 0)))
        elif message.kind == "resumed" and message.epoch:
            self._resume(running, int(message.epoch.get("epoch", 0)), message.reason)
        elif message.kind == "trained" and running.curve:
            running.answers, running.takes_next = _read_answers(message.answers), message.takes_next
            self._judge_end(running)
        elif message.kind == "kept":
            running.answers = running.answers or _read_answers(message.answers)
            self._keep(running)
        elif message.kind == "failed":
            running.child.reap()
            self._finisher.end_without_result(running, message.reason)
        else:
            raise BrokenMessageError(f"{message.kind!r} is not expected here")

    def _resume(self, running: RunningTrial, epoch: int, reason: str) -> None:
        """Note what a trial really goes on from: a checkpoint may have been torn, or of other versions."""
        header = self._checkpoints.newest(running.lease.number, epoch) if epoch else None
        progress = Progress(epoch, header.n_epochs if header is not None else epoch)
        running.resume(progress, header.seconds if header else 0.0, header.devices if header else ())
        how = f"goes on after epoch {epoch} of {running.candidate.epochs}" if epoch else "begins anew"
        if self._population is None or reason:  # members of a population go on all the time
            self._say(f"trial {running.lease.number} {how}{f': {reason}' if reason else ''}")
        self._note(running)

    def _keep(self, running: RunningTrial) -> None:
        try:
            path = self._models.publish(running.lease.number, model_card(self._assignment, running))
        except OSError as error:  # such as a full disk, which costs the model alone
            running.child.reap()
            self._finisher.end_without_result(running, str(error))
        else:
            self._finisher.complete(running, str(path))

    def _judge_cost(self, running: RunningTrial) -> None:
        """Refuse a trial before training if it breaks a limit of a known cost."""
        refusal = self._live_front.refusal(running.measurements)
        answer(running.child.connection, go_on=not refusal)
        if refusal:
            running.child.reap()
            self._finisher.finish(running, Outcome.REFUSED, reason=refusal)

    def _judge_epoch(self, running: RunningTrial, epoch: Epoch) -> None:
        running.curve.append(epoch)
        running.other_slots_busy.append(self._n_busy() - 1)
        if epoch.epoch in self._judge.rungs_of(running.candidate):
            verdict = self._contact.ask_or(lambda: self._judge.judge(running), GO_ON)
            answer(running.child.connection, go_on=verdict.goes_on)  # answered first, because the child waits
            running.stop_reason, running.stop_brief = verdict.reason, verdict.brief
            running.violations = verdict.violations
        self._note(running)

    def _end_turn(self, running: RunningTrial, epoch: int) -> None:
        """Let a member of a population go on, or wait for another turn. While the store is away, it goes on."""
        population, number = self._population, running.lease.number
        if population is None:
            raise BrokenMessageError("'turn' is not expected here")
        kept = population.keep_turn(number, epoch)
        goes_on = self._contact.ask_or(lambda: population.goes_on(number, epoch), True)
        answer(running.child.connection, go_on=goes_on)
        if goes_on and kept is not None:
            self._finisher.note_turn(running, *kept)
        if not goes_on:
            running.child.reap()
            self._finisher.finish(running, Outcome.PAUSED, reason=f"its turn was over after epoch {epoch}")

    def note_missed(self) -> None:
        """Tell the store of the epochs and checkpoints that came while it was away."""
        for running in self._running:
            if not running.is_noted:
                self._note(running)

    def _note(self, running: RunningTrial) -> None:
        is_held = self._contact.ask_or(lambda: self._judge.note(running), True)
        if not is_held:
            self._finisher.end_taken_over(running)

    def _judge_end(self, running: RunningTrial) -> None:
        measure = MEASURES[self._assignment.spec.accuracy_measure]
        running.measurements.setdefault(measure.name, measure.best(epoch.accuracy for epoch in running.curve))
        running.measurements["load_average"] = load_average()
        running.measurements["other_slots_busy"] = float(np.mean(running.other_slots_busy or [self._n_busy() - 1]))
        running.measurements["trial_seconds"] = running.seconds(self._clock())
        if len(running.devices) > 1:
            running.measurements[DEVICE_KINDS] = float(len(running.devices))
        if running.slot.share is not None:
            running.measurements[SLOTS_ON_GPU] = float(running.slot.share.n_slots)
        if running.stop_reason:
            answer(running.child.connection, go_on=False)
            running.child.reap()
            self._finisher.finish(running, Outcome.PRUNED, reason=running.stop_reason)
            return
        missing = self._live_front.unmeasured(running.measurements)
        if missing:
            running.child.kill()
            reason = f"{missing} cannot be measured on this machine: choose another measure"
            self._finisher.finish(running, Outcome.FAILED, reason=reason)
            return
        running.is_trained = True
        # While nobody can tell, the model is kept; it is dropped with the next one that is beaten.
        is_kept = self._contact.ask_or(lambda: self._live_front.is_on_front(running.measurements), True)
        answer(running.child.connection, go_on=is_kept)
        if not is_kept:
            self._finisher.complete(running, "")


def _read_epoch(fields: Mapping[str, Any]) -> Epoch:
    try:
        return Epoch(**fields)
    except TypeError as error:
        raise BrokenMessageError(str(error)) from error


def _read_answers(by_split: Mapping[str, Any]) -> dict[str, Answers]:
    try:
        return {split: Answers.of_fields(fields) for split, fields in by_split.items()}
    except TypeError as error:
        raise BrokenMessageError(str(error)) from error
