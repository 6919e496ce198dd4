"""Running a study on this machine, from Python and from the commands."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunefront.study import ARTIFACTS_VARIABLE, Study, StudyError, default_storage

if TYPE_CHECKING:
    from rich.console import Console

    from tunefront.search.launching.fork_server import Launcher
    from tunefront.search.launching.gpu_shares import PerGpu
    from tunefront.search.spec.study_spec import StudySpec
    from tunefront.search.supervisor.end_reason import Ending
    from tunefront.storage.open_study import OpenStudy


def run(
    spec: str | Path | Mapping[str, Any],
    *,
    storage: str | None = None,
    trials: int | None = None,
    slots: int | None = None,
    out: str | Path | None = None,
    artifacts: str | Path | None = None,
) -> Study:
    """Run a study on this machine, or go on with it, and write its report.

    Progress is printed on standard error; a notebook shows it below its cell. A script needs no
    ``if __name__ == "__main__":`` around it. Interrupted, it keeps everything; the same call goes on.

    Args:
        spec: A TOML file, or a dictionary of the same keys, whose tables are dictionaries.
        storage: A database URL (default: ``TUNEFRONT_STORAGE``, or ``sqlite:///tunefront.db``).
        trials: The study's number of trials, in place of the spec's.
        slots: Trials at a time (default: one for each GPU, else as many as the CPU can run well).
        out: The folder for models, logs and report (default: ``results/NAME``).
        artifacts: A folder or ``s3://BUCKET/PREFIX`` where the models and logs of all machines lie together (default:
            ``TUNEFRONT_ARTIFACTS``, or where they are already).

    Returns:
        The study; after Ctrl-C in a notebook, with the trials so far.

    Raises:
        TunefrontError: If the spec, the data or the storage cannot be used; the message names the remedy.
        StudyError: If the study stopped because too many trials failed or were refused.
        KeyboardInterrupt: After Ctrl-C in a script, once everything is stored; in a notebook only if there is no study
            yet.
    """
    from rich.console import Console

    from tunefront.notebook import in_notebook, quiet_imports

    quiet_imports()
    from tunefront.search.fleet.filled_in import check_filled_in
    from tunefront.search.fleet.named_files import approve_written
    from tunefront.search.preparation.own_code import code_of, describe_code
    from tunefront.search.spec.file import place_of_spec, read_spec
    from tunefront.search.spec.stored_spec import stored_spec_in
    from tunefront.search.supervisor.end_reason import Ending
    from tunefront.storage.database.passwords import password_warning

    url, source = storage or default_storage(), spec if isinstance(spec, Mapping) else Path(spec)
    # What a notebook shows of standard error looks like a mistake, and colours would be saved as control characters.
    console = Console(force_jupyter=False, color_system=None) if in_notebook() else Console(stderr=True)
    tell = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    if warning := password_warning(url):
        tell(f"warning: {warning}")
    find_stored = stored_spec_in(url)
    study_spec = read_spec(source, find_stored, tell, trials=trials)
    check_filled_in(source, study_spec)
    folder = Path(out or Path("results") / study_spec.name)
    if code := code_of(study_spec):
        tell(describe_code(code))
    try:
        place = str(artifacts) if artifacts is not None else os.environ.get(ARTIFACTS_VARIABLE, "")
        approve_written(source, place)
        ending = run_spec(study_spec, place_of_spec(source), url, slots, folder, console, artifacts=place)
    except KeyboardInterrupt:  # while Keras was loaded or the data prepared; later the supervisor ends in order
        if not in_notebook() or find_stored(study_spec.name) is None:
            raise
        ending = Ending.INTERRUPTED
    study = Study(study_spec.name, url)
    page: Path | None = None
    try:
        page = study.report(folder)
    except Exception as error:
        if ending is not Ending.INTERRUPTED or not is_out_of_reach(error):
            raise
        tell(describe_no_report(study.name))
    if ending is Ending.INTERRUPTED:
        if not in_notebook():
            raise KeyboardInterrupt
        tell("Interrupted; every finished trial is kept. This is the study so far: run this cell again, and it goes on")
    if ending in (Ending.TOO_MANY_FAILURES, Ending.TOO_MANY_REFUSALS):
        raise StudyError(f"study {study.name!r} stopped, because too many of its trials could not be used: see {page}")
    if in_notebook() and page is not None:
        tell(f"report: {page}")
    return study


def is_out_of_reach(error: BaseException) -> bool:
    """Return whether an error of a storage that a run had open says that it cannot be reached any more."""
    from tunefront.storage.database.locks import StoreError
    from tunefront.storage.database.patience import is_away

    return isinstance(error, StoreError) or is_away(error)


def describe_no_report(name: str) -> str:
    """Return a line on a run that was interrupted while its storage was away."""
    return f"the storage is away, so there is no report now: 'tunefront report {name}' writes it later"


@contextlib.contextmanager
def loading_keras() -> Iterator[Launcher]:
    """Yield a starter of trials whose fork server begins to load Keras now.

    Raises:
        BackendError: If Keras cannot be loaded.
    """
    import tempfile

    from tunefront.search.launching.fork_server import Launcher
    from tunefront.search.system.backend import check_backend

    check_backend()
    with tempfile.TemporaryDirectory(prefix="tunefront-") as name:
        launcher = Launcher(Path(name) / "forkserver.log")
        launcher.load()
        yield launcher


def run_spec(
    spec: StudySpec,
    path: Path | str,
    storage: str,
    slots: int | None,
    folder: Path,
    console: Console,
    enqueue: Callable[[OpenStudy], None] | None = None,
    artifacts: str = "",
    launcher: Launcher | None = None,
    per_gpu: PerGpu | None = None,
) -> Ending:
    """Run a study on this machine until it ends, with the view that fits the console.

    Args:
        path: The spec's file, or what messages call the spec.
        artifacts, per_gpu: See :class:`RunRequest`.
        launcher: The starter of trials, if it is loading Keras already.
    """
    import tempfile

    from tunefront.commands.screen.views import make_view
    from tunefront.search.preparation.prepare import check_files
    from tunefront.search.spec.file import check_own_space
    from tunefront.storage.artifacts.address import open_artifacts

    if artifacts:
        open_artifacts(artifacts).prepare()  # a mistake in it does not wait for Keras
    check_own_space(path, spec)
    check_files(path, spec.data)
    with tempfile.TemporaryDirectory(prefix="tunefront-") as name, contextlib.ExitStack() as loading:
        scratch = Path(name)
        # Keras takes many seconds to load, so everything else is imported meanwhile, also what the report needs.
        launcher = launcher or loading.enter_context(loading_keras())
        view = make_view(console)
        try:
            view.progress(f"loading Keras and preparing {spec.data.source}", 0, 1)

            from tunefront.reports.publish import get_ready
            from tunefront.search.fleet.run import RunRequest, run_study
            from tunefront.storage.database.connection import load_tables

            get_ready()
            load_tables()
            request = RunRequest(spec, path, storage, slots, folder, launcher, scratch, enqueue, artifacts, per_gpu)
            return run_study(request, view)
        finally:
            view.close()
