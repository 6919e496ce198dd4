"""Models with cards beside them, and the answers that they give to files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tunefront.search.prediction.inputs import find_inputs
from tunefront.search.prediction.model_file import open_model_file
from tunefront.search.prediction.predictor import Prediction, Predictor


def write_card(model: Path, **more: Any) -> None:
    model.with_suffix(".json").write_text(json.dumps({"class_names": ["cat", "dog"], "positive_class": "dog", **more}))


def predict(model: Path, *named: Path) -> list[Prediction]:
    predictor = Predictor(open_model_file(model))
    return list(predictor.predictions(find_inputs([str(name) for name in named], predictor.file.card.input)))


def answers(model: Path, *named: Path) -> Any:
    return np.array([prediction.answers for prediction in predict(model, *named)])


def make_model(keras: Any, path: Path, shape: tuple[int, ...], units: int = 2, activation: str = "softmax") -> Any:
    """Save a model with random weights whose answers differ from input to input."""
    keras.utils.set_random_seed(5)
    inputs = keras.Input(shape)
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 64)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(units, activation=activation)(x))
    model.save(path)
    return model
