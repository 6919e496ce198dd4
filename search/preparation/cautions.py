"""Cautions for a person before the first trial, about numbers that may mislead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.objectives.chance import read_chance
from tunefront.search.data.inspection.data_report import describe_few
from tunefront.search.launching.machine import BUSY
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.settings import extremes

# Measure -> the constant answer with which a network reaches 100 % of it without looking at an image.
_CONSTANT_ANSWERS = {
    **dict.fromkeys(("recall", "precision", "f1_binary"), "the positive class"),
    "top_5_accuracy": "the same five classes",
}


def find_cautions(spec: StudySpec, dataset: Mapping[str, Any], load: float) -> list[str]:
    """Return all cautions, a sentence or two each.

    Args:
        dataset: Facts of the prepared data.
        load: Processes that wanted each CPU core before this run began to work.
    """
    found = (
        _describe_free_measure(spec, dataset),
        _describe_few_images(dataset),
        describe_single_steps(spec, dataset),
        _describe_busy(spec, load),
    )
    return [text for text in found if text]


def _describe_few_images(dataset: Mapping[str, Any]) -> str:
    """Return a caution on how coarse accuracies of few images are; with folds, all folds count together."""
    if dataset.get("task") == "regression":
        return ""
    n_validation = int(dataset["n_validation"]) * max(int(dataset.get("folds") or 0), 1)
    coarse = describe_few(n_validation, str(dataset.get("example", "image")))
    return f"caution: {coarse}. Smaller differences are chance" if coarse else ""


def describe_single_steps(spec: StudySpec, dataset: Mapping[str, Any]) -> str:
    """Return a caution that an epoch is one step with every batch size of the space; empty if it is not so."""
    space = spec.parsed_space()
    if isinstance(space, OwnSpace) or 0 not in extremes(space.general["steps_per_epoch"]):
        return ""
    smallest = int(min(int(size) for size in extremes(space.general["batch_size"])))
    n_train = int(dataset["n_train"])
    if n_train > smallest:
        return ""
    examples = f"{dataset.get('example', 'image')}s"
    return (
        f"caution: all {n_train} training {examples} are one batch, and an epoch is one step: write a batch_size below "
        f"{n_train} in [space], or more epochs"
    )


def _describe_free_measure(spec: StudySpec, dataset: Mapping[str, Any]) -> str:
    """Return a caution on an accuracy objective that reaches 100 % without looking at an image."""
    measure = spec.accuracy_measure
    chance = read_chance(dataset, measure)
    is_regression = spec.data.task == "regression"
    if is_regression or spec.objectives.accuracy is None or chance is None or chance.score < 1:
        return ""
    always = _CONSTANT_ANSWERS.get(measure, "the same class")
    if "auc" not in dataset["chances"]:  # the AUC needs images of two classes
        remedy = "Put images of another class into the validation split"
    elif measure == "top_5_accuracy":
        remedy = 'Put images of more classes into the validation split, or write "accuracy"'
    else:
        remedy = 'Write a measure that it cannot have whole, such as "f1_binary" or "auc"'
    return (
        f'caution: objectives.accuracy = "{measure}" alone says nothing here: a network that always says {always} has '
        f"100 %, and none can be better than it. {remedy}"
    )


def _describe_busy(spec: StudySpec, load: float) -> str:
    if load <= BUSY:
        return ""
    effect = ", and the front with them: wait until it is quiet"
    if spec.confirms is None:  # a confirmation has its search's objectives, which cannot be changed
        effect += ", or write time = false in [objectives]"
    return (
        f"caution: this machine is busy with something else: {load:.1f} processes wanted each CPU core in the last "
        f"minute. Times will be longer than alone and differ from run to run{effect if spec.objectives.time else ''}"
    )
