"""The checkpoints of one trial: the one from which it goes on, and those that it writes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tunefront.search.checkpoints.checkpoint_file import CheckpointContent, opened_checkpoint, write_checkpoint
from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.checkpoints.trial_folder import newest_whole, remove_older, remove_others
from tunefront.search.models.file_size import variable_bytes
from tunefront.search.trial.resumption.random_states import random_states, set_random_states
from tunefront.search.trial.resumption.variables import (
    described,
    restore_variables,
    variable_arrays,
    variable_groups,
)
from tunefront.search.trial.resumption.write_times import WriteTimes
from tunefront.search.trial.stages.change import enter_epoch
from tunefront.search.trial.trainable import Trainable

_FIRST = "first/"  # before the names of the first fold's arrays, in checkpoints of later folds


class TrialCheckpoints:
    """The checkpoints of one trial, which may train several folds one after another.

    Args:
        folder: Its folder; None neither reads nor writes any.
        identity: What the training is; a checkpoint of another one is not read.
        device: The kind of device that trains.
        memory: Returns the peak of memory in this process so far; None if nothing tells it.
        tell: Called with the header of each checkpoint that was written.
        tell_problem: Called with the reason why a checkpoint was not written, unless the one before was not either.
        turns: The epochs after which one is written in any case, and it is asked whether the trial goes on.
        goes_on: Called with the header of such a checkpoint; False ends the training there.
        began: When this process began, on the clock.

    Attributes:
        resumed: The header of the checkpoint from which the trial goes on; None if it begins anew.
        reason: Why it does not go on from the epoch that was wanted; empty if it does.
        finished: Facts of the training of each fold that has ended, as JSON data.
        is_paused: Whether the training ends after the last checkpoint, to go on from it another time.
    """

    def __init__(
        self,
        folder: Path | None = None,
        identity: Mapping[str, str] | None = None,
        *,
        device: str = "",
        attempt: int = 1,
        memory: Callable[[], float | None] = lambda: None,
        tell: Callable[[CheckpointHeader], None] = lambda header: None,
        tell_problem: Callable[[str], None] = lambda reason: None,
        turns: Collection[int] = (),
        goes_on: Callable[[CheckpointHeader], bool] = lambda header: True,
        began: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._identity = identity or {}
        self._device = device
        self._attempt = attempt
        self._memory = memory
        self._tell = tell
        self._tell_problem = tell_problem
        self._has_problem = False
        self._turns = turns
        self._goes_on = goes_on
        self.is_paused = False
        self._clock = clock
        self._began = clock() if began is None else began
        self.resumed: CheckpointHeader | None = None
        self.reason = ""
        self.finished: list[Mapping[str, Any]] = []
        self._state: Mapping[str, Any] = {}
        self._first: Trainable | None = None
        self._n_epochs = 0
        self._last_of_first = 0
        self._times: WriteTimes | None = None

    def resume(self, wanted: int, trainable: Trainable) -> None:
        """Find the newest whole checkpoint that is not after the epoch `wanted`; all other ones are removed.

        With `wanted` 0, or if there is none of this training, the trial begins anew.

        Args:
            trainable: The training of the first fold, as it was built. It becomes what it is after the epoch that was
                found, without the values of its variables.
        """
        if self._folder is None:
            self.reason = "no folder for checkpoints is given" if wanted else ""
            return
        found = newest_whole(self._folder, wanted) if wanted else None
        if wanted and found is None:
            self.reason = f"there is no whole checkpoint up to epoch {wanted}"
        if found is not None:
            with opened_checkpoint(self._folder, found) as content:
                state = content.state
            enter_epoch(trainable, found.epoch)
            self.reason = self._problem(found, state, trainable)
            if self.reason:
                enter_epoch(trainable, 1)
            else:
                self._go_on_from(found, state)
                self.reason = "" if found.epoch == wanted else f"the newest whole checkpoint is of epoch {found.epoch}"
        remove_others(self._folder, self.resumed)
        size = sum(variable_bytes(one) for group in variable_groups(trainable).values() for one in group)
        self._times = WriteTimes(size, self._clock)

    def _problem(self, found: CheckpointHeader, state: Mapping[str, Any], trainable: Trainable) -> str:
        difference = found.difference(self._identity)
        if not difference and state["variables"] != described(trainable):
            difference = "its variables are others"
        return difference and f"the checkpoint of epoch {found.epoch} is of another training: {difference}"

    def _go_on_from(self, found: CheckpointHeader, state: Mapping[str, Any]) -> None:
        self.resumed, self._state = found, state
        self.finished = list(state["finished"])
        self._n_epochs, self._last_of_first = found.n_epochs, found.epoch

    @property
    def peak_bytes(self) -> float | None:
        """The peak of memory over all attempts; None if nothing tells it."""
        before = self.resumed.peak_bytes if self.resumed else 0.0
        return max(self._memory() or 0.0, before) or None

    def state_of(self, fold: int) -> Mapping[str, Any]:
        """Return the state from which the training of a fold goes on; nothing if it begins or has ended."""
        return self._state if self._state and fold == len(self.finished) == self._state["fold"] else {}

    def restore(self, trainable: Trainable) -> list[NDArray[Any]]:
        """Give a training its variables, when it is compiled for the checkpoint's phase; return the stored weights.

        Random numbers that are drawn without a generator go on too.
        """
        with self._opened() as content:
            restore_variables(content, variable_groups(trainable))
            kept = [content.array(f"kept/{place}") for place in range(self._state["n_kept"])]
        set_random_states(self._state["random"])
        return kept

    def restore_first(self, trainable: Trainable) -> Mapping[str, Any]:
        """Give the first fold's training the variables with which it had ended; return the facts that were noted.

        It returns nothing, and changes nothing, if that training has not ended.
        """
        if not self.finished:
            return {}
        with self._opened() as content:
            restore_variables(content, variable_groups(trainable), _FIRST)
        self._first = trainable
        return self.finished[0]

    def finish(self, trainable: Trainable, facts: Mapping[str, Any]) -> None:
        """Note that the training of the next fold has ended; the first one's variables go into later checkpoints."""
        self._first = self._first or trainable
        self.finished.append(facts)

    def end_epoch(
        self, trainable: Trainable, epoch: int, state: Callable[[], Mapping[str, Any]], kept: Sequence[NDArray[Any]]
    ) -> None:
        """Write a checkpoint if one is due. One that cannot be written is named in the log, and costs nothing else.

        Args:
            epoch: The epoch that has ended, counted from 1 in this fold's training.
            state: Returns what is no variable, as JSON data.
            kept: The kept weights, unless they are the model's own now.
        """
        self._n_epochs += 1
        if not self.finished:
            self._last_of_first = epoch
        ends_turn = epoch in self._turns and not self.finished
        if self._folder is None or self._times is None or not (self._times.is_due() or ends_turn):
            return
        began, content = self._clock(), {**state(), "epoch": epoch}
        try:
            header = self._write(self._folder, trainable, content, kept)
        except OSError as error:
            sys.stderr.write(f"the checkpoint of epoch {epoch} was not written: {error}\n")
            if not self._has_problem:
                self._tell_problem(error.strerror or str(error))
            self._has_problem = True
        else:
            self._has_problem = False
            self._tell(header)
            self.is_paused = ends_turn and not content["is_over"] and not self._goes_on(header)
        self._times.note_write(began)

    def _write(
        self, folder: Path, trainable: Trainable, state: Mapping[str, Any], kept: Sequence[NDArray[Any]]
    ) -> CheckpointHeader:
        first = self._first if self.finished else None
        state = {
            **state,
            "fold": len(self.finished),
            "finished": self.finished,
            "n_kept": len(kept),
            "variables": described(first or trainable),
            "random": random_states(),
        }
        arrays = chain(
            variable_arrays(variable_groups(trainable)),
            ((f"kept/{place}", array) for place, array in enumerate(kept)),
            variable_arrays(variable_groups(first), _FIRST) if first else (),
        )
        header = write_checkpoint(folder, self._header(), state, arrays)
        remove_older(folder)
        return header

    def _opened(self) -> AbstractContextManager[CheckpointContent]:
        if self._folder is None or self.resumed is None:
            raise ValueError("there is no checkpoint to restore from")
        return opened_checkpoint(self._folder, self.resumed)

    def _header(self) -> CheckpointHeader:
        before = self.resumed or CheckpointHeader(0, 0, {})
        return CheckpointHeader(
            epoch=self._last_of_first,
            n_epochs=self._n_epochs,
            identity=self._identity,
            devices=tuple(dict.fromkeys((*before.devices, self._device))),
            peak_bytes=self.peak_bytes or 0.0,
            seconds=before.seconds + self._clock() - self._began,
            attempt=self._attempt,
        )
