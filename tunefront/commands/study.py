"""The commands `run`, `confirm` and `delete`: the life of a study."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunefront.commands.options import (
    ArtifactsOption,
    DataRootOption,
    JsonOption,
    OutOption,
    OwnCodeOption,
    SlotsOption,
    SlotsPerGpuOption,
    StorageOption,
)
from tunefront.commands.screen.spinner import at_work
from tunefront.commands.session import (
    announce_code,
    line_teller,
    publish_run,
    results_folder,
    run_here,
    run_on_ray,
    say_end,
    say_end_of_study,
    trust_in,
)
from tunefront.commands.terminal import UserError, say, writable_folder
from tunefront.study import DEFAULT_STORAGE, find_study

if TYPE_CHECKING:
    from tunefront.ray_runner import RayWish
    from tunefront.search.launching.gpu_shares import PerGpu


def run(
    spec: Annotated[Path, typer.Argument(help="Study spec, a TOML file. Start from examples/digits.toml.")],
    storage: StorageOption = DEFAULT_STORAGE,
    slots: SlotsOption = None,
    slots_per_gpu: SlotsPerGpuOption = "",
    trials: Annotated[
        int | None, typer.Option(min=1, max=10_000_000, help="Trials of the study, instead of what the spec says.")
    ] = None,
    out: OutOption = None,
    artifacts: ArtifactsOption = "",
    ray: Annotated[
        str,
        typer.Option(
            metavar="auto|HOST:PORT",
            help="Run the trials by workers on this Ray cluster, as many as --slots says.",
            show_default=False,
        ),
    ] = "",
    gpus_per_worker: Annotated[
        float, typer.Option(min=0, max=64, help="With --ray: GPUs of each worker; 0.5 lets two share one.")
    ] = 0,
    cpus_per_worker: Annotated[
        int, typer.Option(min=1, max=1024, help="With --ray: CPU cores of each worker, and threads of its trial.")
    ] = 1,
    data_root: DataRootOption = None,
    allow_own_code: OwnCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a study, or go on with it, and write its report.

    Interrupted with Ctrl-C, it keeps everything; the same command goes on. Started on several
    machines with one shared --storage, they work on the study together; with --artifacts their models
    lie in one place. With --ray the trials run on the nodes of a Ray cluster, and end with this command.
    """
    from tunefront.runner import loading_keras

    wish = _ray_wish(ray, storage, slots, gpus_per_worker, cpus_per_worker, out, data_root or [], allow_own_code)
    per_gpu = _slots_per_gpu(slots_per_gpu, slots, is_on_ray=wish is not None)
    # Nothing takes longer than Keras, which Ray's nodes load themselves.
    with loading_keras() if wish is None else contextlib.nullcontext() as launcher:
        with at_work("reading the spec"):
            from tunefront.search.fleet.filled_in import check_filled_in
            from tunefront.search.fleet.named_files import approve_written
            from tunefront.search.spec.file import read_spec
            from tunefront.search.spec.stored_spec import stored_spec_in

        study_spec = read_spec(spec, stored_spec_in(storage), line_teller(as_json), trials=trials)
        folder = writable_folder(out or Path("results") / study_spec.name)
        check_filled_in(spec, study_spec)
        announce_code(study_spec, as_json)
        approve_written(spec, artifacts)
        if wish is not None:
            ending, console = run_on_ray(study_spec, spec, storage, wish, as_json, artifacts)
        else:
            ending, console = run_here(
                study_spec, spec, storage, slots, folder, as_json, None, artifacts, launcher, per_gpu
            )
    published = publish_run(ending, storage, study_spec.name, folder, as_json)
    say_end(ending, study_spec, storage, folder, console)
    if published is not None and not as_json:
        say_end_of_study(published, storage, f"tunefront confirm {study_spec.name}", "tunefront dashboard")


def _ray_wish(
    ray: str,
    storage: str,
    n_workers: int | None,
    n_gpus: float,
    n_cpus: int,
    out: Path | None,
    roots: list[Path],
    allows_own_code: bool,
) -> RayWish | None:
    """Return what is asked of a Ray cluster; None without one.

    Raises:
        UserError, SharedStorageError: If it cannot be had.
    """
    if not ray:
        if n_gpus or n_cpus != 1 or roots or allows_own_code:
            raise UserError(
                "--gpus-per-worker, --cpus-per-worker, --data-root and --allow-own-code are for workers on a cluster: "
                "add --ray auto, or leave them out"
            )
        return None
    from tunefront.ray_runner import RayWish as Wish
    from tunefront.search.fleet.shared_storage import address_for_workers

    address_for_workers(storage)  # a mistake in it does not wait for the spec
    if n_gpus > 1 and n_gpus != int(n_gpus):
        raise UserError(f"--gpus-per-worker {n_gpus:g}: give a whole number, or a fraction below 1")
    options = [f"--data-root={root.expanduser().resolve()}" for root in roots]
    return Wish(ray, n_workers or 1, n_gpus, n_cpus, out, options + ["--allow-own-code"] * allows_own_code)


