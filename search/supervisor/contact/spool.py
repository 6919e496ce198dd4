"""The results that wait until the store can be told: a JSON file of each in the results folder, its model beside it.

The store may be away, or the files of a result may still be on their way to the artifacts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.system.links import refuse_link
from tunefront.storage.files import replace_file


class Spool:
    """The results that wait in one folder, those that an earlier supervisor left there too.

    Files are written to the disk for good before :meth:`add` returns, so that even a power cut loses none. Where a file
    cannot be written, because the disk is full, its result waits in this process alone.

    """

    def __init__(self, folder: Path, models: KeptModels) -> None:
        self._problems: list[str] = []
        self._folder = folder
        self._models = models
        self._waiting: dict[str, TrialResult] = {}
        self._unreadable: set[Path] = set()  # each is told once
        refuse_link(folder)
        self._read_new(lambda _: True)

    def __len__(self) -> int:
        return len(self._waiting)

    def results(self) -> list[TrialResult]:
        """Return the results that wait, those that came first first."""
        return list(self._waiting.values())

    def take_problems(self) -> list[str]:
        """Return a line for each file that could not be written or read since the last call."""
        problems, self._problems = self._problems, []
        return problems

    def add(self, result: TrialResult) -> None:
        """Keep a result until it is removed."""
        self._waiting[result.name] = result
        try:
            refuse_link(self._folder)
            self._folder.mkdir(exist_ok=True)
            if result.model_path:
                self._models.move_out(result.lease.number, self._folder / result.name)
            replace_file(self._folder / f"{result.name}.json", result.as_text(), is_durable=True)
        except OSError as error:
            self._problems.append(f"{self._folder / result.name}.json cannot be written: {error.strerror}")

    def read_left(self, workers: Collection[str]) -> None:
        """Let the results wait here too that these workers, which have ended, have left in the folder since."""
        self._read_new(lambda result: result.lease.worker_id in workers)

    def model_files(self, result: TrialResult) -> dict[str, Path]:
        """Return the files of a result's model by their endings; empty if it has none."""
        return self._models.files(result.lease.number, self._folder / result.name) if result.model_path else {}

    def bring_model_back(self, result: TrialResult) -> None:
        """Put the model of a result where kept models are; nothing if it is there already."""
        self._models.move_in(result.lease.number, self._folder / result.name)

    def remove(self, result: TrialResult) -> None:
        """Forget a result, with what is left of its model beside it."""
        del self._waiting[result.name]
        if not self._folder.is_dir():  # it could not be made
            return
        for path in (*self._folder.glob(f"{result.name}.model.*"), self._folder / f"{result.name}.json"):
            path.unlink(missing_ok=True)

    def _read_new(self, is_wanted: Callable[[TrialResult], bool]) -> None:
        for path in sorted(self._folder.glob("trial-*-attempt-*.json")):
            if path.stem in self._waiting or path in self._unreadable or path.name.endswith(".model.json"):  # a card
                continue
            try:
                refuse_link(path)
                result = TrialResult.of_text(path.read_text(encoding="utf-8"))
            except FileNotFoundError:  # its supervisor has delivered it
                continue
            except (OSError, ValueError, TypeError, KeyError) as error:
                self._unreadable.add(path)
                self._problems.append(f"{path} is left as it is, because it cannot be read: {error}")
            else:
                if is_wanted(result):
                    self._waiting[result.name] = result
