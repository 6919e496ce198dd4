"""The table of optimizers: the best trial of each, at its first, fifth and tenth epoch and so on."""

from __future__ import annotations

from dataclasses import dataclass

from tunefront.objectives.quantities import Unit, format_quantity
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.markdown import markdown_table
from tunefront.storage.trials import TrialRecord

_PARAMETER = "optimizer.name"
_EPOCHS = (1, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class OptimizerRow:
    """An optimizer's best complete trial by the study's measure of the first axis.

    Attributes:
        n_trials: The complete trials of this optimizer.
        at: Epoch -> validation score and validation loss, None where the trial has no such epoch or number.
        unit: The score's unit.
    """

    optimizer: str
    n_trials: int
    trial: int
    at: dict[int, tuple[float | None, float | None]]
    unit: Unit = "fraction"


def optimizer_rows(results: StudyResults) -> list[OptimizerRow]:
    """Return a row for each optimizer, the best first; none where trials do not differ in it.

    The epochs are 1, 5, 10, 20, 50 and 100, as far as any of the rows has them.
    """
    by_optimizer: dict[str, list[TrialRecord]] = {}
    for trial in results.trials:
        if trial.state == "complete" and _PARAMETER in trial.parameters and trial.epochs:
            by_optimizer.setdefault(str(trial.parameters[_PARAMETER]), []).append(trial)
    if len(by_optimizer) < 2:
        return []
    measure = results.measure("accuracy")

    def loss(trial: TrialRecord) -> float:
        return measure.loss(results.value(trial, "accuracy"))

    best = {name: min(trials, key=loss) for name, trials in by_optimizer.items()}
    n_epochs = max(len(trial.epochs) for trial in best.values())
    epochs = [epoch for epoch in _EPOCHS if epoch <= n_epochs]
    rows = [
        OptimizerRow(
            name, len(by_optimizer[name]), trial.number, {epoch: _at(trial, epoch) for epoch in epochs}, measure.unit
        )
        for name, trial in best.items()
    ]
    return sorted(rows, key=lambda row: (loss(best[row.optimizer]), row.optimizer))


def _at(trial: TrialRecord, epoch: int) -> tuple[float | None, float | None]:
    found = next((one for one in trial.epochs if one.epoch == epoch), None)
    return (None, None) if found is None else (found.accuracy, found.metrics.get("val_loss"))


def show_milestone(value: tuple[float | None, float | None], unit: Unit) -> str:
    """Return score and loss for people, such as ``"91.3 %, 0.284"``; empty where there is no such epoch."""
    score, loss = value
    if score is None:
        return ""
    shown = f"{100 * score:.1f} %" if unit == "fraction" else format_quantity(score, unit)
    return shown + ("" if loss is None else f", {loss:.3g}")


def describe_optimizers(results: StudyResults) -> str:
    """Return a sentence that explains the table."""
    measure = results.measure("accuracy")
    if measure.task == "regression":
        best = f"the complete trial with the best {measure.name}"
        return f"Of each optimizer {best}: validation {measure.name} and loss by epoch."
    return "Of each optimizer the most accurate complete trial: validation accuracy and loss by epoch."


def optimizers_markdown(results: StudyResults) -> str:
    """Return the table as Markdown with a heading; empty without rows."""
    rows = optimizer_rows(results)
    if not rows:
        return ""
    titles = ["optimizer", "trials", "best trial", *(f"epoch {epoch}" for epoch in rows[0].at)]
    cells = [
        [
            row.optimizer,
            str(row.n_trials),
            str(row.trial),
            *(show_milestone(value, row.unit) for value in row.at.values()),
        ]
        for row in rows
    ]
    return f"## Optimizers by epoch\n\n{describe_optimizers(results)}\n\n{markdown_table(titles, cells, n_numbers=0)}\n"
