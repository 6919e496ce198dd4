"""Functions that several commands share: finding a study, running one, telling its end, writing its report."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tunefront.commands.screen.spinner import at_work
from tunefront.commands.terminal import (
    UserError,
    command_again,
    make_console,
    say,
    say_written,
    show,
    show_json,
    storage_argument,
    suggest,
    tell,
)
from tunefront.study import find_study

if TYPE_CHECKING:
    from rich.console import Console

    from tunefront.ray_runner import RayWish
    from tunefront.reports.publish import Published
    from tunefront.search.fleet.unfit import Trust
    from tunefront.search.launching.asker import Asker
    from tunefront.search.launching.fork_server import Launcher
    from tunefront.search.launching.gpu_shares import PerGpu
    from tunefront.search.spec.study_spec import StudySpec
    from tunefront.search.supervisor.end_reason import CommonReason, Ending
    from tunefront.storage.open_study import OpenStudy, StudyRecord


def read_checked_spec(path: Path, tell: Callable[[str], None] = lambda line: None) -> StudySpec:
    """Read a spec, and check its data as far as a second allows, so that mistakes are found before Keras loads."""
    from tunefront.search.preparation.prepare import check_files
    from tunefront.search.spec.file import read_spec

    spec = read_spec(path, tell=tell)
    check_files(path, spec.data)
    if spec.pretrain is not None:
        check_files(path, spec.pretrain.data)
    return spec


def run_here(
    spec: StudySpec,
    path: Path,
    storage: str,
    slots: int | None,
    folder: Path,
    as_json: bool,
    enqueue: Callable[[OpenStudy], None] | None = None,
    artifacts: str = "",
    launcher: Launcher | None = None,
    per_gpu: PerGpu | None = None,
) -> tuple[Ending, Console]:
    """Run a study on this machine until it ends; with `as_json`, standard output is left to programs."""
    from tunefront.runner import run_spec

    console = make_console(stderr=as_json)
    with interrupted_early(storage, as_json):
        return run_spec(spec, path, storage, slots, folder, console, enqueue, artifacts, launcher, per_gpu), console


def run_on_ray(
    spec: StudySpec, path: Path, storage: str, wish: RayWish, as_json: bool, artifacts: str
) -> tuple[Ending, Console]:
    """Run a study by workers on a Ray cluster until it ends; with `as_json`, standard output is left to programs."""
    from tunefront.ray_runner import run_spec_on_ray

    console = make_console(stderr=as_json)
    with interrupted_early(storage, as_json):
        return run_spec_on_ray(spec, path, storage, wish, console, artifacts), console


def trust_in(roots: list[Path] | None, allows_own_code: bool) -> Trust:
    """Return what specs from the storage may name, by the options --data-root and --allow-own-code.

    Raises:
        UserError: If a root is no folder.
        ApprovalsError: If the user's approvals cannot be trusted.
    """
    from tunefront.approvals import read_approvals
    from tunefront.search.fleet.unfit import Trust
    from tunefront.search.system.regular_files import user_path

    roots = roots or []
    for root in roots:
        if not user_path(str(root)).is_dir():
            raise UserError(f"--data-root {root}: there is no such folder on this machine. Name one that has the data")
    read_approvals()  # a file that cannot be trusted is told at once
    return Trust([user_path(str(root)).resolve() for root in roots], allows_own_code, read_approvals)


def announce_code(spec: StudySpec, as_json: bool, *, has_space: bool = True) -> None:
    """Say which code of the user's own the command will run: that of the data and, with `has_space`, of the space."""
    from tunefront.search.preparation.own_code import code_of_data, code_of_space

    announce([*(code_of_space(spec) if has_space else []), *code_of_data(spec.data)], as_json)


def announce(code: list[str], as_json: bool) -> None:
    """Say which code of the user's own the command will run; says nothing if there is none."""
    from tunefront.search.preparation.own_code import describe_code

    if code:
        say(describe_code(code), sys.stderr if as_json else sys.stdout)


def line_teller(as_json: bool) -> Callable[[str], None]:
    """Return a function that prints lines for people; with `as_json` they go to stderr, beside the JSON on stdout."""

    def tell_line(line: str) -> None:
        say(line, sys.stderr if as_json else sys.stdout)

    return tell_line


@contextlib.contextmanager
def interrupted_early(
    storage: str, as_json: bool, what: str = "Interrupted before it began; nothing is lost."
) -> Iterator[None]:
    """Handle Ctrl-C before the first trial, after which the supervisor handles it, or where there are no trials."""
    try:
        yield
    except KeyboardInterrupt:
        again = f"\n{what} Start again with:\n  {command_again(storage)}"
        say(again, sys.stderr if as_json else sys.stdout)
        raise typer.Exit(130) from None


