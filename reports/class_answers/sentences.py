"""What a reader must know of the answers by class, in sentences that are the same on the page and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from tunefront.reports.class_answers.class_answers import FrontAnswers


def describe_answers(answers: FrontAnswers, most_models: int) -> list[str]:
    """Return what was asked of which models, in a few sentences.

    Args:
        most_models: The number of models that are shown.
    """
    images = f"{answers.n_images} {answers.split} images"
    said = [f"What each model on the front answers to the {images}"]
    if answers.split == "test":
        said[0] += ", which chose nothing."
    else:
        said[0] += ". They chose its epoch and its place on the front, so on new images it is a little worse."
    if answers.folds and answers.split == "validation":
        said.append(
            f"With {answers.folds} folds the kept model is that of the first fold, and so are these images; scores "
            "elsewhere in this report are means over all folds."
        )
    more = [model.number for model in answers.models[most_models:]]
    if more:
        said.append(f"Shown are the first {most_models} of the front; class_scores.csv also has {_trials(more)}.")
    if answers.unknown:
        said.append(f"Not known of {_trials(answers.unknown)}: not saved, or by an earlier tunefront.")
    return said


def describe_scores(answers: FrontAnswers) -> str:
    """Return what the scores are."""
    positive = answers.positive
    subject = "a class" if positive is None else f"the positive class, {answers.class_names[positive]},"
    return (
        f"Recall (sensitivity) is the share of the images of {subject} that are taken for it; specificity that of the "
        "other images that are not. Precision (positive predictive value) is the share of the images taken for it that "
        "are of it; NPV (negative predictive value) that of the images not taken for it that are not. Ranges are "
        "Wilson's 95 % intervals, in percent. AUC is the area under the ROC curve, AP (average precision) that under "
        "the steps of precision and recall."
    )


def _trials(numbers: Sequence[int]) -> str:
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
