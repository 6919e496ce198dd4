"""A candidate trained once more for use: its model, with a card that says what it was trained on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunefront.objectives.measures import MEASURES
from tunefront.objectives.quantities import format_quantity
from tunefront.search.checkpoints.trial_folder import remove_checkpoints
from tunefront.search.data.dataset import Dataset
from tunefront.search.launching import machine
from tunefront.search.launching.asker import Asker
from tunefront.search.launching.gpus import list_gpus
from tunefront.search.launching.slots import Slot
from tunefront.search.retraining.last_training import RetrainingTask, train_again
from tunefront.search.retraining.plan import RetrainingPlan
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.search.supervisor.model_card import facts_of_model, versions_in
from tunefront.search.system.links import refuse_link
from tunefront.storage.open_study import OpenStudy

FOLDER = "retrained"  # in the folder of the study's results
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Retrained:
    """The result of a retraining.

    Attributes:
        path: The model; its card lies beside it.
        card: The content of its card.
        n_before: The steps of an epoch in the search.
    """

    path: Path
    card: dict[str, Any]
    n_before: int
    is_confirmed: bool

    def describe(self) -> str:
        """Describe what it was trained on and what its score is, in two lines for a person."""
        trained = self.card["trained_on"]
        steps = f"{trained['steps_per_epoch']} steps an epoch"
        before = f", {self.n_before} in the search" if trained["steps_per_epoch"] != self.n_before else ""
        return "\n".join(
            (f"trained on {trained['n_examples']:,} {trained['examples']}s, {steps}{before}", *self._scores())
        )

    def _scores(self) -> list[str]:
        scores = self.card["scores"]
        if scores == NOT_MEASURED:
            return ["its score is not measured: there is nothing left that it was not trained on"]
        lines = []
        for split, score in scores.items():
            value = format_quantity(score["value"], MEASURES[score["measure"]].unit)
            on = f"{score['n_examples']:,} {split} {self.card['trained_on']['examples']}s"
            lines.append(f"{score['measure']} {value} on the {on}, {self._caution(split)}")
        return lines

    def _caution(self, split: str) -> str:
        """Return what a score of a split is worth, as the end of a sentence."""
        if split == "validation":
            return "by which the search chose: it is a little too good"
        if self.is_confirmed:
            return "which chose nothing here; if the confirmation's numbers chose the trial, it is a little too good"
        return "which chose nothing here"


@dataclass(frozen=True)
class Retraining:
    """A retraining that is under way.

    Attributes:
        study: The search.
        out: The folder of its results.
    """

    study: OpenStudy
    plan: RetrainingPlan
    out: Path

    def carry_out(self, asker: Asker) -> Retrained:
        """Train, and give the model its name only when it is whole: an earlier one stays until then.

        A training that was interrupted goes on from its last checkpoint, which lies there until there is a model.

        Raises:
            AnswerError: If the candidate or the data cannot be used.
            OSError: If a link stands where a file is to be written.
        """
        plan, models = self.plan, KeptModels(self.study, self.out / FOLDER)
        folder = self.out / "checkpoints" / f"trial-{plan.number}-retrained"
        refuse_link(folder.parent)
        refuse_link(folder)
        task = RetrainingTask(
            spec=plan.spec.as_json(),
            number=plan.number,
            candidate=plan.candidate,
            trains_validation=plan.part == "train+validation",
            epochs=plan.epochs,
            rates=tuple(plan.rates),
            seed=plan.seed,
            fingerprint=str(self.study.record.dataset["fingerprint"]),
            model_path=str(models.partial_path(plan.number)),
            checkpoint_folder=str(folder),
        )
        try:
            found = asker.ask(train_again, task)
            card = self._card(found)
            path = models.publish(plan.number, card)
            with contextlib.suppress(OSError):
                remove_checkpoints(folder)
                folder.parent.rmdir()  # if it is empty now
        finally:
            models.drop_partial(plan.number)
        return Retrained(path, card, found["n_before"], plan.is_confirmed)

    def _card(self, found: dict[str, Any]) -> dict[str, Any]:
        plan, searched = self.plan, Dataset.read(Path(found["folder"]))
        is_all = plan.part == "train+validation"
        dataset = searched.with_validation_trained() if is_all else searched
        facts = machine.describe([Slot("cpu0", 1)], list_gpus(), found["versions"], plan.spec.training.precision)
        return {
            "study": self.study.name,
            "trial": plan.number,
            "is_retrained": True,
            "trained_on": {
                "splits": ["train", "validation"] if is_all else ["train"],
                "examples": dataset.example_word,
                "n_examples": found["n_trained"],
                "epochs": plan.epochs,
                "why_epochs": plan.why_epochs,
                "steps_per_epoch": found["n_steps"],
                "seed": plan.seed,
            },
            "scores": _scores(plan.spec.accuracy_measure, dataset, found["measurements"]) or NOT_MEASURED,
            **facts_of_model(plan.spec.data, dataset, plan.candidate, found["measurements"]),
            "versions": versions_in(facts),
        }


def _scores(measure: str, dataset: Dataset, measurements: dict[str, float]) -> dict[str, Any]:
    """Return the score of each split that was not trained on, where it is defined there."""
    counts = {"validation": len(dataset.split("validation").labels), "test": dataset.n_test}
    names = {"validation": measure, "test": f"test_{measure}"}
    return {
        split: {"measure": measure, "value": measurements[names[split]], "n_examples": count}
        for split, count in counts.items()
        if count and names[split] in measurements
    }
