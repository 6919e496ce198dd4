"""The data frames of all trials and of the front, for CSV files and programs."""

from __future__ import annotations

import json
import math
from collections.abc import Container, Iterable, Sequence
from typing import Any

import pandas as pd

from tunefront.objectives.measures import MEASURES
from tunefront.reports.study_results import StudyResults
from tunefront.storage.population.stages import as_json
from tunefront.storage.trials import TrialRecord

GUESSING = "no_better_than_guessing"
PLAIN_ACCURACY = "plain_accuracy"
STAGES = "settings_by_epoch"
_PARAMETER = "parameter."


def first_columns(results: StudyResults) -> tuple[str, ...]:
    """Return the columns that every study has; the score is called quality where numbers are predicted."""
    score = results.axis_name("accuracy")
    return ("trial", "state", "reason", score, "memory_bytes", "time_seconds", "on_front", "epochs", GUESSING)


def trials_frame(results: StudyResults) -> pd.DataFrame:
    """Return a data frame with a row for each trial, in the order of their numbers.

    Returns:
        The columns of :func:`first_columns`, then measurements (those an objective could use first),
        then parameters by name. The three axes are in their units, accuracy as a fraction and quality in the unit of
        its measure. A cell is empty where nothing was measured or the trial has no such parameter; :data:`GUESSING` is
        empty where it is not known. If the accuracy objective is another score, ``accuracy`` is that score, and
        :data:`PLAIN_ACCURACY` is the share classified correctly. A parameter with the name of another column, which a
        user's own space may have, gets the prefix ``parameter.``. Where settings changed during trainings,
        :data:`STAGES` has each stage's first epoch, its parameters and whose weights it began with, as JSON.
    """
    return _frame(results, results.trials)


def front_frame(results: StudyResults) -> pd.DataFrame:
    """Return the trials on the front, best accuracy first, in the columns of :func:`trials_frame`.

    Columns that are empty in all of them are left out, except those of :func:`first_columns`.
    """
    frame, kept = _frame(results, results.front), first_columns(results)
    return frame[[name for name in frame.columns if name in kept or frame[name].notna().any()]]


def _frame(results: StudyResults, trials: Sequence[TrialRecord]) -> pd.DataFrame:
    parameters = sorted({name for trial in results.trials for name in trial.parameters})
    columns = {
        "trial": pd.Series([trial.number for trial in trials], dtype="int64"),
        "state": pd.Series([trial.state for trial in trials], dtype="str"),
        "reason": pd.Series([trial.reason for trial in trials], dtype="str"),
        results.axis_name("accuracy"): _numbers("accuracy", (results.value(trial, "accuracy") for trial in trials)),
        "memory_bytes": _numbers("memory_bytes", (results.value(trial, "memory") for trial in trials)),
        "time_seconds": _numbers("time_seconds", (results.value(trial, "time") for trial in trials)),
        "on_front": pd.Series([trial.number in results.front_numbers for trial in trials], dtype="bool"),
        "epochs": pd.Series([len(trial.epochs) for trial in trials], dtype="int64"),
        GUESSING: pd.Series([guesses(results, trial) for trial in trials], dtype="boolean"),
    }
    columns |= {
        column: _numbers(name, (trial.measurements.get(name) for trial in trials))
        for name, column in _measurement_columns(results).items()
    }
    if any(trial.stages for trial in results.trials):
        shown = [json.dumps(as_json(trial.stages)) if trial.stages else None for trial in trials]
        columns[STAGES] = pd.Series(shown, dtype="object")
    # The columns hold objects: otherwise pandas would turn 3 into 3.0 where some trials lack the parameter.
    columns |= {
        _parameter_column(name, columns): pd.Series([trial.parameters.get(name) for trial in trials], dtype="object")
        for name in parameters
    }
    return pd.DataFrame(columns)


def guesses(results: StudyResults, trial: TrialRecord) -> bool | None:
    """Return whether the trial's accuracy is no better than guessing; None where that is not known."""
    is_known = results.chance is not None and not math.isnan(results.value(trial, "accuracy"))
    return results.is_guessing(trial) if is_known else None


def _measurement_columns(results: StudyResults) -> dict[str, str]:
    """Return measurement -> column, in order, without the plain accuracy where the first columns have it."""
    known = list(MEASURES)
    names = {name for trial in results.trials for name in trial.measurements}
    if results.measure("accuracy").name == "accuracy":
        names.discard("accuracy")
    ordered = sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))
    return {name: PLAIN_ACCURACY if name == "accuracy" else name for name in ordered}


def _parameter_column(name: str, taken: Container[str]) -> str:
    """Return the parameter's name, with a prefix if another column has that name."""
    return f"{_PARAMETER}{name}" if name in taken or name.startswith(_PARAMETER) else name


def _numbers(name: str, values: Iterable[float | None]) -> pd.Series[Any]:
    series = pd.Series(list(values), dtype="float64")
    is_whole = name.endswith("_bytes") or name.startswith("n_") or name in ("best_epoch", "macs")
    return series.round().astype("Int64") if is_whole else series


def classes_frame(results: StudyResults) -> pd.DataFrame:
    """Return the classes in the order of the models' outputs: ``output``, ``class`` and, of two, ``is_positive``."""
    dataset = results.study.dataset
    names = [str(name) for name in dataset.get("class_names", [])]
    columns: dict[str, list[object]] = {"output": list(range(len(names))), "class": list(names)}
    if len(names) == 2:
        columns["is_positive"] = [number == dataset.get("positive_class") for number in range(2)]
    return pd.DataFrame(columns)
