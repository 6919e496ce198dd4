"""Values and labels that come as arrays, from files or a user's function: checked, and made into examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.measures import Task
from tunefront.search.data.decoding.pixel_scale import Scale, as_pixels, likely_scale
from tunefront.search.data.examples import DataError, Examples, SplitName
from tunefront.search.data.sources.numbers import checked_numbers

_FAR_APART = 8  # factor between the largest values of two splits; on one scale they are nearer to each other


def examples_of_arrays(
    where: str,
    parts: Sequence[tuple[SplitName | None, str, Any, Any]],
    class_names: Any = None,
    scale: Scale = "",
    task: Task = "classification",
) -> Examples:
    """Make examples of one or several arrays.

    Args:
        where: The beginning of messages: a path, or the user's name of the data.
        parts: Tuples of a split (None if there are no splits), a name, values of shape (n, ...), and labels
            of shape (n,), numbers or texts.
        class_names: The names of label 0, 1 and so on; None takes the labels themselves as names.
        scale: The scale of image values; see :func:`tunefront.search.data.decoding.pixel_scale.as_pixels`.
        task: Whether labels are classes or numbers to predict.

    Raises:
        DataError: If values and labels do not fit each other, or cannot be used.
    """
    names: list[str] = []
    splits: list[SplitName] = []
    all_values, all_labels = [], []
    for split, name, values, labels in parts:
        all_values.append(as_pixels(checked_values(values, f"{where}: {name}"), scale, f"{where}: {name}"))
        checked = checked_numbers if task == "regression" else _checked_labels
        all_labels.append(checked(one_a_row(labels, len(all_values[-1]), f"{where}: {name}", task), f"{where}: {name}"))
        names += [f"{where}: {name}[{row}]" for row in range(len(all_values[-1]))]
        splits += [split] * len(all_values[-1]) if split else []
    _check_alike(where, [part[1] for part in parts], all_values)
    shapes = {values.shape[1:]: part[1] for values, part in zip(all_values, parts, strict=True)}
    if len(shapes) > 1:
        found = ", ".join(f"{name} {shape}" for shape, name in shapes.items())
        raise DataError(f"{where}: the arrays have values of different shapes ({found}): give all the same")
    labels = np.concatenate(all_labels)
    if task == "regression" and class_names is not None:
        raise DataError(f'{where}: class_names name classes, and task = "regression" predicts numbers: leave them out')
    numbers, class_texts = (labels, []) if task == "regression" else _classes(labels, class_names, where)
    content = all_values[0] if len(all_values) == 1 else np.concatenate(all_values)
    return Examples(names, numbers, class_texts, content, splits or None)


def _check_alike(where: str, names: Sequence[str], arrays: Sequence[NDArray[Any]]) -> None:
    """Refuse images on different scales, such as pixels and fractions, because one network cannot take both.

    If all arrays are uint8, they are pixels, however dark they are. An array of zeros may be on any scale.
    """
    images = [(name, array) for name, array in zip(names, arrays, strict=True) if array.ndim >= 3 and array.any()]
    are_images = any(array.ndim == 4 for _, array in images)  # other values may be sequences
    if not are_images or len(images) < 2 or all(array.dtype == np.uint8 for _, array in images):
        return
    ranges = [(float(array.min()), float(array.max())) for _, array in images]
    scales = {likely_scale(found) if found[1] <= 1 else "pixels" for found in ranges}
    tops = [high for _, high in ranges]
    types = {array.dtype for _, array in images}
    if len(scales) > 1 or max(tops) > _FAR_APART * min(tops) or len(types) > 1:
        found = "; ".join(
            f"{name} from {low:g} to {high:g}, as {array.dtype}"
            for (name, array), (low, high) in zip(images, ranges, strict=True)
        )
        raise DataError(
            f"{where}: the arrays have images of different types or scales ({found}): give all the same, as uint8 from "
            "0 to 255 for example"
        )


def checked_values(values: Any, where: str) -> NDArray[Any]:
    """Return values as uint8 or float32, of shape (n, ...).

    Whole numbers from 0 to 255 in the shape of images, (n, height, width) or (n, height, width, channels),
    become uint8; all other numbers become float32. Grey images get a channel axis.

    Raises:
        DataError: If they are no numbers, not finite, or none at all.
    """
    array = np.asarray(values)
    if array.dtype == object or array.dtype.kind not in "buif":
        raise DataError(f"{where} has values of type {array.dtype}: give numbers, as uint8 or float32")
    if array.ndim < 2 or not array.size:
        raise DataError(f"{where} has shape {array.shape}: the first size is the examples, the others are of each one")
    if array.ndim in (3, 4) and array.dtype.kind in "ui" and array.min() >= 0 and array.max() <= 255:
        array = array.astype(np.uint8, copy=False)
    if array.dtype == np.uint8:
        return array[..., np.newaxis] if array.ndim == 3 else array
    with np.errstate(over="ignore"):
        array = array.astype(np.float32, copy=False)
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = ", ".join(str(index) for index in bad[0])
        raise DataError(
            f"{where}[{place}] is {array[tuple(bad[0])]}, and {len(bad)} of all values are no finite float32: "
            "replace them, or leave these examples out"
        )
    return array


def one_a_row(labels: Any, n_values: int, where: str, task: Task) -> NDArray[Any]:
    """Return labels as an array of shape (n,); a column of shape (n, 1) becomes one.

    Raises:
        DataError: If there is not one label for each example.
    """
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        remedy = (
            "one-hot rows become that with labels.argmax(axis=1)"
            if task == "classification"
            else "a model predicts one number, so give one column of them"
        )
        raise DataError(f"{where}: its labels have shape {array.shape} and must be one for each example: {remedy}")
    if len(array) != n_values:
        raise DataError(f"{where}: {n_values} values and {len(array)} labels: there must be as many of each")
    return array


def _checked_labels(array: NDArray[Any], where: str) -> NDArray[Any]:
    if array.dtype == object and all(isinstance(label, str) for label in array.tolist()):
        array = array.astype(str)  # pandas keeps texts as objects
    if array.dtype.kind not in "buiU":
        raise DataError(
            f"{where}: its labels are of type {array.dtype}: give whole numbers or texts, such as labels.astype(str); "
            'or, if they are numbers to predict, write task = "regression" in [data]'
        )
    if array.dtype.kind == "U" and (empty := np.flatnonzero(np.char.strip(array) == "")).size:
        raise DataError(f"{where}: label {empty[0]} is an empty text: give each example a class, or leave it out")
    return array


def _classes(labels: NDArray[Any], class_names: Any, where: str) -> tuple[NDArray[np.int64], list[str]]:
    if class_names is None:
        found, numbers = np.unique(labels, return_inverse=True)
        return numbers.astype(np.int64), [str(name) for name in found.tolist()]
    texts = [str(name) for name in np.asarray(class_names).tolist()]
    if len(set(texts)) < len(texts):
        raise DataError(f"{where}: class_names has a name twice: {texts}")
    if labels.dtype.kind == "U":
        unknown = sorted(set(labels.tolist()) - set(texts))
        numbers = np.array([texts.index(label) if label in texts else -1 for label in labels.tolist()])
    else:
        unknown = sorted({int(label) for label in np.unique(labels) if not 0 <= label < len(texts)})
        numbers = labels
    if unknown:
        raise DataError(f"{where}: there are {len(texts)} class_names, but a label {unknown[0]!r}: name every class")
    return numbers.astype(np.int64), texts
