"""The trainings of a search's confirmation, by the trial whose candidate each trained again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunefront.search.spec.derived import SUFFIX
from tunefront.storage import studies, trials
from tunefront.storage.artifacts.model_files import CONFIRMATION, ModelFiles
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.trials import TrialRecord


def confirmed_trainings(
    search: OpenStudy, records: Sequence[TrialRecord], folder: Path | None = None
) -> dict[int, list[TrialRecord]]:
    """Return the complete trainings of each confirmed trial, in the order of their numbers; empty if there are none.

    Args:
        records: The search's trials.
        folder: The folder of the search's results, where models of other machines may have been brought to.
    """
    study = studies.find(search.store, f"{search.name}{SUFFIX}")
    if study is None:
        return {}
    parameters = {trial.number: dict(trial.parameters) for trial in records}
    candidates = {trial.number: trial.user_attrs.get("candidate", -1) for trial in study.optuna.get_trials(False)}
    found: dict[int, list[TrialRecord]] = {}
    trainings = trials.load(study)
    if folder is not None:
        trainings = ModelFiles(study, folder / CONFIRMATION).here(trainings)
    for training in trainings:
        number = candidates[training.number]
        # A deleted search of the same name had other candidates, so the parameters must agree too.
        if training.state == "complete" and parameters.get(number) == dict(training.parameters):
            found.setdefault(number, []).append(training)
    return dict(sorted(found.items()))
