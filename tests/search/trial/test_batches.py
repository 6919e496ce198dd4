"""The batches that `fit` reads, and predictions."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

IMAGES = np.arange(10 * 4).reshape(10, 2, 2, 1).astype(np.uint8)
LABELS = np.arange(10)
UNITS = np.eye(10, dtype=np.float32).reshape(10, 10, 1, 1)  # image i is the i-th unit vector


def labels_of(batches: Any, epoch: int) -> list[int]:
    batches.begin(epoch)
    return [int(label) for step in range(len(batches)) for label in batches[step][1]]


def test_batches_of_one_pass_hold_every_image_once_in_new_order(keras: Any) -> None:
    from tunefront.search.trial.batches import Batches

    batches = Batches(IMAGES, LABELS, batch_size=4, steps=0, seed=1)
    assert len(batches) == 3
    assert [len(batches[step][1]) for step in range(3)] == [4, 4, 2]
    first, second = labels_of(batches, 0), labels_of(batches, 1)
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert labels_of(batches, 0) == first == labels_of(Batches(IMAGES, LABELS, 4, 0, seed=1), 0)
    assert first != labels_of(Batches(IMAGES, LABELS, 4, 0, seed=2), 0)


@pytest.mark.parametrize("steps", [0, 2])
def test_a_batch_is_in_shuffled_order_and_its_images_are_those_of_its_labels(keras: Any, steps: int) -> None:
    from tunefront.search.trial.batches import Batches

    batches = Batches(IMAGES, LABELS, batch_size=5, steps=steps, seed=1)
    for step in range(2):
        images, labels = batches[step]
        np.testing.assert_array_equal(images, IMAGES[labels])
        assert list(labels) != sorted(labels)  # of images that lie class by class, neighbours would be of one class


def test_batches_of_some_steps_go_on_where_the_last_epoch_ended(keras: Any) -> None:
    from tunefront.search.trial.batches import Batches

    batches = Batches(IMAGES, LABELS, batch_size=4, steps=2, seed=1)
    epochs = [labels_of(batches, epoch) for epoch in range(5)]  # 40 images: four passes
    assert [len(epoch) for epoch in epochs] == [8] * 5
    assert Counter(label for epoch in epochs for label in epoch) == dict.fromkeys(range(10), 4)


@pytest.mark.parametrize("batch_size", [3, 25])
def test_batches_may_be_larger_than_what_is_left_of_a_pass(keras: Any, batch_size: int) -> None:
    from tunefront.search.trial.batches import Batches

    batches = Batches(IMAGES, LABELS, batch_size, steps=1, seed=1)
    for epoch in range(9):
        batches.begin(epoch)
        images, labels = batches[0]
        assert len(labels) == batch_size
        np.testing.assert_array_equal(images, IMAGES[labels])


def model_that_counts(keras: Any) -> Any:
    """A model whose weights count how often each image was trained on, by quarters of the learning rate.

    The gradient of the mean output is the sum of the batch's images, divided by its size.
    """
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    return keras.Sequential([keras.Input((10, 1, 1)), keras.layers.Flatten(), dense])


def fit(model: Any, batches: Any, first: int, last: int) -> None:
    counter = [batches.epoch_counter]
    model.fit(batches, shuffle=False, initial_epoch=first, epochs=last, callbacks=counter, verbose=0)


@pytest.mark.parametrize("fits", [[(0, 5)], [(0, 1), (1, 5)], [(0, 3), (3, 5)]], ids=str)
def test_real_fits_train_on_every_image_equally_often(keras: Any, fits: list[tuple[int, int]]) -> None:
    from tunefront.search.trial.batches import Batches

    batches, model = Batches(UNITS, LABELS, batch_size=4, steps=2, seed=3), model_that_counts(keras)
    for first, last in fits:
        model.compile(optimizer=keras.optimizers.SGD(4.0), loss=lambda y_true, y_pred: y_pred)
        fit(model, batches, first, last)
    # 5 epochs of 2 steps of 4: 40 images, each of the ten 4 times. Any that was passed over would be missing.
    assert [-round(float(weight)) for weight in np.ravel(model.get_weights()[0])] == [4] * 10


def test_real_fits_read_another_order_in_each_epoch_and_go_on_with_it(keras: Any) -> None:
    from tunefront.search.trial.batches import Batches

    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow runs eagerly and lets a loss look at its labels")
    steps: list[list[int]] = []

    def mean_output(y_true: Any, y_pred: Any) -> Any:
        steps.append([int(label) for label in np.ravel(keras.ops.convert_to_numpy(y_true))])
        return y_pred

    orders = []
    for fits in ([(0, 4)], [(0, 2), (2, 4)]):
        steps.clear()
        batches, model = Batches(UNITS, LABELS, batch_size=5, steps=0, seed=3), model_that_counts(keras)
        keras.utils.set_random_seed(7)  # with which Keras's own shuffling would repeat itself
        for first, last in fits:
            model.compile(optimizer="sgd", loss=mean_output, run_eagerly=True)
            fit(model, batches, first, last)
        orders.append([steps[2 * epoch] + steps[2 * epoch + 1] for epoch in range(4)])
    assert orders[0] == orders[1]
    assert all(sorted(order) == list(range(10)) for order in orders[0])
    assert len({tuple(order) for order in orders[0]}) == 4


@pytest.mark.parametrize("n", [1, 5, 7, 10])
def test_predict_gives_a_row_for_every_image(keras: Any, n: int) -> None:
    from tunefront.search.trial.batches import predict

    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    found = predict(model, IMAGES[:n], batch_size=4)
    assert found.shape == (n, 3)
    np.testing.assert_allclose(found, np.asarray(model(IMAGES[:n].astype("float32"))), rtol=1e-5)


@pytest.mark.parametrize("positive_class", [0, 1])
def test_predict_makes_two_columns_of_one_sigmoid_unit(keras: Any, positive_class: int) -> None:
    from tunefront.search.trial.batches import predict

    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")])
    found = predict(model, IMAGES, batch_size=256, positive_class=positive_class)
    assert found.shape == (10, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-6)
    unit = np.asarray(model(IMAGES.astype("float32")))[:, 0]
    np.testing.assert_allclose(found[:, positive_class], unit, rtol=1e-5)
