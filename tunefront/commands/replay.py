"""The commands `record`, which records trainings, and `replay`, which plays strategies back over them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunefront.commands.options import JsonOption, OwnCodeOption, SlotsOption, StorageOption
from tunefront.commands.session import announce, announce_code, line_teller, run_here, say_end, trust_in
from tunefront.commands.terminal import (
    UserError,
    make_console,
    say,
    say_written,
    show,
    show_json,
    suggest,
    writable_folder,
)
from tunefront.study import DEFAULT_STORAGE, find_study

_NEAREST_CANDIDATE_HELP = "The last two are answered by the nearest recorded candidate that was not tried yet."


def record(
    spec: Annotated[Path, typer.Argument(help="Study spec whose space and training are recorded.")],
    table: Annotated[
        Path | None, typer.Option(help="File to write.  [default: recording.csv.gz in results/STUDY.recording]")
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
    slots: SlotsOption = None,
) -> None:
    """Train random candidates to the end, nothing stopped, and write a table for `tunefront replay`.

    Interrupted with Ctrl-C, it keeps everything; the same command goes on.
    """
    from functools import partial

    from tunefront.search.fleet.filled_in import check_filled_in
    from tunefront.search.fleet.named_files import approve_written
    from tunefront.search.replay.recording import check_replaceable, write_recording
    from tunefront.search.replay.recording_study import enqueue_candidates
    from tunefront.search.spec.derived import recorded_search, recording_spec
    from tunefront.search.spec.file import read_spec
    from tunefront.search.spec.stored_spec import stored_spec_in

    search_spec = read_spec(spec, recorded_search(stored_spec_in(storage)), line_teller(as_json=False))
    study_spec = recording_spec(search_spec, candidates, min(repeat, candidates), seeds, epochs)
    if epochs is None and study_spec.training.epochs != search_spec.training.epochs:
        say(f"training.epochs varies: each training is recorded with {study_spec.training.epochs}, the most of them")
    folder = Path("results") / study_spec.name
    path = table or folder / "recording.csv.gz"
    writable_folder(path.parent, "--table")
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a file with --table, such as {path / 'recording.csv.gz'}")
    check_replaceable(path)
    check_filled_in(spec, search_spec)
    announce_code(study_spec, as_json=False)
    approve_written(spec)
    enqueue = partial(enqueue_candidates, n_candidates=candidates, n_repeated=min(repeat, candidates), n_seeds=seeds)
    ending, console = run_here(study_spec, spec, storage, slots, folder, as_json=False, enqueue=enqueue)
    n_trainings = write_recording(find_study(storage, study_spec.name), path)
    say(f"wrote {n_trainings} trainings to {path}" if n_trainings else "no training is complete: no table was written")
    say_end(ending, study_spec, storage, folder, console)
    if n_trainings:
        suggest(f"tunefront replay {path}")


def replay(
    table: Annotated[Path, typer.Argument(help="Table that tunefront record wrote.")],
    sampler: Annotated[
        str, typer.Option(help="With commas between: random, tpe, nsga2. " + _NEAREST_CANDIDATE_HELP)
    ] = "random",
    pruner: Annotated[
        str | None,
        typer.Option(
            help="With commas between: none, oracle, foresight, dominance:FACTOR, median, halving or "
            "pareto:FRONT_LOSS, which :MIN_EPOCHS may follow.  [default: all of these, and pareto with several "
            "settings]"
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
    allow_own_code: OwnCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Play search strategies back over recorded trainings, with a simulated clock: which would have found the front?

    The oracle stops what will not be on the front after one epoch: the limit of what stopping early can do. Foresight
    knows how each trial would end, but not the trials to come.
    """
    from functools import partial

    from tunefront.commands.screen.views import make_view
    from tunefront.reports.replay.page import write_replay
    from tunefront.reports.replay.tables import replay_table
    from tunefront.search.preparation.own_code import code_of_space
    from tunefront.search.replay import DEFAULT_PRUNERS, asks_space, parse_strategies
    from tunefront.search.replay import replay as play
    from tunefront.search.replay.recording import read_recording
    from tunefront.search.system.processes import n_cpus

    recording = read_recording(table)
    pruners = DEFAULT_PRUNERS if pruner is None else _split_names(pruner)
    strategies = parse_strategies(
        _split_names(sampler), pruners, [_parse_n_workers(number) for number in _split_names(workers)]
    )
    folder = writable_folder(out or Path("results") / f"{recording.spec.name}.replay")
    if asks_space(strategies):
        trust_in(None, allow_own_code).check_code_of(recording.spec.name, recording.spec.as_json())
        announce(code_of_space(recording.spec), as_json)
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
    say_written(paths)
    suggest(f"open {paths[0]}")


def _split_names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _parse_n_workers(text: str) -> int:
    if not text.isdecimal():
        raise UserError(f"{text!r} is no number of workers")
    return int(text)
