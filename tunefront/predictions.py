"""Predictions by a study's model, for the command `predict` and from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunefront.study import StudyError

if TYPE_CHECKING:
    import pandas as pd

    from tunefront.search.prediction.predictor import Predictor
    from tunefront.storage.open_study import OpenStudy
    from tunefront.storage.trials import TrialRecord


def predictor_of(
    study: OpenStudy, number: int | None = None, *, allows_own_code: bool = False
) -> tuple[Predictor, list[str]]:
    """Return a study's model, not loaded yet, and lines that say which one it is, why, and whose code it runs.

    Args:
        number: The number of its trial; None takes the one that ``tunefront select`` chooses.
        allows_own_code: Whether code that this user has not approved may run.

    Raises:
        UnfitError: If the study's space is such code.
        NoModelError: If there is no such model on this machine.
        ModelFileError: If it cannot be used.
    """
    from tunefront.reports.confirmation.results import load_confirmation
    from tunefront.reports.selection.taken_model import take_model
    from tunefront.reports.study_results import load_results
    from tunefront.search.prediction.model_file import open_model_file
    from tunefront.search.prediction.predictor import Predictor
    from tunefront.search.preparation.own_code import describe_code
    from tunefront.spaces.own import OwnSpace
    from tunefront.storage.artifacts.model_files import ModelFiles

    folder = Path("results") / study.name
    results, files = load_results(study, folder), ModelFiles(study, folder)
    confirmation = load_confirmation(study.store, results, folder)
    taken = take_model(results, confirmation, number, lambda trial: files.bring([trial])[0])
    lines = [*taken.why, *files.problems, f"Its model: {taken.path}"]
    space = study.record.spec.get("space")
    if not isinstance(space, str):
        return Predictor(open_model_file(taken.path)), lines
    # The layers of a space of one's own are known once its code has run.
    check_code(study, allows_own_code=allows_own_code)
    own = OwnSpace.parse(space)
    return Predictor(open_model_file(taken.path), own.load), [*lines, describe_code([space])]


def loaded_model(study: OpenStudy, trial: TrialRecord, *, allows_own_code: bool) -> Any:
    """Load a trial's one model with Keras, after the code of a space of its own has run.

    Raises:
        StudyError: See :func:`kept_path`.
        UnfitError: If this user has not approved that code.
    """
    path = kept_path(study, trial)
    if isinstance(space := study.record.spec.get("space"), str):
        from tunefront.spaces.own import OwnSpace

        check_code(study, allows_own_code=allows_own_code)
        OwnSpace.parse(space).load()  # the layers of a space of one's own are known once its code has run
    from tunefront.search.models.kept_model import load_kept  # here, so that a mistake does not wait for Keras

    return load_kept(path)


def check_code(study: OpenStudy, *, allows_own_code: bool) -> None:
    """Refuse code of a stored study that this user has not approved on this machine.

    Raises:
        UnfitError: Names the file and the remedy.
    """
    from tunefront.approvals import read_approvals
    from tunefront.search.fleet.unfit import Trust

    Trust(allows_own_code=allows_own_code, approvals=read_approvals).check_code_of(study.name, study.record.spec)


def with_model_here(study: OpenStudy, trial: TrialRecord) -> TrialRecord:
    """Return a trial with its model on this machine: fetched from the study's artifacts where that is needed and goes.

    Raises:
        FolderTakenError: If ``results/NAME`` holds another study's results.
    """
    from tunefront.storage.artifacts.model_files import ModelFiles

    return ModelFiles(study, Path("results") / study.name).bring([trial])[0]


def kept_path(study: OpenStudy, trial: TrialRecord) -> Path:
    """Return the path of a trial's one model on this machine: of a confirmed one that of its best training.

    Where none of those is here, the search's own is fetched, see :func:`with_model_here`.

    Raises:
        StudyError: If it was not kept, or cannot be had.
    """
    from tunefront.reports.confirmation.results import load_confirmation
    from tunefront.reports.kept_models import training_of
    from tunefront.reports.study_results import load_results

    folder = Path("results") / study.name
    confirmation = load_confirmation(study.store, load_results(study, folder), folder)
    path = training_of(trial, confirmation.finalist(trial.number) if confirmation else None).model_path
    if not Path(path).is_file():
        path = with_model_here(study, trial).model_path
    again = f"'tunefront retrain {study.name} {trial.number}' trains it again"
    if not path:
        raise StudyError(f"the model of trial {trial.number} was not kept: only those of the front are. {again}")
    if not Path(path).is_file():
        raise StudyError(f"{path}: the model of trial {trial.number} is not on this machine. {again}")
    return Path(path)


def predictions_frame(predictor: Predictor, named: Sequence[str]) -> pd.DataFrame:
    """Return a row for each example of what is named, in the columns of ``tunefront predict --format csv``."""
    import pandas as pd

    from tunefront.search.prediction.inputs import find_inputs

    card = predictor.file.card
    columns = ["class", "probability", *(f"p_{name}" for name in card.names)] if card.names else ["number"]
    rows = []
    for found in predictor.predictions(find_inputs(named, card.input)):
        cells = (
            {} if found.answers is None else dict(zip(columns[2 if card.names else 0 :], found.answers, strict=True))
        )
        if card.names and found.answers is not None:
            cells |= {"class": card.names[int(found.answers.argmax())], "probability": found.answers.max()}
        rows.append({"input": found.name, **cells, "problem": found.problem})
    return pd.DataFrame(rows, columns=["input", *columns, "problem"])
