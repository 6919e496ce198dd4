"""The kept models: a ``.keras`` file for each trial on the front, and the files beside it.

A ``.json`` file says how to use the model; its answers to each example and a picture of the worst ones tell its errors.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunefront.search.system.links import refuse_link
from tunefront.storage import trials
from tunefront.storage.files import PREDICTIONS, WORST, replace_file, sync
from tunefront.storage.open_study import OpenStudy

_ERRORS = (PREDICTIONS, WORST)


@dataclass(frozen=True)
class KeptModels:
    """The models of one study on this machine."""

    study: OpenStudy
    folder: Path

    def partial_path(self, number: int) -> Path:
        """Return the path where a trial process saves; make its folder, and remove old files or links there.

        What tells the model's errors is saved beside it, under the same name with another ending.

        Raises:
            OSError: If the folder is a link.
        """
        refuse_link(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.drop_partial(number)
        return self._partial(number)

    def publish(self, number: int, card: Mapping[str, Any]) -> Path:
        """Give a wholly saved model its name, after its card (`model_card.py`) and the files that tell its errors.

        Raises:
            OSError: If that cannot be done; then nothing of this model is left under its name.
        """
        path, partial = self.folder / f"trial-{number}.keras", self._partial(number)
        refuse_link(partial)  # a link may stand in place of the saved model
        try:
            replace_file(path.with_suffix(".json"), json.dumps(card, indent=2) + "\n")
            for ending in _ERRORS:
                found = partial.with_suffix(ending)
                refuse_link(found)
                path.with_suffix(ending).unlink(missing_ok=True)  # of an earlier attempt
                if found.exists():
                    found.replace(path.with_suffix(ending))
            partial.replace(path)
        except OSError:
            for ending in (".json", *_ERRORS):
                with contextlib.suppress(OSError):  # a folder may stand there
                    path.with_suffix(ending).unlink()
            raise
        return path.resolve()

    def move_out(self, number: int, stem: Path) -> None:
        """Move a published model, with all that lies beside it, to files that begin with `stem`, for good."""
        for path in sorted(self.folder.glob(f"trial-{number}.*")):
            refuse_link(path)
            sync(path)
            path.replace(_with_ending(stem, f".model.{path.name.partition('.')[2]}"))

    def move_in(self, number: int, stem: Path) -> None:
        """Move back what :meth:`move_out` has moved, as far as it is there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        refuse_link(self.folder)
        for path in sorted(stem.parent.glob(f"{stem.name}.model.*")):
            refuse_link(path)
            with contextlib.suppress(FileNotFoundError):  # another supervisor of this folder delivers it too
                path.replace(self.folder / f"trial-{number}.{path.name.partition('.model.')[2]}")

    def files(self, number: int, stem: Path) -> dict[str, Path]:
        """Return the files of a published model by their endings, where :meth:`move_out` has moved them or not."""
        moved = {path.name.partition(".model.")[2]: path for path in stem.parent.glob(f"{stem.name}.model.*")}
        return moved or {path.name.partition(".")[2]: path for path in self.folder.glob(f"trial-{number}.*")}

    def drop_partial(self, number: int) -> None:
        """Remove a half-written model, and what is beside it, that a trial process may have left."""
        for ending in (".keras", *_ERRORS):
            self._partial(number).with_suffix(ending).unlink(missing_ok=True)

    def _partial(self, number: int) -> Path:
        return self.folder / f".partial-{number}.keras"

    def drop(self, beaten: Collection[int]) -> None:
        """Remove the models of beaten trials from this machine.

        Others stay, because a model without a complete trial may be one that another supervisor has saved and is
        about to record.
        """
        for path in self.folder.glob("trial-*.keras"):
            number = path.stem.removeprefix("trial-")
            if number.isdigit() and int(number) in beaten:
                # The store forgets it first: where a process ends in between, the next one finds the files and removes
                # them, and nobody looks for a model that is gone.
                trials.set_model_path(self.study, int(number), "")
                for ending in (".json", *_ERRORS, ".keras"):
                    path.with_suffix(ending).unlink(missing_ok=True)


def _with_ending(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)
