"""The checkpoints of a study's trials in its results folder, as its supervisor sees them: it never loads one."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.checkpoints.trial_folder import folder_of, newest_whole, remove_checkpoints
from tunefront.search.system.links import refuse_link
from tunefront.storage.attempts import Attempt, Lease, Progress, attempts_in


@dataclass(frozen=True)
class StudyCheckpoints:
    """The checkpoints of one study's trials.

    Attributes:
        out: The study's results folder.
        are_times_compared: Whether a trial goes on only on the kind of device that it began on, because its times are
            compared with those of others.
        attempts_at: Returns the attempts at a trial that the store has, in order.
    """

    out: Path
    are_times_compared: bool
    attempts_at: Callable[[int], Sequence[Attempt]]

    def folder(self, number: int) -> Path:
        """Return the folder where a trial's process writes its checkpoints.

        Raises:
            OSError: If it is a link.
        """
        folder = folder_of(self.out, number)
        refuse_link(folder.parent)
        refuse_link(folder)
        return folder

    def newest(self, number: int, at_most: int) -> CheckpointHeader | None:
        """Return the newest whole checkpoint of a trial that is not after the epoch `at_most`; None without one."""
        with contextlib.suppress(OSError):  # what cannot be read is as good as torn
            return newest_whole(folder_of(self.out, number), at_most)
        return None

    def progress(self, device: str, number: int, n_epochs: int) -> Progress:
        """Return what a trial can go on from.

        Args:
            device: The kind of device that it would go on.
            n_epochs: The epochs that the store has of it.
        """
        found = self.newest(number, n_epochs)
        if found is not None:
            parts = attempts_in(self.attempts_at(number))
            while found is not None and not is_of(parts, found):
                found = self.newest(number, found.epoch - 1)
        if found is None or (self.are_times_compared and set(found.devices) != {device}):
            return Progress()
        return Progress(found.epoch, found.n_epochs)

    def why_anew(self, device: str, lease: Lease) -> str:
        """Return a line on why a trial that has checkpoints here begins anew; empty if it does not."""
        found = self.newest(lease.number, sys.maxsize) if lease.attempt > 1 and not lease.resumed_from else None
        if found is None or not self.are_times_compared or set(found.devices) == {device}:
            return ""
        began = " and ".join(found.devices)
        return (
            f"trial {lease.number} begins anew, because times are compared: it began on {began}, and this is {device}"
        )

    def numbers(self) -> list[int]:
        """Return the numbers of the trials that have a folder."""
        found = (path.name.removeprefix("trial-") for path in (self.out / "checkpoints").glob("trial-*"))
        return sorted(int(number) for number in found if number.isdigit())

    def drop(self, numbers: Collection[int]) -> None:
        """Remove the checkpoints of trials that have ended."""
        for number in numbers:
            with contextlib.suppress(OSError):  # the next run on this folder tries again
                remove_checkpoints(folder_of(self.out, number))

    def remove_empty(self) -> None:
        """Remove the folder of them all if none is left."""
        with contextlib.suppress(OSError):  # it is not empty, or not there
            (self.out / "checkpoints").rmdir()


def is_of(parts: Sequence[Attempt], header: CheckpointHeader) -> bool:
    """Return whether a checkpoint is of the training whose epochs the store has.

    It is not if its trial began anew, or went on from an earlier checkpoint, on a machine that did not have this one.

    Args:
        parts: The attempts that the training consists of.
    """
    ends = [part.resumed_epochs for part in parts[1:]]
    limits = {part.attempt: end for part, end in zip(parts, [*ends, sys.maxsize], strict=True)}
    return not header.attempt or header.n_epochs <= limits.get(header.attempt, -1)
