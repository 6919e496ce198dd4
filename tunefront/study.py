"""Studies from Python: running one in a script or a notebook, and reading its results."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tunefront.mistakes import TunefrontError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from tunefront.reports.study_results import StudyResults
    from tunefront.search.spec.study_spec import StudySpec
    from tunefront.search.supervisor.end_reason import Ending
    from tunefront.storage.open_study import OpenStudy

DEFAULT_STORAGE = "sqlite:///tunefront.db"
STORAGE_VARIABLE = "TUNEFRONT_STORAGE"


class StudyError(TunefrontError):
    """A study does not exist, or ended without its trials."""


@dataclass(frozen=True)
class Study:
    """A study in a storage, read anew at every call.

    Attributes:
        storage: The URL of its database.
    """

    name: str
    storage: str = field(repr=False)  # the URL may have a password in it

    def front(self) -> pd.DataFrame:
        """Return the trials on the front, the most accurate first, in the columns of ``front.csv``."""
        from tunefront.reports.tables.frames import front_frame

        return front_frame(self._results())

    def trials(self) -> pd.DataFrame:
        """Return all trials in the order of their numbers, in the columns of ``trials.csv``."""
        from tunefront.reports.tables.frames import trials_frame

        return trials_frame(self._results())

    def report(self, out: str | Path | None = None) -> Path:
        """Write the report into a folder (default: ``results/NAME``), and return the path of its page."""
        from tunefront.reports.publish import publish

        return publish(self._open(), Path(out or Path("results") / self.name)).files.report_html

    def _open(self) -> OpenStudy:
        return find_study(self.storage, self.name)

    def _results(self) -> StudyResults:
        from tunefront.reports.study_results import load_results

        return load_results(self._open())


def run(
    spec: str | Path,
    *,
    storage: str | None = None,
    trials: int | None = None,
    slots: int | None = None,
    out: str | Path | None = None,
) -> Study:
    """Run a study on this machine, or go on with it, and write its report.

    Progress is printed on standard error. A script needs no ``if __name__ == "__main__":`` around it. Interrupted, it
    keeps everything; the same call goes on.

    Args:
        spec: A TOML file.
        storage: A database URL (default: ``TUNEFRONT_STORAGE``, or ``sqlite:///tunefront.db``).
        trials: The study's number of trials, in place of the spec's.
        slots: Trials at a time (default: one for each GPU, else as many as the CPU can run well).
        out: The folder for models, logs and report (default: ``results/NAME``).

    Raises:
        TunefrontError: If the spec, the data or the storage cannot be used; the message names the remedy.
        StudyError: If the study stopped because too many trials failed or were refused.
        KeyboardInterrupt: After Ctrl-C, once everything is stored.
    """
    from rich.console import Console

    from tunefront.search.spec.file import read_spec
    from tunefront.search.spec.stored_spec import stored_spec_in
    from tunefront.search.supervisor.end_reason import Ending

    url, path = storage or default_storage(), Path(spec)
    console = Console(stderr=True)
    study_spec = read_spec(path, stored_spec_in(url), partial(console.print, markup=False), trials=trials)
    folder = Path(out or Path("results") / study_spec.name)
    ending = run_spec(study_spec, path, url, slots, folder, console)
    study = Study(study_spec.name, url)
    page = study.report(folder)
    if ending == Ending.INTERRUPTED:
        raise KeyboardInterrupt
    if ending in (Ending.TOO_MANY_FAILURES, Ending.TOO_MANY_REFUSALS):
        raise StudyError(f"study {study.name!r} stopped, because too many of its trials could not be used: see {page}")
    return study


def load_study(name: str, *, storage: str | None = None) -> Study:
    """Return a study that was run before.

    Args:
        storage: A database URL (default: ``TUNEFRONT_STORAGE``, or ``sqlite:///tunefront.db``).

    Raises:
        StudyError: If the storage has no study of that name.
        StoreError: If the storage cannot be opened.
    """
    url = storage or default_storage()
    find_study(url, name)
    return Study(name, url)


def default_storage() -> str:
    """Return the storage that is used where none is named."""
    return os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE


def find_study(storage: str, name: str, *, is_writer: bool = False) -> OpenStudy:
    """Find a study, and open its storage: for reading, or as a writer.

    Raises:
        StudyError: If the storage has no study of that name; the message lists the studies that it has.
    """
    from tunefront.storage import studies
    from tunefront.storage.database.connection import open_store
    from tunefront.storage.database.passwords import masked
    from tunefront.storage.open_study import OpenStudy

    store = open_store(storage)
    found = studies.find(store, name)
    if found is None:
        known = ", ".join(study.name for study in studies.list_all(store)) or "none yet"
        raise StudyError(f"{masked(storage)} has no study {name!r}. It has: {known}")
    return OpenStudy(open_store(storage, is_writer=True), found.record) if is_writer else found


def run_spec(
    spec: StudySpec,
    path: Path,
    storage: str,
    slots: int | None,
    folder: Path,
    console: Console,
    enqueue: Callable[[OpenStudy], None] | None = None,
) -> Ending:
    """Run a study on this machine until it ends, with the view that fits the console."""
    import tempfile

    from tunefront.search.launching.fork_server import Launcher
    from tunefront.search.preparation.prepare import check_files
    from tunefront.search.spec.file import check_own_space

    check_own_space(path, spec)
    check_files(path, spec.data)
    with tempfile.TemporaryDirectory(prefix="tunefront-") as name:
        scratch = Path(name)
        launcher = Launcher(scratch / "forkserver.log")
        launcher.load()  # takes many seconds, so everything else is imported meanwhile, also what the report needs

        import tunefront.reports.publish  # noqa: F401
        from tunefront.commands.live_view import make_view
        from tunefront.search.supervisor.run import RunRequest, run_study

        view = make_view(console)
        request = RunRequest(spec, path, storage, slots, folder, launcher, scratch, enqueue)
        try:
            return run_study(request, view)
        finally:
            view.close()
