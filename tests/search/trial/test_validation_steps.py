"""Epochs that a part of the validation images scores: always the same images, and results on all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from tests.candidates import candidate
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset, Split
from tunefront.search.data.sources.digits import DigitsSource
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.space import Space

SPACE = Space.from_table({})


def train(
    keras: Any, dataset: Dataset, chosen: Candidate, *, stops_after: int = 99, fold: int = 0, **settings: Any
) -> tuple[Any, Any, list[Any], list[Any]]:
    """Return the model, the epoch that counts, every epoch's result, and the probabilities of all images after each."""
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    table = TrainingTable.model_validate({"epochs": 4, **settings})
    keras.utils.set_random_seed(3)
    trainable = training.build(SPACE, chosen, dataset, table, 3, fold)
    results, probabilities = [], []
    images = np.array(dataset.split("validation", fold).images)

    def note(result: Any) -> bool:
        results.append(result)
        probabilities.append(np.asarray(trainable.model(images, training=False)))
        return len(results) < stops_after

    _, counted = fit(trainable, dataset, table, Goal(), note, seed=3, fold=fold)
    return trainable.model, counted, results, probabilities


def rows_of(part: Split, whole: Split) -> list[int]:
    """Return the places of a part's images among all; the digits are all different."""
    places = {image.tobytes(): row for row, image in enumerate(np.array(whole.images))}
    return [places[image.tobytes()] for image in part.images]


def test_a_part_is_always_the_same_images_in_their_order(digits: Dataset) -> None:
    whole = digits.split("validation")
    part = whole.part(64)
    rows = rows_of(part, whole)
    assert rows == sorted(rows)
    assert len(set(rows)) == 64
    assert part.labels.tolist() == whole.labels[rows].tolist()
    assert rows_of(whole.part(64), whole) == rows
    assert set(rows) < set(rows_of(whole.part(96), whole))  # more steps add images
    assert whole.part(None) is whole.part(len(whole.labels)) is whole.part(10_000) is whole


@pytest.mark.parametrize("keeps", ["best", "val_loss", "last"])
def test_epochs_are_scored_on_the_part_and_the_kept_one_on_all(keras: Any, digits: Dataset, keeps: str) -> None:
    whole = digits.split("validation")
    rows = rows_of(whole.part(64), whole)
    model, counted, results, probabilities = train(keras, digits, candidate(), validation_steps=2, keep_weights=keeps)
    labels = np.array(whole.labels)
    accuracies = [accuracy_score(labels[rows], found[rows].argmax(axis=1)) for found in probabilities]
    losses = [log_loss(labels[rows], found[rows].astype(float), labels=range(10)) for found in probabilities]
    assert [result.accuracy for result in results] == pytest.approx(accuracies)
    assert [result.metrics["val_loss"] for result in results] == pytest.approx(losses, rel=1e-4)
    best = {"best": int(np.argmax(accuracies)), "val_loss": int(np.argmin(losses)), "last": 3}[keeps]
    assert counted.epoch == best + 1
    on_all = accuracy_score(labels, probabilities[best].argmax(axis=1))
    assert counted.accuracy == counted.metrics["val_accuracy"] == pytest.approx(on_all)
    assert counted.metrics["val_loss"] == pytest.approx(
        log_loss(labels, probabilities[best].astype(float), labels=range(10)), rel=1e-4
    )
    assert counted.accuracy != pytest.approx(accuracies[best])  # of other images
    assert counted.metrics["loss"] == results[best].metrics["loss"]  # training's own is left
    kept = np.asarray(model(np.array(whole.images), training=False)).argmax(axis=1)
    assert accuracy_score(labels, kept) == pytest.approx(counted.accuracy)


def test_candidates_of_other_batch_sizes_are_scored_on_the_same_images(keras: Any, digits: Dataset) -> None:
    """With the rate so small, nothing is learnt: both are the network that they began with."""
    frozen = {"learning_rate": 1e-12}
    scores = [
        train(
            keras, digits, candidate(batch_size=size, optimizer="sgd", optimizer_settings=frozen), validation_steps=1
        )[2]
        for size in (64, 256)
    ]
    assert scores[0][0].metrics["val_loss"] == pytest.approx(scores[1][0].metrics["val_loss"], rel=1e-5)


def test_as_many_steps_as_there_are_images_change_nothing(keras: Any, digits: Dataset) -> None:
    found = [train(keras, digits, candidate(), epochs=2, validation_steps=steps) for steps in (0, 12)]  # 384 > 359
    assert found[0][1].metrics == found[1][1].metrics
    assert found[0][1] in found[1][2] or found[0][1].accuracy == found[1][1].accuracy


def test_a_stopped_training_has_the_parts_scores(keras: Any, digits: Dataset) -> None:
    _, counted, results, _ = train(keras, digits, candidate(), validation_steps=1, stops_after=2)
    assert len(results) == 2
    assert counted in results


def test_each_fold_has_a_part_of_its_own(keras: Any) -> None:
    folds = prepare(DigitsSource(source="digits", folds=3), seed=1)
    for fold in (0, 1):
        whole = folds.split("validation", fold)
        rows = rows_of(whole.part(32), whole)
        _, counted, results, probabilities = train(
            keras, folds, candidate(batch_size=256), fold=fold, epochs=1, validation_steps=1
        )
        answers = probabilities[0].argmax(axis=1)
        assert results[0].accuracy == pytest.approx(accuracy_score(whole.labels[rows], answers[rows]))
        assert counted.accuracy == pytest.approx(accuracy_score(whole.labels, answers))
