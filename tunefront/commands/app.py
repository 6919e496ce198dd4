"""tunefront's commands. Each imports what it needs when it is called; only `run` loads Keras."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunefront.commands.terminal import (
    DEFAULT_STORAGE,
    Commands,
    UserError,
    command_again,
    make_console,
    mistakes_explained,
    say,
    show,
    show_json,
    storage_argument,
    suggest,
    tell,
    writable_folder,
)

if TYPE_CHECKING:
    from rich.console import Console

    from tunefront.reports.status import StudiesOverview, StudyStatus
    from tunefront.search.launching.asker import Asker
    from tunefront.search.spec.study_spec import StudySpec
    from tunefront.search.supervisor.end_reason import CommonReason
    from tunefront.search.supervisor.supervisor import Ending
    from tunefront.storage import Store, StudyRecord

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Find which Keras image model to use when accuracy is not all that counts.\n\n"
    "**1.** `tunefront data examples/digits.toml` shows the images, `tunefront profile` what models weigh.\n\n"
    "**2.** `tunefront run examples/digits.toml` searches, and writes a report to `results/digits`.\n\n"
    "**3.** `tunefront status` tells how studies stand; `tunefront dashboard` shows trials in a browser.\n\n"
    "**4.** `tunefront report digits` writes the report again at any time, also while the study runs.\n\n"
    "**5.** `tunefront confirm digits` trains its front again with other seeds, and scores it on the test images.\n\n"
    "**6.** `tunefront delete digits` removes a study, with `--results` also its files.",
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
WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, max=4096, help="Trials at a time on this machine.  [default: one a GPU, or one a CPU core]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
_ANSWERED = "The last two are answered by the nearest recorded candidate that was not tried yet."


@app.command()
def run(
    spec: Annotated[Path, typer.Argument(help="Study spec, a TOML file. Start from examples/digits.toml.")],
    storage: StorageOption = DEFAULT_STORAGE,
    workers: WorkersOption = None,
    trials: Annotated[
        int | None, typer.Option(min=1, max=10_000_000, help="Trials of the study, instead of what the spec says.")
    ] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a study, or go on with it, and write its report.

    Interrupted with Ctrl-C, it keeps everything; the same command goes on. Started on several
    machines with one shared --storage, they work on the study together.
    """
    from tunefront.search.spec.stored_spec import stored_spec_in
    from tunefront.search.spec.study_spec import read_spec

    study_spec = read_spec(spec, stored_spec_in(storage), _teller(as_json), trials=trials)
    folder = writable_folder(out or Path("results") / study_spec.name)
    _announce_code(study_spec, as_json)
    ending, console = _run(study_spec, spec, storage, workers, folder, as_json)
    store, study = _find_study(storage, study_spec.name)
    _report(store, study, folder, as_json)
    _end(ending, study_spec, storage, folder, console)
    if not as_json:
        suggest(f"open {folder / 'report.html'}", f"tunefront dashboard{storage_argument(storage)}")


