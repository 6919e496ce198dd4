"""The command `predict`, which puts a model to use: classes or numbers for images, tables and arrays."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunefront.commands.options import OwnCodeOption, StorageOption
from tunefront.commands.prediction.rows import PredictionFormat, Tally, make_rows
from tunefront.commands.screen.spinner import at_work
from tunefront.commands.terminal import UserError, say
from tunefront.predictions import predictor_of
from tunefront.study import DEFAULT_STORAGE, find_study

if TYPE_CHECKING:
    from tunefront.search.prediction.examples import ExampleSource
    from tunefront.search.prediction.predictor import Predictor

_MIN_SECONDS = 1.0  # between two looks at an address
_N_LINE = len(": line 1000")  # what follows the name of a table


def predict(
    model: Annotated[
        str,
        typer.Argument(help="Name of a study, or a model's file: .keras, .tflite or .onnx, with its JSON beside it."),
    ],
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Images, folders of images, http:// or https:// addresses; for a model of tables CSV files, for one "
            "of arrays .npy and .npz files."
        ),
    ],
    trial: Annotated[
        int | None, typer.Option(help="Trial of the study.  [default: the one that 'tunefront select' takes]")
    ] = None,
    form: Annotated[
        PredictionFormat, typer.Option("--format", help="How answers are printed, as they come.")
    ] = PredictionFormat.TABLE,
    every: Annotated[
        str, typer.Option(help="Look at the addresses again and again, such as --every 60s, until Ctrl-C.")
    ] = "",
    storage: StorageOption = DEFAULT_STORAGE,
    allow_own_code: OwnCodeOption = False,
) -> None:
    """Predict: the class of each image with its probability, or the number, by a model of a study or a file.

    Images are prepared as those of the training were. What cannot be read is a row with its reason; the exit code is 2
    if nothing was answered. An address may lie in a private network, and have a user and a password, which are nowhere
    shown.
    """
    from tunefront.search.prediction.inputs import find_inputs
    from tunefront.search.prediction.web_address import is_address

    seconds = _interval(every, inputs)
    with at_work("finding the model"):
        predictor, why = _predictor(model, trial, storage, allow_own_code)
        sources = find_inputs(inputs, predictor.file.card.input)
    # Lines for people go beside rows for programs.
    stream = sys.stdout if form is PredictionFormat.TABLE else sys.stderr
    for line in why:
        say(line, stream)
    tally, began = Tally(), time.perf_counter()
    is_interrupted = False
    try:
        _print_rows(predictor, sources, sum(map(is_address, inputs)), form, tally, seconds)
    except KeyboardInterrupt:
        is_interrupted = True
    say(tally.describe(time.perf_counter() - began, predictor.load_seconds), stream)
    if not tally.n_answered and tally.n_failed:
        raise typer.Exit(2)
    if is_interrupted and not seconds:
        raise typer.Exit(130)


def _interval(every: str, inputs: Sequence[str]) -> float:
    """Return the seconds of --every; 0 without it."""
    from tunefront.objectives.quantities import parse_quantity
    from tunefront.search.prediction.web_address import is_address

    if not every:
        return 0.0
    try:
        seconds = parse_quantity(every, "seconds")
    except ValueError as error:
        raise UserError(f"--every: {error}") from None
    if seconds < _MIN_SECONDS or every.strip()[-1].isdigit():
        raise UserError(f"--every {every}: write a time of a second or more with its unit, such as --every 60s")
    if not all(map(is_address, inputs)):
        raise UserError("--every is for addresses, whose images change: leave it out, or name addresses alone")
    return seconds


def _predictor(model: str, trial: int | None, storage: str, allows_own_code: bool) -> tuple[Predictor, list[str]]:
    """Return the model, not loaded yet, and lines that say which one it is and why."""
    from tunefront.search.prediction.model_file import is_model_name, open_model_file
    from tunefront.search.prediction.predictor import Predictor
    from tunefront.search.prediction.web_address import is_address
    from tunefront.search.system.regular_files import user_path

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or TensorFlow prints what it is about to do
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # a search may run on the same GPU
    if is_address(model):
        raise UserError("the first argument is a study or a model's file, and this is an address: name a model first")
    if is_model_name(model):
        if trial is not None:
            raise UserError("--trial is for a study, and a model's file was named: leave it out")
        return Predictor(open_model_file(user_path(model))), []
    if Path(model).exists() and os.sep in model:
        raise UserError(f"{model} is neither a study nor a model's file (.keras, .tflite, .onnx): name one of these")
    return predictor_of(find_study(storage, model), trial, allows_own_code=allows_own_code)


def _print_rows(
    predictor: Predictor,
    sources: Sequence[ExampleSource],
    n_addresses: int,
    form: PredictionFormat,
    tally: Tally,
    seconds: float,
) -> None:
    """Print a row for each example; with `seconds`, again and again."""
    names = predictor.file.card.names
    n_name = max(len(source.name) for source in sources) + (_N_LINE if predictor.file.card.input.columns else 0)
    rows = make_rows(form, names, n_name, has_time=bool(seconds))
    if head := rows.head():
        say(head)
    # Addresses come last. One that is slow must not keep the rows of others waiting, so each is answered by itself.
    n_files = len(sources) - n_addresses
    parts = [sources[:n_files], *([address] for address in sources[n_files:])]
    with ExitStack() as first:
        first.enter_context(at_work("loading the model"))  # until the first answer
        for _ in _rounds(seconds):
            for prediction in chain.from_iterable(map(predictor.predictions, parts)):
                first.close()
                moment = datetime.now().astimezone().isoformat(timespec="seconds") if seconds else ""
                tally.add(prediction, names)
                say(rows.row(prediction, moment))


def _rounds(seconds: float) -> Iterator[None]:
    """Yield once, or every so many seconds for ever; what took longer than that is not caught up."""
    due = time.monotonic()
    while True:
        yield
        if not seconds:
            return
        due = max(due + seconds, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
