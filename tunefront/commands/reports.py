"""The commands `status`, `report` and `dashboard`, which show how studies stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tunefront.commands.options import JsonOption, OutOption, StorageOption
from tunefront.commands.screen.spinner import at_work
from tunefront.commands.session import publish_report, results_folder
from tunefront.commands.terminal import UserError, show, show_json, suggest, writable_folder
from tunefront.study import DEFAULT_STORAGE, find_study

if TYPE_CHECKING:
    from tunefront.reports.status import StudiesOverview, StudyStatus


def status(
    study: Annotated[str | None, typer.Argument(help="Name of a study; all of them if left out.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it anew every few seconds, until the study is over or Ctrl-C.")
    ] = False,
    storage: StorageOption = DEFAULT_STORAGE,
    as_json: JsonOption = False,
) -> None:
    """Tell how studies stand: trials by state, why trials were stopped or failed, what runs now, the front."""
    if watch and as_json:
        raise UserError("--watch is for people and --json for programs: leave one of them out")
    with at_work("reading the storage"):
        standing = _read_status(study, storage)
    if watch:
        from tunefront.commands.screen.watch import watch_status

        standing = watch_status(standing, lambda: _read_status(study, storage))
    if as_json:
        show_json(standing.as_json())
    else:
        show(standing.render())


def _read_status(study: str | None, storage: str) -> StudiesOverview | StudyStatus:
    from tunefront.reports.status import studies_overview, study_status
    from tunefront.storage.database.connection import open_store

    if study is None:
        return studies_overview(open_store(storage))
    return study_status(find_study(storage, study))


def report(
    study: Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")],
    storage: StorageOption = DEFAULT_STORAGE,
    out: OutOption = None,
    images: Annotated[
        bool,
        typer.Option(
            "--images",
            help="Show the images that each model of the front gets most wrong. Without it no report has an image of "
            "your data, because reports are sent on.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a study's report: report.html, front.md, front.csv, trials.csv and importance.csv."""
    with at_work("reading the storage"):
        found = find_study(storage, study)
    folder = writable_folder(out or results_folder(found.record))
    publish_report(found, folder, as_json, has_images=images)
    if not as_json:
        suggest(f"open {folder / 'report.html'}")


def dashboard(
    storage: StorageOption = DEFAULT_STORAGE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
    allow_remote: Annotated[
        bool,
        typer.Option(
            "--allow-remote",
            help="Allow a --host that others can reach, to those who have the link with a token that is printed. The "
            "dashboard can delete studies, and nothing is encrypted on its way.",
        ),
    ] = False,
) -> None:
    """Show studies in a browser: each as a page that follows it, and optuna-dashboard over the same storage."""
    with at_work("loading the dashboard"):
        from tunefront.reports.dashboard.dashboard import serve
        from tunefront.storage.database.connection import has_studies, open_store

    if not has_studies(storage):
        open_store(storage)  # raises an error that says what is missing
    serve(open_store(storage, is_writer=True), host=host, port=port, allow_remote=allow_remote)
