"""Specs that do not fit their data are refused before the first trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.asker import CheckError
from tunefront.search.preparation.checks import check, check_monitor
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.settings import SpaceError

BACKBONE = {"architecture": "MobileNetV2", "optimizer": "adam", "image_size": 32}


def spec(**tables: Any) -> StudySpec:
    return StudySpec.model_validate({"name": "digits", "data": {"source": "digits"}, **tables})


def backbone(**settings: Any) -> dict[str, Any]:
    return {**BACKBONE, "MobileNetV2": {"weights": "none", "width": 0.35, **settings}}


@pytest.mark.parametrize(
    ("tables", "fragments"),
    [
        ({"objectives": {"accuracy": "f1_binary"}}, ["objectives.accuracy", "two classes", "10", "f1_macro"]),
        (
            {"training": {"early_stopping": {"monitor": "auc"}}},
            ["training.early_stopping.monitor", 'objectives.accuracy = "auc"'],
        ),
        ({"space": {"output": "sigmoid"}}, ["space.output", "two classes", "10", "softmax"]),
        ({"space": {"output": ["softmax", "sigmoid"]}}, ["space.output"]),
        ({"space": {**backbone(), "image_size": 0}}, ["space.image_size", "MobileNetV2", "32 pixels", "get 8"]),
        ({"space": {**backbone(), "image_size": [31, 64]}}, ["space.image_size", "get 31", "image_size = 32"]),
        ({"space": {**BACKBONE, "architecture": ["plain_cnn", "Xception"]}}, ["Xception", "71 pixels", "get 32"]),
        ({"space": backbone(weights="no/such.weights.h5")}, ["space.MobileNetV2", "no/such.weights.h5"]),
        (
            {
                "space": {"plain_cnn": {"filters": 64}},
                "objectives": {"memory": {"measure": "model_bytes", "at_most": 9}},
            },
            ["objectives.memory", "excludes everything", "20 candidates"],
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_check_names_key_value_and_remedy(
    keras: Any, digits: Dataset, tables: dict[str, Any], fragments: list[str]
) -> None:
    with pytest.raises(CheckError) as caught:
        check(spec(**tables), digits)
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"objectives": {"accuracy": "top_5_accuracy"}},
        {"objectives": {"accuracy": "auc"}, "training": {"early_stopping": {"monitor": "auc"}}},
        {"space": backbone()},
        {"objectives": {"memory": {"measure": "weight_bytes", "at_most": "1 MB"}}},
        {"training": {"tensorboard": True}},
    ],
    ids=str,
)
def test_check_accepts_what_fits(keras: Any, digits: Dataset, tables: dict[str, Any]) -> None:
    check(spec(**tables), digits)


def test_top_5_needs_more_than_5_classes(keras: Any, digits: Dataset) -> None:
    with pytest.raises(CheckError, match="more than 5 classes, and there are 5"):
        check(spec(objectives={"accuracy": "top_5_accuracy"}), replace(digits, class_names=tuple("abcde")))


def test_images_of_other_shapes_need_a_space_of_one_s_own(keras: Any, digits: Dataset) -> None:
    with pytest.raises(CheckError, match=r"values of shape \(13,\).*space = "):
        check(spec(), replace(digits, image_shape=(13,)))
    with pytest.raises(CheckError, match="MobileNetV2 takes 1 or 3 channels, and the data has 4"):
        check(spec(space=backbone()), replace(digits, image_shape=(32, 32, 4)))


ONE, OTHER, BOTH = [0] * 4, [1] * 4, [0, 1] * 2


def fires(folder: Path, validation: list[int], test: list[int], folds: Sequence[int] = ()) -> Dataset:
    """Prepare eight training images of two classes, and other splits with these labels."""
    rows = [*[0, 1] * 4, *validation] if not folds else [*validation]
    labels = np.array([*rows, *test])
    np.save(folder / "images.npy", np.zeros((len(labels), 8, 8, 1), np.uint8))
    np.save(folder / "labels.npy", labels)
    np.save(folder / "folds.npy", np.array(folds))
    n_validation = len(validation) if not folds else list(folds).count(0)
    n_train = len(rows) - n_validation
    n_folds = len(set(folds))
    return Dataset(
        str(folder), "npz", "0", ("clear", "fire"), (8, 8, 1), n_train, n_validation, len(test), folds=n_folds
    )


@pytest.mark.parametrize(
    ("validation", "test", "measure", "fragments"),
    [
        (ONE, BOTH, "auc", ["auc", "validation split", "all its 4 images are of class 'clear'", "images of 'fire'"]),
        (BOTH, ONE, "auc", ["auc", "test split", "class 'clear'", "images of 'fire'"]),
        (OTHER, BOTH, "auc", ["auc", "validation split", "class 'fire'", "images of 'clear'"]),
        (ONE, BOTH, "f1_binary", ["f1_binary", "validation split", "none of its 4 images is of class 'fire'"]),
        (BOTH, ONE, "recall", ["recall", "test split", "'fire', the positive one", "another measure"]),
        (ONE, BOTH, "precision", ["precision", "validation split"]),
    ],
)
def test_an_objective_that_a_split_does_not_define_is_refused(
    tmp_path: Path, validation: list[int], test: list[int], measure: str, fragments: list[str]
) -> None:
    with pytest.raises(CheckError) as caught:
        check(spec(objectives={"accuracy": measure}), fires(tmp_path, validation, test))
    for fragment in ["objectives.accuracy", *fragments]:
        assert fragment in str(caught.value)


def test_a_measure_that_the_steps_of_validation_do_not_define_is_refused(tmp_path: Path) -> None:
    dataset = fires(tmp_path, [0] * 63 + [1], BOTH)
    has_fire = bool(dataset.split("validation").part(32).labels.any())
    assert not has_fire  # the fixed part leaves out the one fire

    def steps(n: int, **training: Any) -> StudySpec:
        return spec(objectives={"accuracy": "accuracy"}, training={"validation_steps": n, **training})

    f1 = spec(objectives={"accuracy": "f1_binary"}, training={"validation_steps": 1})
    with pytest.raises(CheckError, match=r"training\.validation_steps: f1_binary is not defined on the 32 of 64 valid"):
        check(f1, dataset)
    monitor = {"early_stopping": {"monitor": "auc"}}
    with pytest.raises(CheckError, match="auc is not defined on the 32 of 64 .* Write more, or leave it out"):
        check_monitor("training", steps(1, **monitor).training, "accuracy", dataset)
    check_monitor("training", steps(2, **monitor).training, "accuracy", dataset)  # all images
    check_monitor("training", steps(1).training, "accuracy", dataset)


def test_a_monitor_that_validation_does_not_define_is_refused(tmp_path: Path) -> None:
    monitored = spec(training={"early_stopping": {"monitor": "f1_binary"}})
    with pytest.raises(CheckError, match=r"^training.early_stopping.monitor: f1_binary is not defined on the valid"):
        check(monitored, fires(tmp_path, ONE, BOTH))
    check_monitor("training", monitored.training, "accuracy", fires(tmp_path, BOTH, ONE))  # no training sees the test


def test_the_fold_that_does_not_define_the_objective_is_named(tmp_path: Path) -> None:
    dataset = fires(tmp_path, [0, 1, 0, 1, 0, 0], BOTH, folds=[0, 0, 1, 1, 2, 2])
    with pytest.raises(CheckError, match=r"auc is not defined on fold 3 of 3: all its 2 images are of class 'cl"):
        check(spec(objectives={"accuracy": "auc"}), dataset)


def test_weights_that_do_not_fit_are_named(keras: Any, digits: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(CheckError) as caught:
        check(spec(space=backbone(weights=str(path))), digits)
    assert str(path) in str(caught.value)
    assert "MobileNetV2" in str(caught.value)


def test_a_missing_file_of_a_pretraining_says_to_run_it(keras: Any, digits: Dataset, tmp_path: Path) -> None:
    path = str(tmp_path / "mine.weights.h5")
    pretrain = {"weights": path, "data": {"source": "digits"}, "space": BACKBONE}
    with pytest.raises(CheckError, match="tunefront pretrain"):
        check(spec(space=backbone(weights=path), pretrain=pretrain), digits)


OWN = """
class {name}:
    def suggest(self, trial):
        {suggest}
    def build(self, settings, input_shape, n_classes):
        import keras
        {build}
