"""Trials and the front as data frames, for CSV files and programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from objectives import MEASURES
from reports.front import StudyResults
from storage import TrialRecord

FIRST_COLUMNS = ("trial", "state", "reason", "accuracy", "memory_bytes", "time_seconds", "on_front", "epochs")


def trials_frame(results: StudyResults) -> pd.DataFrame:
    """Every trial in the order of its number, a row each.

    Returns:
        The columns of :data:`FIRST_COLUMNS`, then measurements (those an objective could use first),
        then parameters by name. The three axes are in their units, accuracy as a fraction; a cell is
        empty where nothing was measured or the trial has no such parameter.
    """
    return _frame(results, results.trials)


def front_frame(results: StudyResults) -> pd.DataFrame:
    """The trials on the front, best accuracy first, in the columns of :func:`trials_frame`.

    Columns that are empty in all of them are left out, but for the first eight.
    """
    frame = _frame(results, results.front)
    return frame[[name for name in frame.columns if name in FIRST_COLUMNS or frame[name].notna().any()]]


def _frame(results: StudyResults, trials: Sequence[TrialRecord]) -> pd.DataFrame:
    measured = _measurement_names(results)
    parameters = sorted({name for trial in results.trials for name in trial.parameters})
    columns = {
        "trial": pd.Series([trial.number for trial in trials], dtype="int64"),
        "state": pd.Series([trial.state for trial in trials], dtype="str"),
        "reason": pd.Series([trial.reason for trial in trials], dtype="str"),
        "accuracy": _numbers("accuracy", (results.value(trial, "accuracy") for trial in trials)),
        "memory_bytes": _numbers("memory_bytes", (results.value(trial, "memory") for trial in trials)),
        "time_seconds": _numbers("time_seconds", (results.value(trial, "time") for trial in trials)),
        "on_front": pd.Series([trial.number in results.front_numbers for trial in trials], dtype="bool"),
        "epochs": pd.Series([len(trial.epochs) for trial in trials], dtype="int64"),
    }
    columns |= {name: _numbers(name, (trial.measurements.get(name) for trial in trials)) for name in measured}
    # As objects, or pandas would make 3.0 of a 3 where some trials have no such parameter.
    columns |= {
        name: pd.Series([trial.parameters.get(name) for trial in trials], dtype="object") for name in parameters
    }
    return pd.DataFrame(columns)


def _measurement_names(results: StudyResults) -> list[str]:
    known = list(MEASURES)
    names = {name for trial in results.trials for name in trial.measurements}
    # "accuracy" stands among the first columns already.
    return sorted(
        names.difference(FIRST_COLUMNS), key=lambda name: (known.index(name) if name in known else len(known), name)
    )


def _numbers(name: str, values: Iterable[float | None]) -> pd.Series[Any]:
    series = pd.Series(list(values), dtype="float64")
    is_whole = name.endswith("_bytes") or name.startswith("n_") or name == "best_epoch"
    return series.round().astype("Int64") if is_whole else series
