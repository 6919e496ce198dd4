"""What `fit` reads and what predictions are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

IMAGES = np.arange(10 * 4).reshape(10, 2, 2, 1).astype(np.uint8)
LABELS = np.arange(10)


def labels_of(batches: Any, epochs: int) -> list[list[int]]:
    seen = []
    for _ in range(epochs):
        seen.append([int(label) for step in range(len(batches)) for label in batches[step][1]])
        batches.on_epoch_end()
    return seen


def test_batches_of_one_pass_hold_every_image_once_in_new_order(keras: Any) -> None:
    from search.feeding import Batches

    batches = Batches(IMAGES, LABELS, batch_size=4, steps=0, seed=1)
    assert len(batches) == 3
    assert [len(batches[step][1]) for step in range(3)] == [4, 4, 2]
    first, second = labels_of(batches, 2)
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert first == labels_of(Batches(IMAGES, LABELS, 4, 0, seed=1), 1)[0]
    assert first != labels_of(Batches(IMAGES, LABELS, 4, 0, seed=2), 1)[0]


def test_batches_of_some_steps_go_on_where_the_last_epoch_ended(keras: Any) -> None:
    from search.feeding import Batches

    batches = Batches(IMAGES, LABELS, batch_size=4, steps=2, seed=1)
    epochs = labels_of(batches, 5)  # 40 images: four passes
    assert [len(epoch) for epoch in epochs] == [8] * 5
    assert Counter(label for epoch in epochs for label in epoch) == dict.fromkeys(range(10), 4)


@pytest.mark.parametrize("batch_size", [3, 25])
def test_batches_may_be_larger_than_what_is_left_of_a_pass(keras: Any, batch_size: int) -> None:
    from search.feeding import Batches

    batches = Batches(IMAGES, LABELS, batch_size, steps=1, seed=1)
    for _ in range(9):
        images, labels = batches[0]
        assert len(labels) == batch_size
        np.testing.assert_array_equal(images, IMAGES[labels])
        batches.on_epoch_end()


def test_training_data_stays_whole_when_it_is_small(keras: Any) -> None:
    from search.feeding import Batches, n_steps, training_data

    assert training_data(IMAGES, LABELS, 4, 0, 1)["x"] is IMAGES
    assert isinstance(training_data(IMAGES, LABELS, 4, 2, 1)["x"], Batches)
    large = np.broadcast_to(np.zeros((1, 500, 500, 1), np.uint8), (2000, 500, 500, 1))
    assert isinstance(training_data(large, np.zeros(2000, int), 4, 0, 1)["x"], Batches)
    assert (n_steps(10, 4, 0), n_steps(10, 4, 7)) == (3, 7)


@pytest.mark.parametrize("n", [1, 5, 7, 10])
def test_predict_gives_a_row_for_every_image(keras: Any, n: int) -> None:
    from search.feeding import predict

    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    found = predict(model, IMAGES[:n], batch_size=4)
    assert found.shape == (n, 3)
    np.testing.assert_allclose(found, np.asarray(model(IMAGES[:n].astype("float32"))), rtol=1e-5)


def test_predict_makes_two_columns_of_one_sigmoid_unit(keras: Any) -> None:
    from search.feeding import predict

    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")])
    found = predict(model, IMAGES, batch_size=256)
    assert found.shape == (10, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(found[:, 1], np.asarray(model(IMAGES.astype("float32")))[:, 0], rtol=1e-5)
