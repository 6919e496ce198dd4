"""The commands `pause`, `resume`, `stop`, `cancel` and `priority`: what a person wishes while workers run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tunefront.commands.options import StorageOption
from tunefront.commands.steering.person import this_person
from tunefront.commands.terminal import UserError, say, storage_argument
from tunefront.study import DEFAULT_STORAGE, find_study

if TYPE_CHECKING:
    from tunefront.storage.control.study_control import StudyControl

_HIGHEST_PRIORITY = 1_000_000
StudyArgument = Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")]


def pause(
    study: StudyArgument,
    now: Annotated[
        bool,
        typer.Option("--now", help="Give back the trials that run, too; they go on later from their checkpoints."),
    ] = False,
    storage: StorageOption = DEFAULT_STORAGE,
) -> None:
    """Start no more trials of a study, on any machine, until 'tunefront resume'.

    Trials that run go on to their end. A run whose study is paused waits.
    """
    from tunefront.storage.control import study_control
    from tunefront.storage.control.wishes import StudyWish

    found = find_study(storage, study, is_writer=True)
    control = study_control.read(found)
    if control.wish.of_study is StudyWish.STOPPED:
        again = f"tunefront resume {study}{storage_argument(storage)}"
        raise UserError(f"study {study!r} was stopped by {control.wish.by}: nothing runs. '{again}' opens it again")
    study_control.pause(found, this_person(), now=now)
    _say(control, "paused", storage, gives_back=now)


def resume(study: StudyArgument, storage: StorageOption = DEFAULT_STORAGE) -> None:
    """Go on with a study that was paused, or open one that was stopped."""
    from tunefront.search.supervisor.notes import forget_ending
    from tunefront.storage.control import study_control
    from tunefront.storage.control.wishes import StudyWish
    from tunefront.storage.studies import workers_at_work

    found = find_study(storage, study, is_writer=True)
    control = study_control.read(found)
    if control.wish.of_study is StudyWish.OPEN:
        say(f"{study}: neither paused nor stopped")
        return
    forget_ending(found)
    study_control.resume(found, this_person())
    n_workers = len(workers_at_work(found))
    if n_workers:
        say(f"{study}: open again; {n_workers} worker{'s go' if n_workers > 1 else ' goes'} on with it within seconds")
    else:
        how = "any 'tunefront work'" if control.is_submitted else "the 'tunefront run' command that started it"
        say(f"{study}: open again; no worker is at it now: {how} goes on with it")


def stop(
    study: Annotated[str | None, typer.Argument(help="Name of the study; 'tunefront status' lists them.")] = None,
    worker: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of a worker to end instead; 'tunefront status' lists them."),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
) -> None:
    """End a study on all machines, or with --worker one worker. Nothing is lost.

    The study is over; its trials that run are given back to the queue, with their checkpoints, and 'tunefront resume'
    opens it again. A worker that is told to end gives its trials back, which go on elsewhere.
    """
    from tunefront.search.supervisor.notes import note_stopped
    from tunefront.storage.control import study_control
    from tunefront.storage.control.processes import drain_worker
    from tunefront.storage.database.connection import open_store

    if (study is None) == (worker is None):
        raise UserError("name either a study, or with --worker a worker: 'tunefront status' lists both")
    if worker is not None:
        open_store(storage)  # a reader makes no database where there is none, and says what is missing
        process = drain_worker(open_store(storage, is_writer=True), worker, this_person())
        say(f"worker {process.name}, process {process.pid} on {process.host_name}: it gives its trials back and ends")
        return
    assert study is not None
    found = find_study(storage, study, is_writer=True)
    control = study_control.read(found)
    study_control.stop(found, this_person())
    note_stopped(found)
    _say(control, "stopped", storage, gives_back=True)


def cancel(
    study: StudyArgument,
    trial: Annotated[int, typer.Argument(help="Number of the trial.", min=0)],
    storage: StorageOption = DEFAULT_STORAGE,
) -> None:
    """Cancel one trial of a study: it ends at once, and is not tried again.

    A cancelled trial is not among the study's finished trials: another one takes its place.
    """
    from tunefront.storage.control.cancellation import cancel as cancel_trial

    has_ended = cancel_trial(find_study(storage, study, is_writer=True), trial, this_person())
    say(
        f"trial {trial} of {study}: " + ("cancelled" if has_ended else "it runs, and its worker ends it within seconds")
    )


priority = typer.Typer(add_completion=False, rich_markup_mode="markdown")


# Without this setting a priority below 0 would be taken for an option.
@priority.command("priority", context_settings={"ignore_unknown_options": True})
def set_priority(
    study: StudyArgument,
    number: Annotated[
        int,
        typer.Argument(
            metavar="N", min=-_HIGHEST_PRIORITY, max=_HIGHEST_PRIORITY, help="Higher is first; a new study has 0."
        ),
    ],
    storage: StorageOption = DEFAULT_STORAGE,
) -> None:
    """Give a study a priority among those that workers choose from. Trials that run go on to their end."""
    from tunefront.storage.control import study_control

    found = find_study(storage, study, is_writer=True)
    study_control.set_priority(found, number)
    others = [each for each in study_control.open_studies(found.store) if each.name != study]
    before = sum(each.priority > number for each in others)
    what = "study" if len(others) == 1 else "studies"
    text = f"; of {len(others)} other open {what} {before} come{'s' * (before == 1)} before it"
    say(f"{study}: priority {number}" + (text if others else ""))


def _say(control: StudyControl, what: str, storage: str, *, gives_back: bool) -> None:
    n = control.n_running
    running = "1 trial that runs" if n == 1 else f"{n} trials that run"
    fate = "given back within seconds" if gives_back else "trained to the end"
    told = f"{running} {'is' if n == 1 else 'are'} {fate}. " if n else ""
    say(f"{control.name}: {what}. {told}Go on with: tunefront resume {control.name}{storage_argument(storage)}")
