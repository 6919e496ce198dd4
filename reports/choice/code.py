"""What to copy from the page: the command that chooses, and the code that loads a model."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from tunefront.reports.study_results import StudyResults


def select_command(name: str) -> str:
    """Return the command that chooses a model of a study, for a shell."""
    return f"tunefront select {shlex.quote(name)}"


def loading_code(results: StudyResults, path: str) -> str:
    """Return Python code that loads a model and predicts with it.

    Args:
        path: The path of the model's file from where the code runs.
    """
    dataset = results.study.dataset
    columns = dataset.get("columns", [])
    answer = "numbers" if results.task == "regression" else "probabilities"
    lines = ["import keras"]
    if columns:
        lines += [
            "import numpy as np",
            "import tensorflow as tf  # Keras's predict takes texts as its tensors alone",
        ]
    lines += ["", f"model = keras.models.load_model({_quoted(path)})"]
    if columns:
        lines += ["columns = {  # each of shape (n, 1)"]
        lines += [f"    {_quoted(column['name'])}: {_example(column)}," for column in columns]
        lines += ["}", f"{answer} = model.predict(columns)"]
    else:
        shape = "".join(f", {size}" for size in dataset.get("image_shape", []))
        lines += [f"{answer} = model.predict({results.examples})  # of shape (n{shape})"]
    return "\n".join(lines)


def describe_use(results: StudyResults, positive_class: str | None) -> str:
    """Say in a sentence what a kept model takes and gives."""
    dataset = results.study.dataset
    takes = "raw pixels" if len(dataset.get("image_shape", [])) == 3 else "the values as the data has them"
    if dataset.get("columns"):
        takes = "a table's columns as they are, with NaN or empty texts where a value is missing,"
    if results.task == "regression":
        return f"It takes {takes} and gives one number each, in the unit of the labels."
    gives = "class probabilities"
    if positive_class is not None:
        gives += f", or, where it has one output, the probability of class {positive_class}"
    return f"It takes {takes} and gives {gives}."


def _example(column: Mapping[str, Any]) -> str:
    if column["kind"] == "category":
        return f"tf.constant([[{_quoted((column['vocabulary'] or [''])[0])}]])"
    return 'np.array([[0.0]], "float32")'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
