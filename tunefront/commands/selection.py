"""The command `select`, which chooses one model of a study."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunefront.commands.options import JsonOption, OutOption, StorageOption
from tunefront.commands.screen.spinner import at_work
from tunefront.commands.screen.verdict import chosen_path, say_verdict
from tunefront.commands.session import results_folder, step_to_page
from tunefront.commands.terminal import (
    UserError,
    say,
    say_written,
    show_json,
    storage_argument,
    suggest,
    writable_folder,
)
from tunefront.study import DEFAULT_STORAGE, find_study

if TYPE_CHECKING:
    from tunefront.reports.selection.selection import Selection
    from tunefront.storage.open_study import OpenStudy


class Preference(StrEnum):
    """What the choice looks at first."""

    BALANCE = "balance"
    ACCURACY = "accuracy"
    QUALITY = "quality"
    MEMORY = "memory"
    TIME = "time"
    KNEE = "knee"


def select(
    study: Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")],
    at_most: Annotated[
        list[str] | None,
        typer.Option(help="A limit such as memory=100kB or latency_seconds=5ms; may be given several times."),
    ] = None,
    at_least: Annotated[
        list[str] | None, typer.Option(help="A limit such as accuracy=95%; may be given several times.")
    ] = None,
    prefer: Annotated[
        Preference,
        typer.Option(
            help="balance, memory, time: of the models whose accuracy cannot be told from the best one's the cheapest, "
            "by all costs or that one. accuracy, quality: the best. knee: where more accuracy begins to cost more."
        ),
    ] = Preference.BALANCE,
    device: Annotated[
        str,
        typer.Option(
            help="The board that a deployed file must fit, such as arduino_nano_33_ble (see docs/deployment.md).  "
            "[default: that of 'tunefront deploy', where files are chosen]"
        ),
    ] = "",
    export: Annotated[Path | None, typer.Option(help="Folder to copy the model to, with its trial-N.json.")] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose one model: under limits, why this one, what the next best would cost, and how sure that is.

    Without limits it is the cheapest model whose accuracy cannot be told from the best one's by so many images. Numbers
    of a confirmation count where there is one. With a device, or a limit on what a file measures (file_bytes,
    litert_bytes, arena_bytes, litert_latency_seconds, ...), it chooses among the files of `tunefront deploy`.
    """
    with at_work("reading the storage"):
        from tunefront.reports.confirmation.results import load_confirmation
        from tunefront.reports.selection.files import options_for
        from tunefront.reports.selection.limits import read_limit
        from tunefront.reports.selection.options import find_options
        from tunefront.reports.selection.selection import choose
        from tunefront.reports.selection.sentences import describe_no_choice
        from tunefront.reports.study_results import load_results
        from tunefront.search.spec.deploy import find_device

        board = find_device(device, "--device") if device else None
        found = find_study(storage, study)
        folder = out or results_folder(found.record)
        results = load_results(found, folder)
        every = find_options(results, load_confirmation(found.store, results, folder))
    names = [text.partition("=")[0].strip() for text in (*(at_most or ()), *(at_least or ()))]
    options, limits = options_for(found, every, names, board)
    limits += [read_limit(text, options, is_upper=True) for text in at_most or ()]
    limits += [read_limit(text, options, is_upper=False) for text in at_least or ()]
    choice = choose(options, limits, prefer.value)
    if choice is None:
        text = describe_no_choice(options, limits)
        if as_json:
            show_json({"study": study, "trial": None, "why": text})
        else:
            say(text)
        raise typer.Exit(1)
    choice = _with_model_here(choice, found, folder)
    files = _export(choice, folder, export) if export is not None else []
    if as_json:
        show_json(_as_json(choice, found, folder, files))
        return
    _say(choice, found, storage, folder, out)
    if files:
        say_written(files)


def _with_model_here(choice: Selection, study: OpenStudy, folder: Path) -> Selection:
    """Fetch the chosen model from the study's artifacts if it is not on this machine; a file is made here anyway."""
    from dataclasses import replace

    from tunefront.storage.artifacts.model_files import ModelFiles

    if choice.option.file is not None or Path(choice.option.training.model_path).is_file():
        return choice
    files = ModelFiles(study, folder)
    with at_work("fetching the model"):
        (trial,) = files.bring([choice.option.trial])
    for problem in files.problems:
        say(problem, sys.stderr)
    return replace(choice, option=replace(choice.option, trial=trial))


def _say(choice: Selection, study: OpenStudy, storage: str, folder: Path, out: Path | None) -> None:
    say_verdict(choice, folder)
    if chosen_path(choice, folder) is None:
        return
    search, step = study.record.spec.get("confirms"), []
    if search:
        step = [f"tunefront select {search}{storage_argument(storage)}"]
    elif not choice.option.confirmed:
        step = [f"tunefront confirm {study.name}{storage_argument(storage)}"]
    suggest(*step, step_to_page(study.name, folder, storage, out))


def _export(choice: Selection, folder: Path, target: Path) -> list[Path]:
    """Copy the chosen file or model, and the file that says how to use it, into a folder."""
    import shutil

    path, file = chosen_path(choice, folder), choice.option.file
    if path is None:
        name, number = choice.options.results.study.name, choice.option.number
        raise UserError(
            f"the model of trial {number} was not kept, so --export has nothing to copy: only models of the front are "
            f"kept. 'tunefront retrain {name} {number}' trains it again"
        )
    if not path.is_file():
        where = ": name the study's folder with --out" if file is not None else ""
        raise UserError(f"{path}: the model is not on this machine, so --export has nothing to copy{where}")
    writable_folder(target, "--export").mkdir(parents=True, exist_ok=True)
    card = path.with_name(f"trial-{file.trial}.{file.variant}.json") if file else path.with_suffix(".json")
    return [Path(shutil.copy(each, target)) for each in (path, card) if each.is_file()]


def _as_json(choice: Selection, study: OpenStudy, folder: Path, files: list[Path]) -> dict[str, Any]:
    from tunefront.confirmation_price import price_of_confirmation
    from tunefront.reports.selection.sentences import (
        describe_alternatives,
        describe_certainty,
        describe_few,
        describe_why,
    )
    from tunefront.storage.population.stages import as_json

    options = choice.options
    return {
        "study": study.name,
        "trial": choice.option.number,
        "variant": choice.option.variant or None,
        "values": {measure.name: choice.option.value(measure.name) for measure in map(options.measure, options.axes)},
        "parameters": dict(choice.option.trial.parameters),
        **({"settings_by_epoch": as_json(choice.option.trial.stages)} if choice.option.trial.stages else {}),
        "is_confirmed": choice.option.confirmed is not None,
        "model": choice.option.training.model_path or None,
        "file": str(chosen_path(choice, folder)) if choice.option.file else None,
        "why": describe_why(choice),
        "alike": [option.number for option in choice.alike],
        "most_accurate": choice.most_accurate.number,
        "cheaper": {axis: option.number for axis, option in choice.cheaper.items()},
        "alternatives": describe_alternatives(choice),
        "certainty": [*describe_few(options), *describe_certainty(choice, price_of_confirmation(options))],
        "files": [str(path) for path in files],
    }