def say_end(ending: Ending, spec: StudySpec, storage: str, folder: Path, console: Console) -> None:
    """Say how to go on, and exit with the matching code, if the study does not have all its trials."""
    from tunefront.search.supervisor.end_reason import describe_stop

    status, resume = (f"tunefront {name} {spec.name}{storage_argument(storage)}" for name in ("status", "resume"))
    reason = _common_reason(ending, spec, storage)
    stop = describe_stop(ending, spec, command_again(storage), status, resume, folder / "logs", reason)
    if stop.text:
        tell(console, f"\n{stop.text}")
    if stop.exit_code:
        raise typer.Exit(stop.exit_code)


def _common_reason(ending: Ending, spec: StudySpec, storage: str) -> CommonReason | None:
    """Return why most trials failed or were refused, if that stopped the study; else None."""
    from tunefront.reports.study_results import load_results
    from tunefront.search.supervisor.end_reason import CommonReason
    from tunefront.search.supervisor.end_reason import Ending as Endings

    state = {Endings.TOO_MANY_FAILURES: "failed", Endings.TOO_MANY_REFUSALS: "refused"}.get(ending)
    results = load_results(find_study(storage, spec.name)) if state else None
    groups = results.reasons(state) if results and state else []
    if results is None or state is None or not groups:
        return None
    return CommonReason(groups[0].text, len(groups[0].numbers), results.counts[state], results.n_finished)


@contextlib.contextmanager
def command_asker() -> Iterator[Asker]:
    """Yield a child process with Keras for one command; its progress is shown on stderr."""
    from tunefront.search.launching.asker import make_asker

    with shown_progress() as progress, make_asker(progress) as asker:
        yield asker


@contextlib.contextmanager
def shown_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows the progress of a long task on stderr."""
    from tunefront.commands.screen.views import make_view

    view = make_view(make_console(stderr=True))
    try:
        yield view.progress
    finally:
        view.close()


def results_folder(study: StudyRecord) -> Path:
    """Return the folder of a study's results without --out; a confirmation's lies in that of its search.

    Raises:
        UserError: If the storage names a search that leads elsewhere.
    """
    search = study.spec.get("confirms")
    if search and (os.sep in search or search.startswith(".")):
        raise UserError(
            f"study {study.name}: its spec in the storage has confirms = {search!r}, which is no study's name"
        )
    return Path("results") / search / "confirmation" if search else Path("results") / study.name


def publish_report(study: OpenStudy, folder: Path, as_json: bool, *, has_images: bool = False) -> Published:
    """Write a study's report into a folder, and say what was written, with `as_json` as JSON."""
    with at_work("writing the report"):
        from tunefront.reports.publish import publish

        published = publish(study, folder, has_images=has_images)
    if as_json:
        show_json(published.as_json())
        return published
    for table in published.tables():
        show(table)
    say_written(published.files.paths)
    return published


def publish_run(ending: Ending, storage: str, name: str, folder: Path, as_json: bool) -> Published | None:
    """Write the report of a run that has ended; None, and a line, if it was interrupted while the storage is away."""
    from tunefront.runner import describe_no_report, is_out_of_reach
    from tunefront.search.supervisor.end_reason import Ending as Endings

    try:
        return publish_report(find_study(storage, name), folder, as_json)
    except (Exception, KeyboardInterrupt) as error:  # a person does not wait for a server that does not answer
        if ending is not Endings.INTERRUPTED or not (isinstance(error, KeyboardInterrupt) or is_out_of_reach(error)):
            raise
    say(describe_no_report(name), sys.stderr if as_json else sys.stdout)
    return None


def say_end_of_study(published: Published, storage: str, *steps: str) -> None:
    """Say which model to take, as `tunefront select` does, and what to do next.

    Args:
        steps: Commands to suggest before the last one, which opens the report.
    """
    from tunefront.commands.screen.verdict import say_verdict
    from tunefront.reports.selection.options import find_options
    from tunefront.reports.selection.selection import choose
    from tunefront.reports.selection.sentences import describe_no_choice

    options = find_options(published.results, published.confirmation)
    choice = choose(options)
    say("")
    if choice is None:
        say(describe_no_choice(options, []))
    else:
        say_verdict(choice, published.files.report_html.parent)
    suggest(
        *(f"{step}{storage_argument(storage)}" for step in (steps if choice is not None else ())),
        f"open {published.files.report_html}",
    )


def step_to_page(study: str, folder: Path, storage: str, out: Path | None) -> str:
    """Return the command that opens a study's report, or writes it if it is not in the folder."""
    if (folder / "report.html").is_file():
        return f"open {folder / 'report.html'}"
    where = f" --out {shlex.quote(str(out))}" if out is not None else ""
    return f"tunefront report {study}{where}{storage_argument(storage)}"