def _slots_per_gpu(text: str, n_slots: int | None, *, is_on_ray: bool) -> PerGpu | None:
    """Return how many trials each GPU of this machine is to run at a time; None if nothing is said.

    Raises:
        UserError, GpuShareError: If that cannot be had.
    """
    if not text:
        return None
    if is_on_ray:
        raise UserError(
            f"--slots-per-gpu {text} divides the GPUs of this machine, and Ray decides where workers run: "
            "--gpus-per-worker 0.5 lets two share one"
        )
    from tunefront.search.launching.gpu_shares import read_slots_per_gpu

    return read_slots_per_gpu(text, n_slots)


def confirm(
    study: Annotated[str, typer.Argument(help="Name of the search; 'tunefront status' lists them.")],
    seeds: Annotated[
        int,
        typer.Option(min=2, max=1000, help="Trainings of each model, each with its own seed; two are sure of nothing."),
    ] = 5,
    near: Annotated[
        int | None,
        typer.Option(
            min=0, max=1_000_000, help="Near misses at most.  [default: half as many as are on the front, at least 2]"
        ),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    slots: Annotated[
        int,
        typer.Option(
            "--slots",
            "--workers",
            min=1,
            max=4096,
            help="Trainings at a time on this machine; with more than one, times are shared.",
        ),
    ] = 1,
    out: OutOption = None,
    data_root: DataRootOption = None,
    allow_own_code: OwnCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a search's front and its near misses again, several seeds each, and score them on the test images.

    A near miss is a trial that noise alone may have kept off the front: with an accuracy two standard errors
    higher, or one of its measured costs 10 % lower, nothing on the front would beat it.

    The trainings are a study of their own, STUDY.confirmation. Interrupted with Ctrl-C, it keeps everything;
    the same command goes on, and with more --seeds or after more trials of the search it adds what is missing.
    """
    with at_work("reading the storage"):
        from tunefront.search.confirmation.candidates_again import read_stored_spec
        from tunefront.search.confirmation.plan import plan_confirmation
        from tunefront.search.system.links import refuse_links
        from tunefront.storage import folder_owner
        from tunefront.storage.artifacts.study_artifacts import artifacts_of

        search = find_study(storage, study)
        spec = read_stored_spec(search.record)
        trust_in(data_root, allow_own_code).check(search, spec)
        artifacts = artifacts_of(search)
    folder = writable_folder(out or Path("results") / study)
    folder_owner.check_owner(folder, search.record, study)
    refuse_links(folder)
    announce_code(spec, as_json)
    with at_work("choosing what to train again"):
        plan = plan_confirmation(search, seeds, near)
    say(plan.describe(slots), sys.stderr if as_json else sys.stdout)
    ending, console = run_here(
        plan.spec,
        Path(study),
        storage,
        slots,
        folder / "confirmation",
        as_json,
        enqueue=plan.enqueue,
        artifacts=artifacts.address if artifacts is not None else "",
    )
    published = publish_run(ending, storage, study, folder, as_json)
    say_end(ending, plan.spec, storage, folder / "confirmation", console)
    if published is not None and not as_json:
        say_end_of_study(published, storage, f"tunefront deploy {study}", "tunefront dashboard")


def delete(
    study: Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")],
    results: Annotated[bool, typer.Option("--results", help="Remove the files of its results folder too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    storage: StorageOption = DEFAULT_STORAGE,
    out: OutOption = None,
) -> None:
    """Delete a study, and its confirmation, from the storage; with --results also the files that it wrote.

    It says what goes, and asks. Only models, logs and reports of the study are removed, and links are not followed. A
    study that is being worked on is not deleted.
    """
    from tunefront.reports.deletion import plan_deletion
    from tunefront.search.supervisor.contact.local_workers import ended_workers

    doomed = find_study(storage, study, is_writer=True)
    deletion = plan_deletion(doomed, out or results_folder(doomed.record), results)
    ended = [worker for one in deletion.doomed for worker in ended_workers(one)]
    deletion.check(ended)  # `carry_out` checks again; this check avoids a question whose answer could not be followed
    say(deletion.describe())
    if not yes:
        _ask()
    problems = deletion.carry_out(ended)
    say(f"deleted {' and '.join(one.name for one in deletion.doomed)}")
    if problems:
        raise UserError("these files could not be removed:\n  " + "\n  ".join(problems))


def _ask() -> None:
    """Ask a person whether to go on, and leave the command unless the answer is yes."""
    if not sys.stdin.isatty():
        raise UserError("nothing was deleted: there is nobody to ask here. Add --yes")
    if not typer.confirm("Delete this for good?"):
        say("nothing was deleted")
        raise typer.Exit(1)
