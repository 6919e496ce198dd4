"""Numbers to predict that do not fit the space or the measure are refused before the first trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunefront.objectives.measures import MEASURES
from tunefront.search.data.cache import prepare
from tunefront.search.launching.asker import CheckError
from tunefront.search.preparation.cautions import find_cautions
from tunefront.search.preparation.checks import check
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.settings import SpaceError

OWN = """
class {name}:
    def suggest(self, trial):
        return {suggest}

    def build(self, settings, input_shape, n_outputs):
        import keras

        layers = [keras.Input(input_shape), keras.layers.Flatten(), {layers}]
        return keras.Sequential(layers)
"""


def spec(folder: Path, labels: Any = None, data: dict[str, Any] | None = None, **tables: Any) -> StudySpec:
    numbers = np.random.default_rng(1).normal(2000, 3, 80) if labels is None else np.asarray(labels)
    images = np.random.default_rng(2).integers(0, 256, (len(numbers), 8, 8, 1)).astype(np.uint8)
    np.savez(folder / "mine.npz", x=images, y=numbers)
    source = {"source": "npz", "path": str(folder / "mine.npz"), "task": "regression", **(data or {})}
    return StudySpec.model_validate({"name": "mine", "data": source, **tables})


def checked(study: StudySpec) -> None:
    check(study, prepare(study.data, study.seed))


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"objectives": {"accuracy": "r2"}, "training": {"early_stopping": {"monitor": "mae"}}},
        {"objectives": {"memory": {"measure": "model_bytes", "at_most": "1 GB"}}},
        {
            "space": {
                "architecture": "MobileNetV2",
                "image_size": 32,
                "MobileNetV2": {"weights": "none", "width": 0.35},
            }
        },
    ],
    ids=str,
)
def test_numbers_that_fit_are_accepted(keras: Any, tmp_path: Path, tables: dict[str, Any]) -> None:
    study = spec(tmp_path, **tables)
    checked(study)
    assert find_cautions(study, prepare(study.data, study.seed).facts(), load=0.0) == []


@pytest.mark.parametrize(
    ("labels", "data", "fragments"),
    [
        (
            np.arange(20) * (np.arange(20) < 12),
            {"split": "time"},
            ["validation split", "all its 4 labels are 0", '"rmse" or "mae"'],
        ),
        (np.arange(20) * (np.arange(20) < 16), {"split": "time"}, ["test split", "all its 4 labels are 0"]),
        (
            np.arange(21) * (np.arange(21) < 14),
            {"split": "time", "folds": 2, "test_fraction": 0.0},
            ["fold 2 of 2", "all its 7 labels"],
        ),
        (np.arange(9), {"validation_fraction": 0.1}, ["validation split", "it has one example"]),
    ],
)
def test_r2_of_equal_labels_is_refused_by_name(
    tmp_path: Path, labels: Any, data: dict[str, Any], fragments: list[str]
) -> None:
    with pytest.raises(CheckError) as caught:
        checked(spec(tmp_path, labels, data, objectives={"accuracy": "r2"}))
    for fragment in ["objectives.quality: r2 is not defined on", *fragments]:
        assert fragment in str(caught.value)
    monitored = spec(tmp_path, labels, data, training={"early_stopping": {"monitor": "r2"}})
    if "test split" not in fragments:
        with pytest.raises(CheckError, match=r"^training\.early_stopping\.monitor: r2 is not defined"):
            checked(monitored)


@pytest.mark.parametrize(
    ("name", "suggest", "layers", "fragment"),
    [
        ("Softmax", "{}", "keras.layers.Dense(n_outputs, 'softmax')", "ends with the activation 'softmax'"),
        ("Sigmoid", "{}", "keras.layers.Dense(n_outputs, 'sigmoid')", "ends with the activation 'sigmoid'"),
        ("Relu", "{}", "keras.layers.Dense(n_outputs), keras.layers.Activation('relu')", "'relu'"),
        ("Ten", "{}", "keras.layers.Dense(10)", "With numbers to predict and output 'linear' it must be (None, 1)"),
        ("Unit", "{'output': 'sigmoid'}", "keras.layers.Dense(1)", "suggest returned output, which is about classes"),
        ("Smooth", "{'label_smoothing': 0.1}", "keras.layers.Dense(1)", "label_smoothing, which is about classes"),
        ("Even", "{'class_weights': 'balanced'}", "keras.layers.Dense(1)", "class_weights, which is about classes"),
        ("Loss", "{'loss': 'mape'}", "keras.layers.Dense(1)", "suggest returned loss = 'mape'"),
        (
            "Plateau",
            "{'schedule': 'reduce_on_plateau', 'monitor': 'val_accuracy'}",
            "keras.layers.Dense(1)",
            "val_accuracy is not measured",
        ),
    ],
)
def test_an_own_space_that_is_made_for_classes_is_named_with_the_remedy(
    keras: Any, tmp_path: Path, name: str, suggest: str, layers: str, fragment: str
) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text(OWN.format(name=name, suggest=suggest, layers=layers))
    with pytest.raises((SpaceError, CheckError)) as caught:
        checked(spec(tmp_path, space=f"{path}:{name}"))
    assert fragment in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_own_space_with_one_number_is_accepted(keras: Any, tmp_path: Path) -> None:
    path = tmp_path / "good.py"
    suggest = "{'loss': 'huber', 'schedule': 'reduce_on_plateau', 'monitor': 'val_r2'}"
    path.write_text(OWN.format(name="Good", suggest=suggest, layers="keras.layers.Dense(n_outputs)"))
    checked(spec(tmp_path, space=f"{path}:Good"))


def test_a_linear_output_of_classes_is_refused(keras: Any, tmp_path: Path) -> None:
    path = tmp_path / "linear.py"
    path.write_text(OWN.format(name="Linear", suggest="{'output': 'linear'}", layers="keras.layers.Dense(n_outputs)"))
    study = StudySpec.model_validate({"name": "d", "data": {"source": "digits"}, "space": f"{path}:Linear"})
    with pytest.raises(SpaceError, match='task = "regression"'):
        checked(study)


def test_every_measure_of_numbers_declares_its_direction() -> None:
    found = {name: one.direction for name, one in MEASURES.items() if one.task == "regression"}
    assert found == {"rmse": "minimize", "mae": "minimize", "r2": "maximize"}
