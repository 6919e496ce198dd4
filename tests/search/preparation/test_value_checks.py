"""Spaces that do not fit data that is no image are refused before the first trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.candidates import candidate
from tests.example_data import write_students
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.asker import CheckError
from tunefront.search.preparation.checks import check
from tunefront.search.spec.study_spec import StudySpec

SMALLEST = {"n_layers": 1, "units": 4, "batch_norm": False, "dropout": 0.0}


def students(folder: Path, **space: Any) -> StudySpec:
    write_students(folder / "students.csv", 60)
    data = {"source": "columns", "path": str(folder / "students.csv"), "missing": "fill"}
    return StudySpec.model_validate({"name": "students", "data": data, "space": space})


def vectors(folder: Path, shape: tuple[int, ...], **space: Any) -> tuple[StudySpec, Dataset]:
    values = np.random.default_rng(1).normal(100, 5, (40, *shape)).astype(np.float32)
    np.savez(folder / "vectors.npz", x=values, y=np.arange(40) % 2)
    data = {"source": "npz", "path": str(folder / "vectors.npz")}
    spec = StudySpec.model_validate({"name": "vectors", "data": data, "space": space})
    return spec, prepare(spec.data, 0, are_images=spec.takes_images)


def test_a_table_of_columns_has_dense_networks_and_no_augmentation_by_default(keras: Any, tmp_path: Path) -> None:
    spec = students(tmp_path)
    stored = spec.as_json()["space"]
    assert (stored["architecture"], stored["augmentation"]) == ("mlp", "none")
    assert StudySpec.from_json(spec.as_json()) == StudySpec.from_json(StudySpec.from_json(spec.as_json()).as_json())
    check(spec, prepare(spec.data, 0))


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"architecture": "plain_cnn"}, 'space.architecture: plain_cnn takes images.*write architecture = "mlp"'),
        ({"architecture": ["mlp", "VGG16"]}, "space.architecture: VGG16 takes images"),
        ({"augmentation": ["none", "light"]}, 'space.augmentation: "light" is for images.*augmentation = "none"'),
        ({"image_size": [0, 32]}, "space.image_size: it resizes images.*leave it out"),
    ],
)
def test_settings_of_images_are_refused_for_a_table(
    keras: Any, tmp_path: Path, space: dict[str, Any], message: str
) -> None:
    spec = students(tmp_path, **space)
    with pytest.raises(CheckError, match=message):
        check(spec, prepare(spec.data, 0))


@pytest.mark.parametrize("shape", [(6,), (5, 3)])
def test_dense_networks_take_values_of_any_shape(keras: Any, tmp_path: Path, shape: tuple[int, ...]) -> None:
    from tunefront.search.trial import trainable

    spec, dataset = vectors(tmp_path, shape, architecture="mlp", augmentation="none")
    check(spec, dataset)
    chosen = candidate(architecture="mlp", architecture_settings=SMALLEST)
    built = trainable.build(spec.parsed_space(), chosen, dataset, spec.training, seed=0)
    assert built.model.input_shape == (None, *shape)
    assert built.kept is built.model
    scale = next(layer for layer in built.model.layers if type(layer).__name__ == "Normalization")
    training = dataset.split("train").images.reshape(dataset.n_train, -1)
    np.testing.assert_allclose(scale.get_weights()[0], training.mean(axis=0), rtol=1e-5)


def test_networks_of_images_are_refused_for_vectors_with_the_line_to_write(keras: Any, tmp_path: Path) -> None:
    spec, dataset = vectors(tmp_path, (6,))
    with pytest.raises(CheckError, match=r'values of shape \(6,\).*architecture = "mlp"'):
        check(spec, dataset)
    spec, dataset = vectors(tmp_path, (6,), architecture="mlp")
    with pytest.raises(CheckError, match=r'"light" is for images, and the data is values of shape \(6,\)'):
        check(spec, dataset)
