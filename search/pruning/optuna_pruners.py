"""The pruners of Optuna by name, for a study of the first axis alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

import optuna
from optuna import pruners
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial

from tunefront.objectives.measures import Measure
from tunefront.objectives.quantities import format_quantity
from tunefront.search.pruning.verdict import GO_ON, Verdict
from tunefront.search.spec.tables import HyperbandTable, OptunaPrunerTable, PatientTable
from tunefront.storage.curves import Epoch

_PRUNERS: Mapping[str, Callable[..., BasePruner]] = {
    "median": pruners.MedianPruner,
    "percentile": pruners.PercentilePruner,
    "successive_halving": pruners.SuccessiveHalvingPruner,
    "hyperband": pruners.HyperbandPruner,
    "threshold": pruners.ThresholdPruner,
    "wilcoxon": pruners.WilcoxonPruner,
}


def make_pruner(table: OptunaPrunerTable, epochs: int) -> BasePruner:
    """Make the pruner that a table names; steps are epochs, counted from 1."""
    settings = table.model_dump(exclude={"name", "wrapped"})
    if "n_warmup_steps" in settings:  # Optuna counts warm-up steps and intervals from step 0
        settings["n_warmup_steps"] += 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        if isinstance(table, PatientTable):
            wrapped = make_pruner(table.wrapped, epochs) if table.wrapped is not None else None
            return pruners.PatientPruner(wrapped, **settings)
        if isinstance(table, HyperbandTable):
            settings["max_resource"] = epochs
        return _PRUNERS[table.name](**settings)


class OptunaJudge:
    """A judge of running trials that asks one of Optuna's pruners.

    Args:
        study: The study with the intermediate values of the other trials. Optuna takes the direction from it.
        measure: The measure of the intermediate values.
    """

    def __init__(self, table: OptunaPrunerTable, epochs: int, study: optuna.Study, measure: Measure) -> None:
        self._name = table.name
        self._pruner = make_pruner(table, epochs)
        self._study = study
        self._measure = measure

    def judge(self, trial: FrozenTrial, curve: Sequence[Epoch]) -> Verdict:
        """Judge a trial by its epochs so far, at least one; its intermediate values are replaced by these."""
        trial.intermediate_values = {epoch.epoch: epoch.accuracy for epoch in curve}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Wilcoxon warns of epochs that the best trial lacks
            try:
                is_stopped = self._pruner.prune(self._study, trial)
            except UpdateFinishedTrialError:  # a person has ended the trial meanwhile, so its result is refused later
                is_stopped = False
            if not is_stopped:
                return GO_ON
        last = curve[-1]
        shown = format_quantity(last.accuracy, self._measure.unit)
        name = self._measure.name if self._measure.task == "regression" else "accuracy"
        reason = f"epoch {last.epoch}: stopped by the {self._name} rule at {name} {shown}"
        return Verdict(False, reason, brief=f"{name} {shown}, by the {self._name} rule")