@app.command()
def data(
    spec: Annotated[
        str | None, typer.Argument(help="Study spec, a TOML file; or the word export and then a spec.")
    ] = None,
    exported_spec: Annotated[str | None, typer.Argument(metavar="[SPEC]", help="The spec after export.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for what is written.  [default: results/STUDY/data]")] = None,
    cache: Annotated[
        bool, typer.Option("--cache", help="List the prepared data of this machine: sizes, whose, when used last.")
    ] = False,
    prune: Annotated[
        float | None,
        typer.Option(metavar="DAYS", min=0, help="With --cache: remove what was not used for so many days."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at a study's images before anything is trained: counts, sizes, duplicates, a contact sheet.

    They are prepared as the study will use them. `tunefront data export SPEC` writes them as TFRecords.
    `tunefront data --cache` lists what was prepared, `--cache --prune 30` removes what nobody used for 30 days.
    """
    if cache or prune is not None:
        if spec is not None or out is not None or not cache:
            raise UserError("data --cache [--prune DAYS] is about all prepared data: leave out spec and --out")
        _show_cache(prune, as_json)
        return
    if spec is None:
        raise UserError("data needs a spec, such as examples/digits.toml, or --cache")
    is_export = spec == "export" and exported_spec is not None
    if exported_spec is not None and not is_export:
        raise UserError(f"data takes one spec, and got {spec} and {exported_spec}")
    path = Path(exported_spec or spec)
    if is_export:
        _export_data(path, out, as_json)
    else:
        _inspect_data(path, out, as_json)


def _show_cache(unused_days: float | None, as_json: bool) -> None:
    from tunefront.commands.cache_table import cache_table, describe_bytes, entry_as_json
    from tunefront.search.data.cache_entries import list_cache
    from tunefront.search.data.cache_entries import prune as prune_cache
    from tunefront.search.data.cache_folder import cache_folder

    folder = cache_folder()
    pruned = None if unused_days is None else prune_cache(folder, unused_days * 86400)
    entries = list_cache(folder)
    if as_json:
        found: dict[str, object] = {"folder": str(folder), "entries": [entry_as_json(entry) for entry in entries]}
        if pruned:
            found["removed"] = [entry_as_json(entry) for entry in pruned.removed]
            found["kept"] = [{**entry_as_json(entry), "reason": reason} for entry, reason in pruned.kept]
        show_json(found)
        return
    if pruned:
        n_bytes = sum(entry.n_bytes for entry in pruned.removed)
        unused = f" that nobody used for {unused_days:g} days" if unused_days else ""
        say(f"removed {len(pruned.removed)} entries{unused}: {describe_bytes(n_bytes)}")
        for entry, reason in pruned.kept:
            say(f"kept {entry.path.name}: {reason}")
    if not entries:
        say(f"{folder}: nothing is prepared there")
        return
    show(cache_table(folder, entries))
    if unused_days is None:
        suggest("tunefront data --cache --prune 30  (removes what was not used for 30 days; studies prepare it again)")


def _inspect_data(path: Path, out: Path | None, as_json: bool) -> None:
    from tunefront.commands.data_table import render
    from tunefront.search.data.inspection.contact_sheet import write_contact_sheet
    from tunefront.search.preparation.cautions import describe_single_steps
    from tunefront.search.preparation.prepare import inspect_data

    spec = _read_spec(path)
    folder = writable_folder(out or Path("results") / spec.name / "data")
    _announce_code(spec, as_json, has_space=False)
    with _data_asker() as asker:
        dataset, report = inspect_data(asker, spec)
    sheet = write_contact_sheet(dataset, folder / "contact_sheet.png")
    if as_json:
        show_json({**report.as_json(), "contact_sheet": str(sheet) if sheet else None})
        return
    show(render(report))
    single_steps = describe_single_steps(spec, {"n_train": dataset.n_train})
    if single_steps:
        say(single_steps)
    say(f"wrote {sheet}" if sheet else "no contact sheet: these values are no images")
    suggest(f"tunefront run {path}")


def _export_data(path: Path, out: Path | None, as_json: bool) -> None:
    from tunefront.search.preparation.prepare import export_data

    spec = _read_spec(path)
    _announce_code(spec, as_json, has_space=False)
    with _asker() as asker:
        exported = export_data(asker, spec, out or Path("results") / spec.name / "tfrecords")
    if as_json:
        show_json(exported)
        return
    say(f"wrote {exported['n_examples']} images in {exported['n_files']} files to {exported['folder']}")
    table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in exported["table"].items())
    say(f"A spec reads them back with\n\n[data]\n{table}")


@app.command()
def profile(
    spec: Annotated[Path | None, typer.Argument(help="Study spec: what its candidates would weigh.")] = None,
    architecture: Annotated[
        str, typer.Option(help="Instead of a spec: names, with commas between, such as VGG16,MobileNetV2.")
    ] = "",
    freeze: Annotated[str, typer.Option(help="Freeze fractions of pretrained backbones, such as 0,0.1,0.8,1.")] = "0",
    classes: Annotated[int, typer.Option(min=2, max=1_000_000, help="Number of classes.")] = 10,
    image_size: Annotated[int, typer.Option(min=1, max=4096, help="Height and width of the images in pixels.")] = 224,
    channels: Annotated[int, typer.Option(min=1, max=4096, help="Channels of the images.")] = 3,
    optimizer: Annotated[str, typer.Option(help="Optimizer, whose variables a saved model holds too.")] = "adam",
    width: Annotated[float | None, typer.Option(help="Width of the backbones that have one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what models weigh and compute, without training any.

    `tunefront profile --architecture VGG16,ResNet50,MobileNetV2 --freeze 0,0.1,0.8,1` is a whole grid.
    """
    from tunefront.search.profiling.profiler import Grid, profile_in_child, profiles_table
    from tunefront.search.spec.study_spec import check_own_space

    if (spec is None) == (not architecture):
        raise UserError("give either a spec or --architecture, such as --architecture MobileNetV2,ResNet50")
    what: Grid | StudySpec
    if spec:
        what = _read_spec(spec, _teller(as_json))
        _announce_code(what, as_json)
        check_own_space(spec, what)
    else:
        what = Grid.parse(architecture, freeze, classes, image_size, channels, optimizer, width)
    with _asker() as asker:
        profiles, note = profile_in_child(asker, what)
    if as_json:
        show_json([found.as_json() for found in profiles])
        return
    show(profiles_table(profiles))
    if note:
        say(note)


@app.command()
def pretrain(
    spec: Annotated[
        Path, typer.Argument(help="Study spec with a [pretrain] table, such as examples/digits_transfer.toml.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Train a backbone on one dataset and keep its weights, for transfer to the study's own.

    The spec's [pretrain] says on what, how long, and where the weights go; [space] then names that file.
    """
    from dataclasses import asdict

    from tunefront.search.preparation.own_code import code_of_data
    from tunefront.search.preparation.pretraining import pretrain as pretrain_backbone

    study_spec = _read_spec(spec)
    if study_spec.pretrain is not None:
        _announce(code_of_data(study_spec.pretrain.data), as_json)
    with _asker() as asker:
        done = pretrain_backbone(asker, study_spec)
    if as_json:
        show_json(asdict(done))
        return
    say(
        f"{done.architecture}: accuracy {done.accuracy:.2%} on the validation images of its own "
        f"{done.n_classes} classes, best in epoch {done.best_epoch}\nwrote {done.weights}"
    )
    suggest(f"tunefront run {spec}")


@app.command()
def record(
    spec: Annotated[Path, typer.Argument(help="Study spec whose space and training are recorded.")],
    table: Annotated[
        Path | None, typer.Option(help="File to write.  [default: results/STUDY.recording/recording.csv.gz]")
    ] = None,
    candidates: Annotated[int, typer.Option(min=1, max=1_000_000, help="Random candidates to train.")] = 240,
    repeat: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="How many of them are trained with each of the --seeds.")
    ] = 0,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Trainings of each candidate that is repeated.")] = 3,
    epochs: Annotated[
        int | None, typer.Option(min=2, max=1_000_000, help="Epochs of each, instead of what the spec says.")
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    workers: WorkersOption = None,
) -> None:
    """Train random candidates to the end, nothing stopped, and write a table for `tunefront replay`.

    Interrupted with Ctrl-C, it keeps everything; the same command goes on.
    """
    from functools import partial

    from tunefront.search.replay.recording import (
        check_replaceable,
        enqueue_candidates,
        recorded_search,
        recording_spec,
        write_recording,
    )
    from tunefront.search.spec.stored_spec import stored_spec_in
    from tunefront.search.spec.study_spec import read_spec

    search_spec = read_spec(spec, recorded_search(stored_spec_in(storage)), _teller(as_json=False))
    study_spec = recording_spec(search_spec, candidates, min(repeat, candidates), seeds, epochs)
    folder = Path("results") / study_spec.name
    path = table or folder / "recording.csv.gz"
    writable_folder(path.parent, "--table")
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a file with --table, such as {path / 'recording.csv.gz'}")
    check_replaceable(path)
    _announce_code(study_spec, as_json=False)
    enqueue = partial(enqueue_candidates, n_candidates=candidates, n_repeated=min(repeat, candidates), n_seeds=seeds)
    ending, console = _run(study_spec, spec, storage, workers, folder, as_json=False, enqueue=enqueue)
    store, study = _find_study(storage, study_spec.name)
    n_trainings = write_recording(store, study, path)
    say(f"wrote {n_trainings} trainings to {path}" if n_trainings else "no training is complete: no table was written")
    _end(ending, study_spec, storage, folder, console)
    if n_trainings:
        suggest(f"tunefront replay {path}")


@app.command()
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
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=4096, help="Trainings at a time on this machine; with more than one, times are shared."
        ),
    ] = 1,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a search's front and its near misses again, several seeds each, and score them on the test images.

    A near miss is a trial that noise alone may have kept off the front: with an accuracy two standard errors
    higher, or one of its measured costs 10 % lower, nothing on the front would beat it.

    The trainings are a study of their own, STUDY.confirmation. Interrupted with Ctrl-C, it keeps everything;
    the same command goes on, and with more --seeds or after more trials of the search it adds what is missing.
    """
    from tunefront.search.confirmation.candidates_again import read_stored_spec
    from tunefront.search.confirmation.plan import plan_confirmation
    from tunefront.storage import folder_owner

    store, search = _find_study(storage, study)
    folder = writable_folder(out or Path("results") / study)
    folder_owner.check_owner(folder, search, study)
    _announce_code(read_stored_spec(search), as_json)
    plan = plan_confirmation(store, search, seeds, near)
    say(plan.describe(workers), sys.stderr if as_json else sys.stdout)
    ending, console = _run(
        plan.spec, Path(study), storage, workers, folder / "confirmation", as_json, enqueue=plan.enqueue
    )
    _report(store, search, folder, as_json)
    _end(ending, plan.spec, storage, folder / "confirmation", console)
    if not as_json:
        suggest(f"open {folder / 'report.html'}", f"tunefront dashboard{storage_argument(storage)}")


@app.command()
def replay(
    table: Annotated[Path, typer.Argument(help="Table that tunefront record wrote.")],
    sampler: Annotated[str, typer.Option(help="With commas between: random, tpe, nsga2. " + _ANSWERED)] = "random",
    pruner: Annotated[
        str | None,
        typer.Option(
            help="With commas between: none, oracle, foresight, dominance:FACTOR, median, halving, pareto:FRONT_LOSS "
            "or pareto:FRONT_LOSS:MIN_EPOCHS.  [default: all of these, and pareto with several settings]"
        ),
    ] = None,
    workers: Annotated[str, typer.Option(help="Simulated workers, with commas between.")] = "4",
    repeats: Annotated[
        int, typer.Option(min=2, max=1_000_000, help="Random orders to play the trials in; more of them are surer.")
    ] = 50,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Seed of these orders: the same one gives the same answer.")
    ] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for the results.  [default: results/STUDY.replay]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Play search strategies back over recorded trainings, with a simulated clock: which would have found the front?

    The oracle stops what will not be on the front after one epoch: the limit of what stopping early can do. Foresight
    knows how each trial would end, but not the trials to come.
    """
    from functools import partial

    from tunefront.reports.replay.page import write_replay
    from tunefront.reports.replay.tables import replay_table
    from tunefront.search.launching.machine import n_cpus
    from tunefront.search.preparation.own_code import code_of_space
    from tunefront.search.replay import DEFAULT_PRUNERS, asks_space, parse_strategies
    from tunefront.search.replay import replay as play
    from tunefront.search.replay.recording import read_recording
    from tunefront.search.supervisor.view import make_view

    recording = read_recording(table)
    pruners = DEFAULT_PRUNERS if pruner is None else _listed(pruner)
    strategies = parse_strategies(_listed(sampler), pruners, [_whole(number) for number in _listed(workers)])
    folder = writable_folder(out or Path("results") / f"{recording.spec.name}.replay")
    if asks_space(strategies):
        _announce(code_of_space(recording.spec), as_json)
    view = make_view(make_console(stderr=True))
    try:
        results = play(
            recording, strategies, repeats, seed, n_processes=n_cpus(), progress=partial(view.progress, "replaying")
        ).as_json()
    finally:
        view.close()
    paths = write_replay(results, folder)
    if as_json:
        show_json(results)
        return
    show(replay_table(results))
    say("wrote " + ", ".join(str(path) for path in paths))
    suggest(f"open {paths[0]}")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise UserError(f"{text!r} is no number of workers")
    return int(text)


@app.command()
def status(
    study: Annotated[str | None, typer.Argument(help="Name of a study; all of them if left out.")] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    as_json: JsonOption = False,
) -> None:
    """Tell how studies stand: trials by state, reasons of failures, what runs now, the front."""
    from tunefront.reports.status import studies_overview, study_status
    from tunefront.storage import open_store

    if study is None:
        standing: StudiesOverview | StudyStatus = studies_overview(open_store(storage))
    else:
        standing = study_status(*_find_study(storage, study))
    if as_json:
        show_json(standing.as_json())
    else:
        show(standing.render())


@app.command()
def report(
    study: Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")],
    storage: StorageOption = DEFAULT_STORAGE,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a study's report: report.html, front.md, front.csv, trials.csv and importance.csv."""
    store, record = _find_study(storage, study)
    folder = writable_folder(out or _results_folder(record))
    _report(store, record, folder, as_json)
    if not as_json:
        suggest(f"open {folder / 'report.html'}")


@app.command()
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
    from tunefront.search.supervisor.run import ended_workers
    from tunefront.storage import open_store

    _, record = _find_study(storage, study)
    store = open_store(storage, is_writer=True)
    deletion = plan_deletion(store, record, out or _results_folder(record), results)
    ended = [worker for one in deletion.doomed for worker in ended_workers(store, one)]
    deletion.check(ended)  # also when it is carried out; here so that nobody is asked for nothing
    say(deletion.describe())
    if not yes:
        _ask()
    problems = deletion.carry_out(ended)
    say(f"deleted {' and '.join(one.name for one in deletion.doomed)}")
    if problems:
        raise UserError("these files could not be removed:\n  " + "\n  ".join(problems))


def _ask() -> None:
    """Go on only if a person says yes."""
    if not sys.stdin.isatty():
        raise UserError("nothing was deleted: there is nobody to ask here. Add --yes")
    if not typer.confirm("Delete this for good?"):
        say("nothing was deleted")
        raise typer.Exit(1)


@app.command()
def dashboard(
    storage: StorageOption = DEFAULT_STORAGE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
    allow_remote: Annotated[
        bool,
        typer.Option(
            help="Allow a --host that others can reach, to those who have the link with a token that is printed. The "
            "dashboard can delete studies, and nothing is encrypted on its way.",
        ),
    ] = False,
) -> None:
    """Watch trials in a browser: optuna-dashboard over the same storage, with the front as a figure."""
    from tunefront.reports.dashboard.dashboard import serve
    from tunefront.storage import has_studies, open_store

    if not has_studies(storage):
        open_store(storage)  # says what is missing
    serve(open_store(storage, is_writer=True), host=host, port=port, allow_remote=allow_remote)


def _read_spec(path: Path, tell: Callable[[str], None] = lambda line: None) -> StudySpec:
    """A spec whose data can be read, as far as a second tells: what is wrong comes before Keras loads."""
    from tunefront.search.preparation.prepare import check_files
    from tunefront.search.spec.study_spec import read_spec

    spec = read_spec(path, tell=tell)
    check_files(path, spec.data)
    if spec.pretrain is not None:
        check_files(path, spec.pretrain.data)
    return spec


def _run(
    spec: StudySpec,
    path: Path,
    storage: str,
    workers: int | None,
    folder: Path,
    as_json: bool,
    enqueue: Callable[[Store, StudyRecord], None] | None = None,
) -> tuple[Ending, Console]:
    """Run a study on this machine until it ends, with the view that fits the terminal."""
    import tempfile

    from tunefront.search.launching.fork_server import Launcher
    from tunefront.search.preparation.prepare import check_files
    from tunefront.search.spec.study_spec import check_own_space

    check_own_space(path, spec)
    check_files(path, spec.data)
    with _interrupted_early(storage, as_json), tempfile.TemporaryDirectory(prefix="tunefront-") as name:
        scratch = Path(name)
        launcher = Launcher(scratch / "forkserver.log")
        launcher.load()  # takes many seconds: all else is imported meanwhile, also what the report needs

        import tunefront.reports  # noqa: F401
        from tunefront.search.supervisor.run import RunRequest, run_study
        from tunefront.search.supervisor.view import make_view

        console = make_console(stderr=as_json)
        view = make_view(console)
        request = RunRequest(spec, path, storage, workers, folder, launcher, scratch, enqueue)
        try:
            return run_study(request, view), console
        finally:
            view.close()


def _announce_code(spec: StudySpec, as_json: bool, *, has_space: bool = True) -> None:
    """Say whose code the command is going to run: that of the data, and of the space if it is asked for candidates."""
    from tunefront.search.preparation.own_code import code_of_data, code_of_space

    _announce([*(code_of_space(spec) if has_space else []), *code_of_data(spec.data)], as_json)


def _announce(code: list[str], as_json: bool) -> None:
    from tunefront.search.preparation.own_code import describe_code

    if code:
        say(describe_code(code), sys.stderr if as_json else sys.stdout)


def _teller(as_json: bool) -> Callable[[str], None]:
    """Prints lines for people: beside what is printed for programs, if that is wanted."""

    def tell_line(line: str) -> None:
        say(line, sys.stderr if as_json else sys.stdout)

    return tell_line


@contextlib.contextmanager
def _interrupted_early(storage: str, as_json: bool) -> Iterator[None]:
    """Ctrl-C before the first trial; later on, the supervisor sees to it."""
    try:
        yield
    except KeyboardInterrupt:
        again = f"\nInterrupted before it began; nothing is lost. Start again with:\n  {command_again(storage)}"
        say(again, sys.stderr if as_json else sys.stdout)
        raise typer.Exit(130) from None


def _end(ending: Ending, spec: StudySpec, storage: str, folder: Path, console: Console) -> None:
    """Say how to go on, and leave with the exit code, if the study has not all its trials."""
    from tunefront.search.supervisor.end_reason import describe_stop

    status = f"tunefront status {spec.name}{storage_argument(storage)}"
    reason = _common_reason(ending, spec, storage)
    stop = describe_stop(ending, spec, command_again(storage), status, folder / "logs", reason)
    if stop.text:
        tell(console, f"\n{stop.text}")
    if stop.exit_code:
        raise typer.Exit(stop.exit_code)


def _common_reason(ending: Ending, spec: StudySpec, storage: str) -> CommonReason | None:
    """Why most trials failed or were refused, if so many did that the study stopped."""
    from tunefront.reports import load_results
    from tunefront.search.supervisor.end_reason import CommonReason
    from tunefront.search.supervisor.end_reason import Ending as Endings

    state = {Endings.TOO_MANY_FAILURES: "failed", Endings.TOO_MANY_REFUSALS: "refused"}.get(ending)
    results = load_results(*_find_study(storage, spec.name)) if state else None
    groups = results.reasons(state) if results and state else []
    if results is None or state is None or not groups:
        return None
    return CommonReason(groups[0].text, len(groups[0].numbers), results.counts[state], results.n_finished)


@contextlib.contextmanager
def _asker() -> Iterator[Asker]:
    """A child with Keras for one command, its progress shown on stderr."""
    from tunefront.search.launching.asker import make_asker

    with _progress() as progress, make_asker(progress) as asker:
        yield asker


@contextlib.contextmanager
def _data_asker() -> Iterator[Asker]:
    """A child for looking at data, its progress shown on stderr."""
    from tunefront.search.launching.asker import make_data_asker

    with _progress() as progress, make_data_asker(progress) as asker:
        yield asker


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    from tunefront.search.supervisor.view import make_view

    view = make_view(make_console(stderr=True))
    try:
        yield view.progress
    finally:
        view.close()


def _find_study(storage: str, name: str) -> tuple[Store, StudyRecord]:
    from tunefront.storage import masked, open_store, studies

    store = open_store(storage)
    found = studies.find(store, name)
    if found is None:
        known = ", ".join(study.name for study in studies.list_all(store)) or "none yet"
        raise UserError(f"{masked(storage)} has no study {name!r}. It has: {known}")
    return store, found


def _results_folder(study: StudyRecord) -> Path:
    """Where a study's results lie unless --out says otherwise: those of a confirmation below its search's."""
    search = study.spec.get("confirms")
    return Path("results") / search / "confirmation" if search else Path("results") / study.name


def _report(store: Store, study: StudyRecord, folder: Path, as_json: bool) -> None:
    from tunefront.reports import publish

    published = publish(store, study, folder)
    if as_json:
        show_json(published.as_json())
        return
    for table in published.tables():
        show(table)
    say("wrote " + ", ".join(str(path) for path in published.files.paths))


def main() -> None:
    """Entry point."""
    with mistakes_explained():
        app()
