"""The page's section in which a model is chosen."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tunefront.objectives.measures import AXES, MEASURES, Axis
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.choice.code import loading_code, select_command
from tunefront.reports.choice.curve import curve_picture
from tunefront.reports.choice.data import choice_data
from tunefront.reports.choice.ranges import limit_ranges
from tunefront.reports.choice.rows import CandidateRow, CandidateTable, best_values, candidate_table, show_difference
from tunefront.reports.class_answers.class_answers import ClassAnswers, FrontAnswers
from tunefront.reports.class_answers.section import MOST_MODELS
from tunefront.reports.deployment.deployed_front import DeployedFront
from tunefront.reports.kept_models import KeptModel, find_candidate_model
from tunefront.reports.parameters import Parameters
from tunefront.reports.selection.options import Options
from tunefront.reports.selection.sentences import show_with_interval
from tunefront.reports.sentences.stages import describe_stages
from tunefront.reports.verdict.verdict import ReportVerdict, describe_shipped
from tunefront.reports.words import measure_words, parameter_words, show_value
from tunefront.storage.trials import TrialRecord

_MOST_MISTAKES = 3
_MOST_CLASSES = 20  # of a confusion matrix that fits into a panel


@dataclass(frozen=True)
class Cell:
    """A value in the table.

    Attributes:
        text: The value for people.
        difference: The difference to the best one; empty at the best.
        sort: The value as text for sorting; empty where it is not known.
    """

    text: str
    difference: str
    sort: str
    is_best: bool


@dataclass(frozen=True)
class CandidatePanel:
    """What is known of a candidate, shown when its row is open.

    Attributes:
        chips: What differs from other rows, in the fewest words.
        facts: Name in words -> value, of all parameters and of everything measured.
        stages: The settings by epoch, a line for each change; empty if they stayed as they were.
        mistakes: The most frequent mistakes, in words.
        confusion: The name of the figure of its confusion matrix; empty without one.
        answered: The images by whose answers its mistakes are told, in words.
        source: The training that curve, epochs, model and log are of, as a sentence; empty if it is the search's.
        code: Python code that loads the model; empty if it was not kept.
        log: The target of a link to what its process printed; empty if that does not lie beside the report.
    """

    chips: Sequence[str]
    parameters: Mapping[str, str]
    measures: Mapping[str, str]
    stages: Sequence[str]
    curve: Markup
    mistakes: Sequence[str]
    confusion: str
    answered: str
    source: str
    model: KeptModel
    code: str
    log: str
    ships: str


def choice_context(
    options: Options,
    verdict: ReportVerdict,
    folder: Path,
    answers: FrontAnswers | None = None,
    deployed: DeployedFront | None = None,
) -> dict[str, Any]:
    """Return the variables of ``section.html.j2`` for a report in `folder`."""
    results = options.results
    table = candidate_table(options, [pick.option.number for pick in verdict.picks], verdict.nearest)
    ranges = limit_ranges(options)
    data = choice_data(options, ranges, verdict, is_deployed=deployed is not None)
    shown = [
        axis for axis in AXES if any(not math.isnan(row.option.value(results.measure(axis).name)) for row in table.rows)
    ]
    parameters = Parameters.of([row.option.trial for row in table.rows])
    is_single = len(table.rows) == 1
    return {
        "candidates": table,
        "candidate_axes": shown,
        "candidate_cells": _cells(options, table, shown),
        "candidate_panels": {
            row.number: _panel(options, row, parameters, folder, answers, deployed) for row in table.rows
        },
        "shared_parameters": [
            parameters.chip(name, value) for name, value in ({} if is_single else parameters.shared).items()
        ],
        "is_single": is_single,
        "ranges": ranges,
        "measure_words": measure_words,
        "select_command": select_command(results.study.name),
        "choice_data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    }


def _cells(options: Options, table: CandidateTable, axes: Sequence[Axis]) -> dict[int, dict[Axis, Cell]]:
    best = best_values(options, table.rows)

    def cell(row: CandidateRow, axis: Axis) -> Cell:
        measure = options.results.measure(axis)
        value = row.option.value(measure.name)
        return Cell(
            text=show_with_interval(options, row.option, axis),
            difference=show_difference(measure, value, best[axis]),
            sort="" if math.isnan(value) else repr(value),
            is_best=value == best[axis] and axis in options.axes,
        )

    return {row.number: {axis: cell(row, axis) for axis in axes} for row in table.rows}


def _panel(
    options: Options,
    row: CandidateRow,
    parameters: Parameters,
    folder: Path,
    answers: FrontAnswers | None,
    deployed: DeployedFront | None,
) -> CandidatePanel:
    results, trial, training = options.results, row.option.trial, row.option.training
    model = find_candidate_model(results, options.confirmation, trial, folder)
    answered = (
        next((each for each in answers.models[:MOST_MODELS] if each.number == trial.number), None) if answers else None
    )
    is_again = training is not trial
    log = Path("confirmation" if is_again else "") / "logs" / f"trial-{training.number}.log"
    values = [(name, parameters.value(trial, name)) for name in (*parameters.differing, *parameters.shared)]
    return CandidatePanel(
        chips=parameters.chips(trial, parameters.differing or tuple(parameters.shared)),
        parameters={parameter_words(name): show_value(value) for name, value in values if value is not None},
        measures=_measured(options, row),
        stages=describe_stages(training),
        curve=curve_picture(training, results.measure("accuracy")),
        mistakes=_mistakes(answers, answered) if answers and answered else [],
        confusion=f"confusion-{trial.number}"
        if answers and answered and len(answers.class_names) <= _MOST_CLASSES
        else "",
        answered=_describe_answered(answers, answered, training) if answers and answered else "",
        source=_describe_source(options, training) if is_again else "",
        model=model,
        code=loading_code(results, model.path) if model.path else "",
        log=log.as_posix() if (folder / log).is_file() else "",
        ships=describe_shipped(deployed, trial.number),
    )


def _describe_source(options: Options, training: TrialRecord) -> str:
    """Say of which training of the confirmation the parts of a panel are."""
    assert options.confirmation is not None
    return (
        f"Curve, epochs, model and log are those of training {training.number} of the confirmation, the best of this "
        f"candidate's on the validation {options.results.examples}. Measures are means of all of them."
    )


def _describe_answered(answers: FrontAnswers, answered: ClassAnswers, training: TrialRecord) -> str:
    """Say whose mistakes are told, if they are not those of the panel's training, and on which images."""
    other = "" if answered.trained.number == training.number else f"training {answered.trained.number}, "
    return f"{other}{answers.split} {answers.examples}"


def _measured(options: Options, row: CandidateRow) -> dict[str, str]:
    """Return what was measured and stands on no axis, in words, and the epochs."""
    trial = row.option.training
    on_axes = {options.results.measure(axis).name for axis in AXES}
    found = {
        measure_words(measure): format_quantity(row.option.value(name), measure.unit).replace(" ", "\N{NO-BREAK SPACE}")
        for name, measure in MEASURES.items()
        if name not in on_axes and not math.isnan(row.option.value(name))
    }
    best_epoch = trial.measurements.get("best_epoch")
    epochs = f"{len(trial.epochs)}" if best_epoch is None else f"{best_epoch:.0f}, best of {len(trial.epochs)}"
    return found | {"epochs": epochs}


def _mistakes(answers: FrontAnswers, answered: ClassAnswers) -> list[str]:
    """Return the most frequent mistakes of a model in words."""
    names = answers.class_names
    return [
        f"{names[own]} taken for {names[other]}: {n} of {answered.matrix[own].sum()}"
        for own, other, n in answered.mistakes[:_MOST_MISTAKES]
    ]
