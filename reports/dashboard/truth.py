"""What optuna-dashboard shows besides its own: the front as a figure, a note, and more attributes of trials.

Nothing of it is written into the store. A figure of two thousand trials is half a megabyte, in pieces of two kilobytes,
and measures are a dozen rows a trial: written while a search runs, they would get in the way of its workers and be out
of date by the next trial. So they are added when optuna-dashboard reads a study in this process.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial

from tunefront.reports.dashboard.front import best_trials
from tunefront.reports.dashboard.note import with_note
from tunefront.reports.dashboard.readings import Reading, Readings
from tunefront.storage.trials import TrialRecord

FIGURE_ID = "tunefront-front"


def tell_truth(readings: Readings) -> None:
    """Make optuna-dashboard in this process show the front within the limits, and what `readings` know of its studies.

    It has no setting for any of that, so three of its functions are replaced.
    """
    from optuna_dashboard import _app, _storage

    _app.get_pareto_front_trials = best_trials
    _app.get_trials = _with_attributes(_storage.get_trials, readings)
    _app.get_study = _with_figure_and_note(_storage.get_study, readings)


def _with_attributes(
    get_trials: Callable[..., list[FrozenTrial]], readings: Readings
) -> Callable[..., list[FrozenTrial]]:
    def get_more(cache: Any, storage: Any, study_id: int) -> list[FrozenTrial]:
        found, study = get_trials(cache, storage, study_id), readings.find(study_id)
        if study is None:
            return found
        reading = readings.latest(study)
        known = {trial.number: trial for trial in reading.results.trials}
        return [_described(reading, each, known.get(each.number)) for each in found]

    return get_more


def _described(reading: Reading, trial: FrozenTrial, known: TrialRecord | None) -> FrozenTrial:
    if known is None:  # it began since
        return trial
    described = copy.copy(trial)
    described.user_attrs = {**trial.user_attrs, **attributes(reading, known)}
    return described


def attributes(reading: Reading, trial: TrialRecord) -> dict[str, Any]:
    """Return what a trial's attributes say besides those in the store: its measures, its model, its log, its place."""
    results = reading.results
    told: dict[str, Any] = {name: float(value) for name, value in sorted(trial.measurements.items())}
    if not results.study.spec.get("confirms"):  # single trainings have no front of their own
        told["on front"] = "yes" if trial.number in results.front_numbers else "no"
    if results.is_guessing(trial):
        told["no better than guessing"] = "yes"
    if trial.model_path:
        told["model"] = trial.model_path
    log = reading.folder / "logs" / f"trial-{trial.number}.log" if reading.folder else None
    if log is not None and log.is_file():
        told["log"] = str(log)
    return told


def _with_figure_and_note(
    get_study: Callable[..., FrozenStudy | None], readings: Readings
) -> Callable[..., FrozenStudy | None]:
    from optuna_dashboard._custom_plot_data import SYSTEM_ATTR_PLOT_DATA, split_plot_data
    from optuna_dashboard._note import get_note_from_system_attrs, note_str_key_prefix, note_ver_key, split_body

    figure_key, note_key = f"{SYSTEM_ATTR_PLOT_DATA}{FIGURE_ID}:", note_str_key_prefix(None)

    def get_more(storage: Any, study_id: int) -> FrozenStudy | None:
        found, study = get_study(storage, study_id), readings.find(study_id)
        if found is None or study is None:
            return found
        reading = readings.latest(study)
        stored = found.system_attrs
        note = get_note_from_system_attrs(stored, None)
        # What an earlier tunefront wrote under these keys is replaced, and may have had more pieces.
        kept = {key: value for key, value in stored.items() if not key.startswith((figure_key, note_key))}
        shown = copy.copy(found)
        shown.system_attrs = {
            **kept,
            **split_plot_data(reading.figure_json, figure_key),
            **split_body(with_note(reading, note["body"]), None),
            note_ver_key(None): note["version"],
        }
        return shown

    return get_more