"""


@pytest.mark.parametrize(
    ("name", "suggest", "build", "fragment"),
    [
        ("A", "raise ValueError('no luck')", "return None", "suggest raised ValueError: no luck"),
        ("B", "return {}", "raise KeyError('units')", "build raised KeyError: 'units'"),
        (
            "D",
            "return {}",
            "class M(keras.Model):\n"
            "            def __init__(self, units):\n"
            "                super().__init__(); self.d = keras.layers.Dense(units)\n"
            "            def call(self, x):\n                return self.d(keras.ops.reshape(x, (-1, 64)))\n"
            "        m = M(10); m(keras.ops.zeros((1, 8, 8, 1))); return m",
            "a model that cannot be saved",
        ),
        ("C", "return {}", "return keras.Sequential([keras.layers.Dense(3)])", "must be (None, 10)"),
        (
            "E",
            "return {}",
            "layers = keras.layers; "
            "return keras.Sequential([keras.Input(input_shape), layers.Flatten(), layers.Dense(n_classes)])",
            "outputs are no probabilities: for an image they go from -",
        ),
    ],
)
def test_an_own_space_that_raises_is_named(
    keras: Any, digits: Dataset, tmp_path: Path, name: str, suggest: str, build: str, fragment: str
) -> None:
    path = tmp_path / f"own_{name}.py"
    path.write_text(OWN.format(name=name, suggest=suggest, build=build))
    with pytest.raises((SpaceError, CheckError)) as caught:
        check(spec(space=f"{path}:{name}"), digits)
    assert fragment in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_own_space_that_works_is_accepted(keras: Any, digits: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "own_good.py"
    layers = "[keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(n_classes, 'softmax')]"
    path.write_text(OWN.format(name="Good", suggest="return {}", build=f"return keras.Sequential({layers})"))
    try:
        for precision in (
            "float32",
            "mixed_float16",
            "mixed_bfloat16",
        ):  # probabilities of half of that add up to about 1
            training = {"precision": precision}
            check(spec(space=f"{path}:Good", training=training), replace(digits, image_shape=(8, 8, 1)))
    finally:
        keras.config.set_dtype_policy("float32")
