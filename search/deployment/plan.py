"""The plan of a deployment: which models of a study are exported, the confirmed ones first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunefront.mistakes import TunefrontError
from tunefront.search.confirmation.candidates_again import read_stored_spec
from tunefront.search.confirmation.finalists import choose_finalists
from tunefront.search.confirmation.plan import n_scored
from tunefront.search.confirmation.searches import check_is_search
from tunefront.search.confirmation.trainings import confirmed_trainings
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage import trials
from tunefront.storage.artifacts.model_files import ModelFiles
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.trials import TrialRecord


class DeploymentError(TunefrontError):
    """A study's models cannot be deployed: why, and what to do."""


@dataclass(frozen=True)
class KeptFile:
    """A kept model on this machine.

    Attributes:
        number: The number of the search's trial.
        path: The ``.keras`` file; its card lies beside it.
        training: The number of the confirmation's training that it is from; None if it is the search's own.
    """

    number: int
    path: Path
    training: int | None = None


@dataclass(frozen=True)
class DeploymentPlan:
    """The models to deploy, planned.

    Attributes:
        models: Confirmed ones first, then the front, then near misses.
        missing: Trials of the front or near it that have no model here -> why.
    """

    spec: StudySpec
    models: Sequence[KeptFile]
    missing: Mapping[int, str]


def plan_deployment(search: OpenStudy, folder: Path | None = None) -> DeploymentPlan:
    """Choose the models: of the front and its near misses, and of all that were confirmed. Writes nothing.

    Of a confirmed candidate it is the kept model with the best validation accuracy, as in the report.

    Args:
        folder: The folder of the search's results on this machine, where models of others may have been brought to.

    Raises:
        NotASearchError: If the study is a confirmation.
        DeploymentError: If there is no kept model here; says how to get one.
        RemakingError: If the study's spec cannot be read.
    """
    record = search.record
    check_is_search(record, "deploy")
    spec = read_stored_spec(record)
    if spec.data.task == "regression":
        raise DeploymentError(
            f"study {record.name!r} predicts numbers, and only classifiers are deployed: export its models with "
            "model.export of Keras"
        )
    if record.dataset.get("columns"):
        raise DeploymentError(
            f"study {record.name!r} has tables of columns, whose lookups of texts need TensorFlow itself: its .keras "
            "files are what is deployed"
        )
    records = trials.load(search)
    if folder is not None:
        records = ModelFiles(search, folder).here(records)
    finalists = choose_finalists(records, list(spec.parsed_objectives().values()), n_scored(record))
    confirmed = _confirmed_models(search, spec, records, folder)
    by_number = {trial.number: trial for trial in records}
    found, missing = [], {}
    for number in dict.fromkeys([*confirmed, *(finalist.number for finalist in finalists)]):
        if number in confirmed:
            found.append(confirmed[number])
            continue
        path = by_number[number].model_path
        if path and Path(path).is_file():
            found.append(KeptFile(number, Path(path)))
        else:
            missing[number] = f"its model is not on this machine: {path}" if path else "no model was kept"
    if not found:
        raise DeploymentError(_why_none(search, records, missing))
    return DeploymentPlan(spec, found, missing)


def _confirmed_models(
    search: OpenStudy, spec: StudySpec, records: Sequence[TrialRecord], folder: Path | None
) -> dict[int, KeptFile]:
    found = {}
    for number, trainings in confirmed_trainings(search, records, folder).items():
        kept = [one for one in trainings if one.model_path and Path(one.model_path).is_file()]
        if kept:
            best = max(kept, key=lambda one: one.measurements.get(spec.accuracy_measure, float("-inf")))
            found[number] = KeptFile(number, Path(best.model_path), best.number)
    return found


def _why_none(search: OpenStudy, records: Sequence[TrialRecord], missing: Mapping[int, str]) -> str:
    if missing:
        number, why = next(iter(missing.items()))
        return (
            f"study {search.name!r} has no kept model to deploy (trial {number}: {why}). 'tunefront confirm "
            f"{search.name}' trains its front again here, and keeps the models"
        )
    if any(trial.state == "complete" for trial in records):
        return f"no complete trial of study {search.name!r} keeps its limits, so that no model was kept: relax a limit"
    return f"study {search.name!r} has no complete trial yet, and so no kept model: let it run on"
