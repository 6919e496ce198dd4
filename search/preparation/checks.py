"""Checks that a spec fits its data, before the first trial. They run in a child that has Keras."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.measures import is_defined
from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.asker import CheckError
from tunefront.search.preparation.limit_checks import check_deployment, check_limits
from tunefront.search.preparation.own_space_checks import probe
from tunefront.search.preparation.pixel_checks import check_levels, check_values
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.ranges import Range
from tunefront.spaces.settings import extremes
from tunefront.spaces.space import Space


def check(spec: StudySpec, dataset: Dataset) -> None:
    """Find what would make trials fail.

    Raises:
        CheckError: Names key, value and remedy.
        SpaceError: If a user's own space raises or returns what cannot be trained.
    """
    _check_measures(spec, dataset)
    _check_tensorboard(spec)
    _check_lookups(dataset)
    check_deployment(spec)
    space = spec.parsed_space()
    if isinstance(space, OwnSpace):
        probe(spec, space, dataset)
    else:
        check_values(space, dataset)
        _check_channels(space, dataset)
        _check_output(space, dataset)
        check_levels(space, dataset)
        _check_image_size(space, dataset)
        _check_weights(spec, space, dataset)
    check_limits(spec, space, dataset)


def _check_measures(spec: StudySpec, dataset: Dataset) -> None:
    # Only a confirmation scores the test images. A measure that they do not define is better reported before the
    # search.
    key = f"objectives.{spec.axis_names['accuracy']}"
    _check_measure(key, spec.accuracy_measure, spec.accuracy_measure, dataset)
    _check_defined(key, spec.accuracy_measure, dataset, ("validation", "test"))
    for limit in spec.extra_limits():
        _check_measure(f"limits.{limit.measure.name}", limit.measure.name, spec.accuracy_measure, dataset)
        _check_defined(f"limits.{limit.measure.name}", limit.measure.name, dataset, ("validation",))
    check_monitor("training", spec.training, spec.accuracy_measure, dataset)
    _check_part("training.validation_steps", spec.accuracy_measure, spec.training, dataset)


def check_monitor(table: str, training: TrainingTable, accuracy_measure: str, dataset: Dataset) -> None:
    """Refuse a monitor that is no score of this training, because Keras would only warn and train to the end.

    Args:
        table: The table of the training in the spec.
        accuracy_measure: The measure that accuracy means in this training.

    Raises:
        CheckError: Names key, value and remedy.
    """
    if training.early_stopping is None:
        return
    key, monitor = f"{table}.early_stopping.monitor", training.early_stopping.monitor
    _check_measure(key, monitor, accuracy_measure, dataset)
    _check_defined(key, monitor, dataset, ("validation",))
    _check_part(f"{table}.validation_steps", monitor, training, dataset)


def _check_measure(key: str, name: str, accuracy_measure: str, dataset: Dataset) -> None:
    n_classes = dataset.n_classes
    if dataset.task == "regression":
        return
    if name == "f1_binary" and n_classes != 2:
        raise CheckError(f"{key}: f1_binary needs two classes, and there are {n_classes}: write f1_macro")
    if name == "top_5_accuracy" and n_classes <= 5:
        raise CheckError(f"{key}: top_5_accuracy needs more than 5 classes, and there are {n_classes}")
    if name == "auc" and n_classes > 2 and accuracy_measure != "auc":
        raise CheckError(
            f"{key}: with more than two classes the AUC is measured only where it is the objective: "
            'write objectives.accuracy = "auc", or monitor another one'
        )


def _check_defined(key: str, name: str, dataset: Dataset, splits: Sequence[str]) -> None:
    """Refuse a measure that is undefined on some split or fold."""
    for split in splits:
        n_folds = dataset.folds if split == "validation" else 0
        for fold in range(max(n_folds, 1)):
            what = f"fold {fold + 1} of {n_folds}" if n_folds else f"the {split} split"
            problem = (
                _undefined_numbers(name, what, dataset.numbers(split, fold))
                if dataset.task == "regression"
                else _undefined(name, what, dataset, dataset.class_counts(split, fold))
            )
            if problem:
                raise CheckError(f"{key}: {problem}")


def _undefined_numbers(name: str, what: str, numbers: NDArray[np.float64]) -> str:
    """Say why a measure of predicted numbers is not defined there; empty if it is."""
    if name != "r2" or not len(numbers) or numbers.min() < numbers.max():
        return ""
    held = f"all its {len(numbers)} labels are {numbers[0]:g}" if len(numbers) > 1 else "it has one example"
    return f'r2 is not defined on {what}: {held}. Put other examples there, or write "rmse" or "mae"'


def _undefined(name: str, what: str, dataset: Dataset, counts: NDArray[np.int64]) -> str:
    is_there = counts.any() and not is_defined(name, counts, dataset.positive_class)
    return _describe_undefined(name, what, dataset, counts) if is_there else ""


def _check_part(key: str, name: str, training: TrainingTable, dataset: Dataset) -> None:
    """Refuse a measure that is undefined on the validation images that score each epoch."""
    if training.n_validated is None:
        return
    for fold in range(max(dataset.folds, 1)):
        split = dataset.split("validation", fold)
        labels = split.part(training.n_validated).labels
        if dataset.task == "regression":
            lacks = "" if name != "r2" or len(np.unique(labels)) > 1 else "all their labels are one number"
        else:
            counts = np.bincount(labels, minlength=dataset.n_classes)
            lacks = "" if is_defined(name, counts, dataset.positive_class) else "they lack a class that it needs"
        if lacks and len(labels) < len(split.labels):
            raise CheckError(
                f"{key}: {name} is not defined on the {len(labels)} of {len(split.labels)} validation examples that "
                f"{training.validation_steps} steps score: {lacks}. Write more, or leave it out"
            )


def _describe_undefined(name: str, what: str, dataset: Dataset, counts: NDArray[np.int64]) -> str:
    present = [dataset.class_names[number] for number in np.flatnonzero(counts)]
    if name == "auc":
        missing = [f"'{other}'" for other in dataset.class_names if other not in present]
        held = f"all its {counts.sum()} images are of class '{present[0]}'"
        wanted = missing[0] if len(missing) == 1 else "other classes"
    else:
        wanted = f"'{dataset.class_names[dataset.positive_class]}'"
        held = f"none of its {counts.sum()} images is of class {wanted}, the positive one"
    return (
        f"{name} is not defined on {what}: {held}. Put images of {wanted} there, "
        'or write another measure, such as "accuracy" or "f1_macro"'
    )


def _check_tensorboard(spec: StudySpec) -> None:
    if spec.training.tensorboard and importlib.util.find_spec("tensorboard") is None:
        raise CheckError(
            "training.tensorboard: the package tensorboard is not installed: pip install 'tunefront[tensorboard]'"
        )


def _check_lookups(dataset: Dataset) -> None:
    if any(column.kind == "category" for column in dataset.columns) and importlib.util.find_spec("tensorflow") is None:
        raise CheckError(
            "data: Keras looks up categories with TensorFlow, whatever the backend, and it is not installed: pip "
            "install tensorflow, or name the columns of categories in data.ignore"
        )


def _check_channels(space: Space, dataset: Dataset) -> None:
    shape = dataset.image_shape
    names = [name for name, found in ARCHITECTURES.items() if "freeze_fraction" in found.settings]
    chosen = [name for name in space.families["architecture"] if name in names]
    if chosen and shape[2] not in (1, 3):
        raise CheckError(f"space.architecture: {chosen[0]} takes 1 or 3 channels, and the data has {shape[2]}")


def _check_output(space: Space, dataset: Dataset) -> None:
    if "sigmoid" in extremes(space.general["output"]) and dataset.n_outputs != 2:
        raise CheckError(
            f"space.output: one sigmoid unit is for two classes, and there are {dataset.n_outputs}: "
            'write output = "softmax"'
        )


def _sizes(space: Space, dataset: Dataset) -> list[int]:
    """Return every image side that a candidate can have; of a range, the smallest and the largest."""
    own = min(dataset.image_shape[:2])
    return sorted({int(size) or own for size in extremes(space.general["image_size"])})


def _check_image_size(space: Space, dataset: Dataset) -> None:
    if len(dataset.image_shape) != 3:
        return
    size = _sizes(space, dataset)[0]
    for name in space.families["architecture"]:
        smallest = ARCHITECTURES[name].smallest_image
        if size < smallest:
            raise CheckError(
                f"space.image_size: {name} takes images of {smallest} pixels and more, and would get {size}. "
                f"Set image_size = {smallest} or more in [space], which resizes inside the model, or leave {name} out"
            )


def _check_weights(spec: StudySpec, space: Space, dataset: Dataset) -> None:
    """Load every set of weights once, so that downloads are done before trials would do them all at once."""
    from tunefront.search.trial import trainable

    for name, ranges in space.families["architecture"].items():
        if "weights" not in ranges:
            continue
        for chosen in _weights_and_widths(ranges):
            if chosen["weights"] == "none":
                continue
            settings = {key: extremes(spec_range)[0] for key, spec_range in ranges.items()} | chosen
            candidate = _candidate(space, name, settings)
            try:
                trainable.build(space, candidate, dataset, spec.training, seed=0)
            except ValueError as error:
                raise CheckError(f"space.{name}: {error}{_pretrain_hint(spec, chosen['weights'])}") from None


def _weights_and_widths(ranges: Any) -> Iterator[dict[str, Any]]:
    keys = [key for key in ("weights", "width") if key in ranges]
    for values in product(*(extremes(ranges[key]) for key in keys)):
        yield dict(zip(keys, values, strict=True))


def _pretrain_hint(spec: StudySpec, weights: Any) -> str:
    if spec.pretrain is not None and spec.pretrain.weights == weights:
        return " This spec makes that file: run 'tunefront pretrain' on it first"
    return ""


def _candidate(space: Space, architecture: str, settings: dict[str, Any]) -> Any:

    general: dict[str, Range] = {**space.general}
    return Candidate(
        architecture=architecture,
        architecture_settings=settings,
        optimizer="sgd",
        optimizer_settings={"learning_rate": 0.001},
        schedule_settings={"warm_up_epochs": 0.0},
        image_size=int(extremes(general["image_size"])[0]),
        output=str(extremes(general["output"])[0]),
        loss=str(extremes(general["loss"])[0]),
    )
