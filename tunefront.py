"""tunefront's commands. Each imports what it needs when it is called; only `run` loads Keras."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from storage import Store, StudyRecord

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Find which Keras image model to use when accuracy is not all that counts.\n\n"
    "**1.** `tunefront run examples/digits.toml` searches, and writes a report to `results/digits`.\n\n"
    "**2.** `tunefront status` tells how studies stand; `tunefront dashboard` shows trials in a browser.\n\n"
    "**3.** `tunefront report digits` writes the report again at any time, also while the study runs.",
)

StorageOption = Annotated[
    str,
    typer.Option(
        envvar="TUNEFRONT_STORAGE",
        help="Database of the studies, as an SQLAlchemy URL. A URL with a password belongs into the "
        "environment variable, not on the command line.",
    ),
]
OutOption = Annotated[Path | None, typer.Option(help="Folder for the results.  [default: results/STUDY]")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
_DEFAULT_STORAGE = "sqlite:///tunefront.db"


@app.command()
def run(
    spec: Annotated[Path, typer.Argument(help="Study spec, a TOML file. Start from examples/digits.toml.")],
    storage: StorageOption = _DEFAULT_STORAGE,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Trials at a time on this machine.  [default: one a GPU, or one a CPU core]"),
    ] = None,
    trials: Annotated[int | None, typer.Option(help="Trials of the study, instead of what the spec says.")] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a study, or go on with it, and write its report.

    Interrupted with Ctrl-C, it keeps everything; the same command goes on. Started on several
    machines with one shared --storage, they work on the study together.
    """
    import tempfile

    from search.launching import Launcher
    from search.spec import read_spec

    study_spec = read_spec(spec, trials=trials)
    folder = out or Path("results") / study_spec.name
    with tempfile.TemporaryDirectory(prefix="tunefront-") as name:
        scratch = Path(name)
        launcher = Launcher(scratch / "forkserver.log")
        launcher.load()  # takes many seconds: all else is imported meanwhile, also what the report needs

        from rich.console import Console

        import reports  # noqa: F401
        from search.progress import make_view
        from search.running import RunRequest, run_study
        from search.supervisor import Ending

        console = Console(stderr=as_json)
        view = make_view(console)
        try:
            ending = run_study(RunRequest(study_spec, spec, storage, workers, folder, launcher, scratch), view)
        finally:
            view.close()
    store, study = _find_study(storage, study_spec.name)
    _write_report(store, study, folder, as_json)
    if ending is Ending.DONE:
        _next(as_json, f"open {folder / 'report.html'}", f"tunefront dashboard{_storage_argument(storage)}")
        return
    again = " ".join(["tunefront", *sys.argv[1:]])
    if ending is Ending.INTERRUPTED:
        console.print(f"\nInterrupted; every finished trial is kept. Go on with:\n  {again}", highlight=False)
        raise typer.Exit(130)
    key = "max_failures" if ending is Ending.TOO_MANY_FAILURES else "max_refusals"
    console.print(
        f"\nThe study stopped: {ending.value}, more than {key} = {getattr(study_spec, key)}. Their reasons are above "
        f"and in 'tunefront status {study.name}', their output is in {folder / 'logs'}. "
        f"Change what causes them and give the study another name, or raise {key} and go on with:\n  {again}",
        highlight=False,
    )
    raise typer.Exit(1)


@app.command()
def status(
    study: Annotated[str | None, typer.Argument(help="Name of a study; all of them if left out.")] = None,
    storage: StorageOption = _DEFAULT_STORAGE,
    as_json: JsonOption = False,
) -> None:
    """Tell how studies stand: trials by state, reasons of failures, what runs now, the front."""
    from reports.status import studies_overview, study_status
    from storage import open_store

    if study is None:
        overview = studies_overview(open_store(storage))
        _print(overview.as_json() if as_json else overview.render(), as_json)
        return
    store, record = _find_study(storage, study)
    details = study_status(store, record)
    _print(details.as_json() if as_json else details.render(), as_json)


@app.command()
def report(
    study: Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")],
    storage: StorageOption = _DEFAULT_STORAGE,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a study's report: report.html, front.md, front.csv and trials.csv."""
    store, record = _find_study(storage, study)
    folder = out or Path("results") / study
    _write_report(store, record, folder, as_json)
    _next(as_json, f"open {folder / 'report.html'}")


@app.command()
def dashboard(
    storage: StorageOption = _DEFAULT_STORAGE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
    allow_remote: Annotated[
        bool,
        typer.Option(
            help="Allow a --host that others can reach. The dashboard asks for no password and can delete studies.",
        ),
    ] = False,
) -> None:
    """Watch trials in a browser: optuna-dashboard over the same storage, with the front as a figure."""
    from reports.dashboard import serve
    from storage import has_studies, open_store

    if not has_studies(storage):
        open_store(storage)  # says what is missing
    serve(open_store(storage, is_writer=True), host=host, port=port, allow_remote=allow_remote)


def main() -> None:
    """Entry point: a user's mistake ends with one message and exit code 2, without a traceback."""
    try:
        app()
    except _UserError as error:
        _fail(str(error))
    except Exception as error:
        # Matched by name, so that --help imports none of the packages that raise them.
        name = type(error).__name__
        if name in ("SpecError", "StoreError", "DashboardError"):
            _fail(str(error))
        if name in ("OperationalError", "InterfaceError", "StorageInternalError"):
            _fail(f"the storage was lost: {_last_cause(error)}. What was finished is kept: run the same command again")
        raise


class _UserError(Exception):
    """A mistake in a command's arguments."""


def _last_cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().splitlines()[0]


def _fail(message: str) -> NoReturn:
    print(f"tunefront: {message}", file=sys.stderr)
    raise SystemExit(2)


def _find_study(storage: str, name: str) -> tuple[Store, StudyRecord]:
    from storage import masked, open_store, studies

    store = open_store(storage)
    found = studies.find(store, name)
    if found is None:
        known = ", ".join(study.name for study in studies.list_all(store)) or "none yet"
        raise _UserError(f"{masked(storage)} has no study {name!r}. It has: {known}")
    return store, found


def _write_report(store: Store, study: StudyRecord, folder: Path, as_json: bool) -> None:
    from reports import front_frame, front_table, load_results, write_report

    results = load_results(store, study)
    files = write_report(results, folder)
    if as_json:
        front = json.loads(front_frame(results).to_json(orient="records"))
        _print({"study": study.name, "front": front, "files": [str(path) for path in files.paths]}, as_json)
        return
    _print(front_table(results), as_json)
    print("wrote " + ", ".join(str(path) for path in files.paths))


def _print(content: Any, as_json: bool) -> None:
    if as_json:
        print(json.dumps(content, indent=2))
        return
    from rich.console import Console

    Console().print(content)


def _next(as_json: bool, *steps: str) -> None:
    if not as_json:
        print("next: " + "\n      ".join(steps))


def _storage_argument(storage: str) -> str:
    """The option to repeat for another storage than the default; never one with a password."""
    from storage import masked

    if storage == _DEFAULT_STORAGE:
        return ""
    return f" --storage {storage}" if masked(storage) == storage else " (with TUNEFRONT_STORAGE set)"


if __name__ == "__main__":
    main()
