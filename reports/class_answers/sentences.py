"""What a reader must know of the answers by class, in sentences that are the same on the page and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from tunefront.reports.class_answers.class_answers import FrontAnswers


def describe_answers(answers: FrontAnswers, most_models: int) -> list[str]:
    """Return what was asked of which models, in a few sentences.

    Args:
        most_models: The number of models that are shown.
    """
    examples = f"{answers.n_images} {answers.split} {answers.examples}"
    whose = "each finalist, trained again," if answers.confirmation else "each model on the front"
    said = [f"What {whose} answers to the {examples}"]
    if answers.split == "test":
        said[0] += ", which chose nothing."
    else:
        said[0] += (
            f". They chose its epoch and its place on the front, so on new {answers.examples} it is a little worse."
        )
    if answers.confirmation:
        said.append(
            f"Of several trainings it is the one whose model is kept, the best on the validation {answers.examples}."
        )
    if answers.folds and answers.split == "validation":
        said.append(
            f"With {answers.folds} folds the kept model is that of the first fold, and so are these "
            f"{answers.examples}; scores elsewhere in this report are means over all folds."
        )
    more = [model.number for model in answers.models[most_models:]]
    if more:
        said.append(f"Shown are the first {most_models}; class_scores.csv also has {_trials(more)}.")
    if answers.unknown:
        why = "not trained again" if answers.confirmation else "not saved"
        said.append(f"Not known of {_trials(answers.unknown)}: {why}, or by an earlier tunefront.")
    return said


def describe_scores(answers: FrontAnswers) -> str:
    """Return what the scores are."""
    positive, examples = answers.positive, answers.examples
    subject = "a class" if positive is None else f"the positive class, {answers.class_names[positive]},"
    return (
        f"Recall (sensitivity) is the share of the {examples} of {subject} that are taken for it; specificity that of "
        f"the other {examples} that are not. Precision (positive predictive value) is the share of the {examples} "
        f"taken for it that are of it; NPV (negative predictive value) that of the {examples} not taken for it that "
        "are not. Ranges are Wilson's 95 % intervals, in percent. AUC is the area under the ROC curve, AP (average "
        "precision) that under the steps of precision and recall."
    )


def describe_reliability(answers: FrontAnswers) -> str:
    """Return what a reliability diagram shows."""
    return (
        f"In the reliability diagram the {answers.examples} stand in ten groups of about equal number, by the "
        "probability that the model gives the class it chooses; below the dotted line it is surer than it should be. "
        "Bars are Wilson's 95 % intervals. ECE is the mean distance from the line."
    )


def _trials(numbers: Sequence[int]) -> str:
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
