"""Networks on tables of columns: the saved model takes raw columns in plain Keras, and answers as it was scored."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.candidates import candidate
from tests.example_data import write_students
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.candidate import Candidate

MLP = {"n_layers": 2, "units": 8, "batch_norm": True, "dropout": 0.1}
CHOSEN = candidate(architecture="mlp", architecture_settings=MLP, batch_size=16)
READER = """
import json, sys
import keras, pandas, tensorflow as tf

table = pandas.read_csv(sys.argv[2])
card = json.loads(sys.argv[3])
columns = {
    name: table[[name]].astype("float32").to_numpy() if kind == "number"
    else tf.constant(table[[name]].fillna("").to_numpy(str))
    for name, kind in card.items()
}
answers = keras.saving.load_model(sys.argv[1]).predict(columns, verbose=0)
print(json.dumps([answers.tolist(), [name for name in sys.modules if name.partition(".")[0] == "tunefront"]]))
"""


def spec(path: Path, **data: Any) -> StudySpec:
    table = {"source": "columns", "path": str(path), "missing": "fill", **data}
    return StudySpec.model_validate({"name": "students", "data": table, "training": {"epochs": 2}})


def train(keras: Any, study: StudySpec, dataset: Dataset, fold: int = 0, chosen: Candidate = CHOSEN) -> Any:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    keras.utils.set_random_seed(3)
    trainable = training.build(study.parsed_space(), chosen, dataset, study.training, 3, fold)
    fit(trainable, dataset, study.training, Goal(study.accuracy_measure), lambda result: True, seed=3, fold=fold)
    return trainable


def answers_apart(model: Path, table: Path, dataset: Dataset) -> Any:
    """Return a saved model's answers to the columns of a file, in a process that loads nothing of tunefront."""
    kinds = json.dumps({column.name: column.kind for column in dataset.columns})
    command = [sys.executable, "-c", READER, str(model), str(table), kinds]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers, modules = json.loads(done.stdout.splitlines()[-1])
    assert modules == []
    return answers


def test_the_saved_model_takes_the_file_s_own_columns_in_plain_keras(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.trial import memory
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.batches import predict

    path = tmp_path / "students.csv"
    write_students(path, 90)
    header, *rows = path.read_text().splitlines()
    splits = ["train"] * 60 + ["validation"] * 15 + ["test"] * 15
    rows[80] = rows[80].replace(rows[80].split(",")[0], "a school of the test alone", 1)
    lines = [f"split,{header}", *(f"{split},{row}" for split, row in zip(splits, rows, strict=True))]
    path.write_text("\n".join(lines) + "\n")

    study = spec(path, split_column="split", target="result")
    dataset = prepare(study.data, 0)
    assert sum(column.n_missing for column in dataset.columns) > 10
    trainable = train(keras, study, dataset)
    training.save(trainable, str(tmp_path / "model.keras"))
    n_bytes = (tmp_path / "model.keras").stat().st_size
    assert memory.model_bytes(trainable.kept, trainable.optimizer) == pytest.approx(n_bytes, rel=0.005)

    answers = answers_apart(tmp_path / "model.keras", path, dataset)
    expected = [predict(trainable.model, dataset.split(name).images, 32) for name in ("train", "validation", "test")]
    np.testing.assert_allclose(answers, np.concatenate(expected), atol=1e-6)
    assert np.ptp(np.concatenate(expected)[:, 0]) > 0.1  # the answers differ from row to row


def test_each_fold_has_its_own_scale_and_categories(keras: Any, tmp_path: Path) -> None:
    path = tmp_path / "students.csv"
    write_students(path, 60)
    path.write_text(path.read_text().replace("\nMS,", "\nRare,", 1))
    study = spec(path, folds=4, test_fraction=0.0)
    dataset = prepare(study.data, 0)
    n_units = []
    for fold in range(4):
        trainable = train(keras, study, dataset, fold)
        numbers = dataset.split("train", fold).images[:, :6].astype(np.float64)
        scale = next(layer for layer in trainable.model.layers if type(layer).__name__ == "Normalization")
        mean, variance, _ = scale.get_weights()
        np.testing.assert_allclose(mean, np.nanmean(numbers, axis=0), rtol=1e-5)
        np.testing.assert_allclose(variance, np.nanvar(numbers, axis=0), rtol=1e-5)
        lookups = [layer for layer in trainable.kept.layers if type(layer).__name__ == "StringLookup"]
        known = [column.vocabulary for column in dataset.columns_in(fold) if column.kind == "category"]
        assert [tuple(layer.get_vocabulary()[1:]) for layer in lookups] == known
        n_units.append(sum(map(len, known)))
    assert sorted(n_units)[0] == sorted(n_units)[1] - 1  # one fold's training lacks the rare school


def test_texts_of_the_data_that_look_like_counts_of_keras_are_weighed(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.trial import memory
    from tunefront.search.trial import trainable as training

    names = [f"price_{number}" for number in range(12)]
    generator = np.random.default_rng(1)
    lines = [",".join([*names, "ward", "target"])]
    for row in range(300):
        cells = [f"{value:.3f}" for value in generator.normal(size=12)]
        lines.append(",".join([*cells, f"w_{generator.integers(200)}.5", "ab"[row % 2]]))
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(lines))
    study = spec(path)
    trainable = training.build(study.parsed_space(), CHOSEN, prepare(study.data, 0), study.training, 0)
    training.save(trainable, str(tmp_path / "model.keras"))
    n_bytes = (tmp_path / "model.keras").stat().st_size
    assert memory.model_bytes(trainable.kept, trainable.optimizer) == pytest.approx(n_bytes, rel=0.005)


def test_numbers_are_predicted_from_columns_in_their_own_unit(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.trial import memory
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.batches import outputs

    path = tmp_path / "students.csv"
    write_students(path, 90)
    study = spec(path, task="regression", target="grade_2", folds=3, test_fraction=0.0)
    dataset = prepare(study.data, 0)
    assert (dataset.task, dataset.class_names, [column.kind for column in dataset.columns].count("category")) == (
        "regression",
        (),
        6,
    )
    trainable = train(keras, study, dataset, chosen=replace(CHOSEN, output="linear", loss="mse"))
    training.save(trainable, str(tmp_path / "model.keras"))
    n_bytes = (tmp_path / "model.keras").stat().st_size
    assert memory.model_bytes(trainable.kept, trainable.optimizer) == pytest.approx(n_bytes, rel=0.005)
    answers = answers_apart(tmp_path / "model.keras", path, dataset)
    parts = [dataset.split(name).images for name in ("train", "validation")]
    expected = np.concatenate([outputs(trainable.model, part, 32) for part in parts])
    np.testing.assert_allclose(np.sort(np.ravel(answers)), np.sort(np.ravel(expected)), rtol=1e-5)
    assert 5 < np.mean(answers) < 15  # grades are from 0 to 20
