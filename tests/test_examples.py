"""Every example on a small data set of its own format: two candidates, trained for an epoch or two, and saved."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
import pytest

from tests import example_data
from tests.small_backbone import small_backbone
from tunefront.objectives.measures import DEPLOYMENT_MEASURES
from tunefront.search.data.cache import prepare
from tunefront.search.sampling.seeds import trial_seed
from tunefront.search.spec.quality import with_inner_key
from tunefront.search.spec.study_spec import StudySpec

ROOT = Path(__file__).parents[1]
TESTED_ELSEWHERE = {"digits", "digits_transfer"}  # tests/test_end_to_end.py runs them unchanged


@dataclass(frozen=True)
class Changes:
    """The changes of an example for its test, where it would need a network or take minutes."""

    data: dict[str, Any] = field(default_factory=dict)
    space: dict[str, Any] = field(default_factory=dict)
    epochs: int = 1
    backbone: str = ""  # the one that a small network stands in for, because it takes many seconds to trace


# Weights are random, because tests have no network. Images are small for speed, except the forest's.
CHANGES = {
    "cats_dogs": Changes(data={"image_size": 64}),
    "cifar100_optimizers": Changes(),
    "cifar100_scratch": Changes(space={"image_size": [32, 78]}),
    "cifar100_steps": Changes(space={"steps_per_epoch": [3, 5]}),
    "cifar100_transfer": Changes(
        space={
            "image_size": 32,
            "architecture": ["MobileNetV2"],
            "MobileNetV2": {"weights": "none", "head_epochs": 1},
        },
        epochs=2,
        backbone="MobileNetV2",
    ),
    "digits_microcontroller": Changes(),
    "digits_pbt": Changes(epochs=4),  # more than one turn
    "digits_phone": Changes(space={"batch_size": 64}, backbone="MobileNetV2"),
    "fashion_mnist": Changes(epochs=2),
    "fingers": Changes(data={"image_size": 64}, space={"MobileNetV2": {"weights": "none"}}, backbone="MobileNetV2"),
    "forest_fire": Changes(),
    "humpback_whales": Changes(
        data={"image_size": [32, 64]}, space={"ResNet50V2": {"weights": "none"}}, backbone="ResNet50V2"
    ),
    "mnist_optimizers": Changes(),
    "plant_disease": Changes(
        data={"image_size": 32}, space={"image_size": 32, "VGG16": {"weights": "none", "head_epochs": 1}}, epochs=2
    ),
    "stock_prices": Changes(epochs=2),
    "student": Changes(),
}


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder ``data/`` as the examples name it, and Keras's own files."""
    folder = tmp_path_factory.mktemp("examples")
    data = folder / "data"
    example_data.write_folder(data / "cats_dogs", ["cats", "dogs"], 12, (170, 150))
    example_data.write_folder(data / "forest_fire", ["fire", "no_fire"], 12, (300, 260))
    for split, n_each in (("train", 5), ("test", 2)):
        example_data.write_folder(data / "fingers" / split, list("1234"), n_each, (128, 128), "png", seed=n_each)
    example_data.write_table(data / "humpback_whales", [12, 11, 10, 2, 1, 1], (120, 50))
    example_data.write_folder(data / "plant_disease", ["healthy", "rust", "scab"], 8, (64, 64))
    example_data.write_prices(data / "stock_prices.csv", 260)
    example_data.write_students(data / "student.csv", 120)
    example_data.write_keras_files(folder / "keras" / "datasets")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def read_changed(path: Path, changes: Changes) -> StudySpec:
    spec = tomllib.loads(path.read_text())
    spec["data"] |= changes.data
    if isinstance(spec.get("space"), dict):
        architectures = changes.space.get("architecture")
        if architectures:
            dropped = set(spec["space"]["architecture"]) - set(architectures)
            spec["space"] = {key: value for key, value in spec["space"].items() if key not in dropped}
        for key, value in changes.space.items():
            is_table = isinstance(value, dict)
            spec["space"][key] = {**spec["space"].get(key, {}), **value} if is_table else value
    spec["training"] |= {"epochs": changes.epochs, "precision": "float32"}
    return StudySpec.model_validate(with_inner_key(spec))


@pytest.fixture
def in_data_folder(keras: Any, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to the folder of the data, where Keras finds its own files too."""
    monkeypatch.chdir(data_folder)
    # Keras refuses files whose digests are not the original ones, so the check is left out for the small test files.
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(data_folder / "keras"))
    monkeypatch.setattr("keras.src.utils.file_utils.validate_file", lambda *args, **kwargs: True)


def train_example(name: str, folder: Path, keras: Any) -> None:
    spec = read_changed(ROOT / "examples" / f"{name}.toml", CHANGES[name])
    for runtime in {runtime for measure in spec.deployment_measures for runtime in DEPLOYMENT_MEASURES[measure]}:
        pytest.importorskip({"litert": "ai_edge_litert", "micro": "tflite_micro"}[runtime], reason=f"needs {runtime}")
    train_two(spec, folder, keras)


@pytest.mark.usefixtures("in_data_folder")
@pytest.mark.parametrize(
    "name", [path.stem for path in sorted((ROOT / "examples").glob("*.toml")) if path.stem not in TESTED_ELSEWHERE]
)
def test_example_runs(keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    if CHANGES[name].backbone:
        monkeypatch.setattr(keras.applications, CHANGES[name].backbone, small_backbone)
    train_example(name, tmp_path, keras)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("in_data_folder")
@pytest.mark.parametrize("name", [name for name, changes in CHANGES.items() if changes.backbone])
def test_example_runs_with_its_own_backbone(keras: Any, tmp_path: Path, name: str) -> None:
    train_example(name, tmp_path, keras)


@pytest.mark.parametrize("name", [path.stem for path in sorted((ROOT / "examples" / "own").glob("*.toml"))])
def test_example_of_an_own_space_runs(keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(ROOT)
    train_two(read_changed(ROOT / "examples" / "own" / f"{name}.toml", Changes()), tmp_path, keras)


def train_two(spec: StudySpec, folder: Path, keras: Any) -> None:
    from tunefront.search.preparation.checks import check
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    dataset = prepare(spec.data, spec.seed)
    check(spec, dataset)
    space = spec.parsed_space()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for number in range(2):
        seed = trial_seed(spec.seed, number)
        candidate = space.suggest(study.ask())
        keras.utils.set_random_seed(seed)
        trainable = training.build(space, candidate, dataset, spec.training, seed)
        goal = Goal(spec.accuracy_measure, dataset.positive_class)
        _, counted = fit(trainable, dataset, spec.training, goal, lambda result: True, seed=seed)
        if goal.task == "classification":
            assert 0 <= counted.accuracy <= 1
        else:  # in the unit of the labels
            assert 0 < counted.accuracy < 10 * dataset.numbers("train").std()
        training.save(trainable, str(folder / f"{number}.keras"))
        loaded = keras.models.load_model(folder / f"{number}.keras")
        if dataset.columns:
            assert loaded.input.keys() == {column.name for column in dataset.columns}
        else:
            assert loaded.input_shape == (None, *dataset.image_shape)


def test_every_example_opens_with_what_to_expect() -> None:
    for path in (ROOT / "examples").rglob("*.toml"):
        first = path.read_text().split("\n\n")[0].splitlines()
        assert all(line.startswith("#") for line in first), path.name
        assert any(f"tunefront run {path.relative_to(ROOT)}" in line for line in first), path.name
