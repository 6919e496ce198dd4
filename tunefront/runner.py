"""Running a study on this machine, from Python and from the commands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tunefront.study import Study, StudyError, default_storage

if TYPE_CHECKING:
    from rich.console import Console

    from tunefront.search.spec.study_spec import StudySpec
    from tunefront.search.supervisor.end_reason import Ending
    from tunefront.storage.open_study import OpenStudy


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

    from tunefront.search.preparation.own_code import code_of, describe_code
    from tunefront.search.spec.file import read_spec
    from tunefront.search.spec.stored_spec import stored_spec_in
    from tunefront.search.supervisor.end_reason import Ending

    url, path = storage or default_storage(), Path(spec)
    console = Console(stderr=True)
    study_spec = read_spec(path, stored_spec_in(url), partial(console.print, markup=False), trials=trials)
    folder = Path(out or Path("results") / study_spec.name)
    if code := code_of(study_spec):
        console.print(describe_code(code), markup=False)
    ending = run_spec(study_spec, path, url, slots, folder, console)
    study = Study(study_spec.name, url)
    page = study.report(folder)
    if ending == Ending.INTERRUPTED:
        raise KeyboardInterrupt
    if ending in (Ending.TOO_MANY_FAILURES, Ending.TOO_MANY_REFUSALS):
        raise StudyError(f"study {study.name!r} stopped, because too many of its trials could not be used: see {page}")
    return study


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

    from tunefront.commands.screen.views import make_view
    from tunefront.search.launching.fork_server import Launcher
    from tunefront.search.preparation.prepare import check_files
    from tunefront.search.spec.file import check_own_space

    check_own_space(path, spec)
    check_files(path, spec.data)
    with tempfile.TemporaryDirectory(prefix="tunefront-") as name:
        scratch = Path(name)
        launcher = Launcher(scratch / "forkserver.log")
        launcher.load()  # takes many seconds, so everything else is imported meanwhile, also what the report needs
        view = make_view(console)
        try:
            view.progress(f"loading Keras and preparing {spec.data.source}", 0, 1)

            import tunefront.reports.publish  # noqa: F401
            from tunefront.search.supervisor.run import RunRequest, run_study

            return run_study(RunRequest(spec, path, storage, slots, folder, launcher, scratch, enqueue), view)
        finally:
            view.close()
