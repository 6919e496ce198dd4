"""The notes of a run at its end, for reports: why the study is over, and what stopping trials has cost it."""

from __future__ import annotations

from tunefront.search.pruning.front_loss import estimate_front_loss
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.end_reason import Ending, describe_early_end
from tunefront.storage import trials
from tunefront.storage.control import study_control
from tunefront.storage.control.wishes import StudyWish
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.studies import WRITTEN_SPEC


def note_written_spec(study: OpenStudy, spec: StudySpec) -> None:
    """Note the keys that a new study's spec was written with, and their values; once it has trials they are not known.

    A spec that goes on with a study has all keys of the stored one, whoever wrote them.
    """
    if WRITTEN_SPEC not in study.optuna.user_attrs and not study.optuna.get_trials(deepcopy=False):
        study.optuna.set_user_attr(WRITTEN_SPEC, spec.model_dump(mode="json", exclude_unset=True))


def note_ending(assignment: Assignment, ending: Ending) -> None:
    """Note that a study is over, and in a sentence why it is done if it ended early."""
    if ending.is_over:
        study_control.note_over(assignment.study)
    if ending is Ending.STOPPED:
        note_stopped(assignment.study)
    else:
        _note_ending(assignment.study, describe_early_end(ending, assignment.spec))


def note_stopped(study: OpenStudy) -> None:
    """Note that a person stopped the study; nothing if it was opened again meanwhile.

    Reports tell this note, and are sent on: who it was stands beside it in the store.
    """
    if study_control.read(study).wish.of_study is StudyWish.STOPPED:
        _note_ending(study, "a person stopped it")


def forget_ending(study: OpenStudy) -> None:
    """Remove the notes of an earlier end, because the study goes on; they are gone even if this run is killed."""
    study_control.note_over(study, is_over=False)
    _note_ending(study, "")


def _note_ending(study: OpenStudy, text: str) -> None:
    if study.optuna.user_attrs.get("ending", "") != text:
        study.optuna.set_user_attr("ending", text)


def note_front_loss(study: OpenStudy, pruner: ParetoPruner | None) -> None:
    """Note how much of the front was stopped, judged by the trials that have finished; nothing if none was stopped.

    All numbers of the estimate are None while too few trials have finished.
    """
    if pruner is None:
        return
    records = trials.load(study)
    n_stopped = sum(record.state == "pruned" and bool(record.epochs) for record in records)
    if not n_stopped:
        return
    found = estimate_front_loss(pruner, records)
    noted = {
        "lost": found and found.lost,
        "at_risk": found and found.at_risk,
        "low": found and found.low,
        "high": found and found.high,
        "n_stopped": n_stopped,
        "front_loss": pruner.front_loss,
    }
    if study.optuna.user_attrs.get("front_loss") != noted:
        study.optuna.set_user_attr("front_loss", noted)
