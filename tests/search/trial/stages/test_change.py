"""Settings that change during a training, against one uninterrupted `fit` of plain Keras that changes them itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.candidates import candidate
from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.optimizers import OPTIMIZERS
from tunefront.spaces.space import Space

SPACE = Space.from_table({})
SEED, EPOCHS = 3, 5
RATES = {"sgd": 0.05, "adadelta": 1.0, "lion": 0.001}  # all others 0.01


def with_rate(name: str, rate: float, **settings: Any) -> Candidate:
    return candidate(
        optimizer=name, optimizer_settings={"learning_rate": rate, **settings}, batch_size=512, steps_per_epoch=2
    )


def train(keras: Any, dataset: Dataset, chosen: Candidate, epochs: int = EPOCHS, **settings: Any) -> tuple[Any, Any]:
    """Train as a trial does; return the trainable and the learning rate of each epoch."""
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    rates: list[float] = []

    def note(result: Any) -> bool:
        rates.append(result.metrics["learning_rate"])
        return True

    table = TrainingTable.model_validate({"epochs": epochs, "keep_weights": "last", **settings})
    keras.utils.set_random_seed(SEED)
    trainable = training.build(SPACE, chosen, dataset, table, SEED)
    fit(trainable, dataset, table, Goal("accuracy", 1), note, seed=SEED)
    return trainable, rates


def train_plainly(keras: Any, dataset: Dataset, chosen: Candidate, changes: Mapping[int, Any]) -> list[Any]:
    """Train in one `fit`, which calls a function with the model at the beginning of some epochs; return the weights."""
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.batches import Batches

    keras.utils.set_random_seed(SEED)
    trained = training.build(SPACE, chosen, dataset, TrainingTable(), SEED).trained
    train = dataset.split("train")
    batches = Batches(train.images, train.labels, chosen.batch_size, chosen.steps_per_epoch, SEED)

    def begin(epoch: int, logs: Any) -> None:
        if epoch + 1 in changes:
            changes[epoch + 1](trained)
            trained.make_train_function(force=True)  # what is no variable was traced as a constant

    callbacks = [batches.epoch_counter, keras.callbacks.LambdaCallback(on_epoch_begin=begin)]
    trained.fit(batches, shuffle=False, epochs=EPOCHS, callbacks=callbacks, verbose=0)
    return state(keras, trained, trained.optimizer)


def state(keras: Any, model: Any, optimizer: Any) -> list[Any]:
    return [*model.get_weights(), *(keras.ops.convert_to_numpy(one) for one in optimizer.variables)]


def assert_equal(found: list[Any], expected: list[Any]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on_as_if_keras_had_changed_its_rate_and_decay(
    keras: Any, digits: Dataset, name: str
) -> None:
    rate = RATES.get(name, 0.01)
    extra = {"momentum": 0.9, "nesterov": True} if name == "sgd" else {"momentum": 0.5} if name == "rmsprop" else {}
    first = with_rate(name, rate, weight_decay=0.01, **extra)
    second = with_rate(name, rate / 4, weight_decay=0.3, **extra)
    third = with_rate(name, rate / 2, weight_decay=0.3, **extra)

    def to_second(model: Any) -> None:
        model.optimizer.learning_rate = rate / 4
        model.optimizer.weight_decay = 0.3

    def to_third(model: Any) -> None:
        model.optimizer.learning_rate = rate / 2

    expected = train_plainly(keras, digits, first, {3: to_second, 5: to_third})
    found, rates = train(keras, digits, replace(first, later=((3, second), (5, third))))
    assert_equal(state(keras, found.model, found.optimizer), expected)
    assert rates == pytest.approx([rate, rate, rate / 4, rate / 4, rate / 2])
    if name == "adam":  # what changes makes a difference
        unchanged = train_plainly(keras, digits, first, {})
        assert any((one != other).any() for one, other in zip(unchanged, expected, strict=True))


def test_penalties_and_smoothing_change_as_in_keras(keras: Any, digits: Dataset) -> None:
    first = candidate(optimizer="sgd", optimizer_settings={"learning_rate": 0.05}, batch_size=512, steps_per_epoch=2)
    second = replace(first, l1=0.001, l2=0.02, label_smoothing=0.2)

    def to_second(model: Any) -> None:
        for layer in model.layers:
            if hasattr(layer, "kernel"):
                layer.kernel.regularizer = keras.regularizers.L1L2(0.001, 0.02)
        model.loss.label_smoothing = 0.2

    expected = train_plainly(keras, digits, first, {4: to_second})
    found, _ = train(keras, digits, replace(first, later=((4, second),)))
    assert_equal(state(keras, found.model, found.optimizer), expected)


def test_a_retraining_changes_the_same_at_the_same_epochs(keras: Any, digits: Dataset) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit_epochs

    first, second = with_rate("adam", 0.01), with_rate("adam", 0.002)
    course = replace(first, later=((2, second), (4, first)), epochs=6)
    expected = train_plainly(
        keras,
        digits,
        first,
        {2: lambda model: set_rate(model, 0.002), 4: lambda model: set_rate(model, 0.01)},
    )
    keras.utils.set_random_seed(SEED)
    found = training.build(SPACE, course, digits, TrainingTable(), SEED)
    fit_epochs(found, digits, EPOCHS, lambda epoch, loss: None, seed=SEED)
    assert_equal(state(keras, found.model, found.optimizer), expected)


def set_rate(model: Any, rate: float) -> None:
    model.optimizer.learning_rate = rate


def test_a_cosine_goes_on_at_its_step_with_the_new_rate(keras: Any, digits: Dataset) -> None:
    first, second = (
        replace(with_rate("adam", rate), schedule="cosine", schedule_settings={"minimum": 0.1, "warm_up_epochs": 0.0})
        for rate in (0.01, 0.004)
    )
    _, rates = train(keras, digits, replace(first, later=((4, second),)))
    fall = [0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS)) for epoch in range(1, EPOCHS + 1)]
    assert rates == pytest.approx([0.01 * share for share in fall[:3]] + [0.004 * share for share in fall[3:]])


def test_a_lowered_plateau_stays_lowered_and_counts_on(keras: Any, digits: Dataset) -> None:
    # So small a rate improves nothing: after two epochs without, the rate is halved.
    settings = {"monitor": "loss", "factor": 0.5, "patience": 2, "cooldown": 0, "minimum": 0.0}
    first, second = (
        replace(with_rate("sgd", rate), steps_per_epoch=0, schedule="reduce_on_plateau", schedule_settings=settings)
        for rate in (1e-30, 4e-30)
    )
    _, rates = train(keras, digits, replace(first, later=((3, second), (5, first))), epochs=7)
    # Epoch 1 is the best. After epoch 3, the second without an improvement, 4e-30 is halved. Epoch 5 has half of 1e-30,
    # and is again the second one.
    expected = [1e-30, 1e-30, 4e-30, 2e-30, 0.5e-30, 0.25e-30, 0.25e-30]
    assert rates == pytest.approx(expected, rel=1e-6, abs=0)


def test_early_stopping_counts_across_a_change_and_ends_the_training(keras: Any, digits: Dataset) -> None:
    still = replace(with_rate("sgd", 1e-30), steps_per_epoch=0)
    stopping = {"early_stopping": {"monitor": "loss", "patience": 3}}
    _, rates = train(keras, digits, replace(still, later=((3, still), (5, still), (6, still))), epochs=8, **stopping)
    assert len(rates) == 4  # the first is the best, three are no better; nothing after that is trained


def test_a_change_before_the_first_step_of_fine_tuning_begins_its_optimizer_anew(keras: Any, digits: Dataset) -> None:
    from tunefront.search.trial.stages.segments import segments
    from tunefront.search.trial.trainable import Phase

    first, second, third = (with_rate("sgd", rate) for rate in (0.1, 0.2, 0.3))
    course = replace(first, later=((3, second), (6, third)))
    found = [
        (one.first_epoch, one.last_epoch, one.candidate, one.begins_phase)
        for one in segments(course, (Phase(1, 2), Phase(3, 4), Phase(5, 8)))
    ]
    assert found == [(1, 2, course, True), (3, 4, second, True), (5, 5, second, True), (6, 8, third, False)]


def test_dropout_and_augmentation_act_from_their_epoch_on(keras: Any, digits: Dataset) -> None:
    plain = with_rate("sgd", 0.05)
    dropping = replace(plain, architecture_settings={**plain.architecture_settings, "dropout": 0.4})
    shifting = replace(dropping, augmentation="custom", augmentation_settings={"shift": 0.3, "mixup": 0.2})
    found, _ = train(keras, digits, replace(plain, later=((3, dropping), (4, shifting))), epochs=4)
    assert [layer.rate for layer in found.model.layers if isinstance(layer, keras.layers.Dropout)] == [0.4]
    assert [type(layer).__name__ for layer in found.trained.augmentation] == ["RandomTranslation"]
    assert found.trained.mixing is not None
    # The same changes give the same weights: what is drawn depends on seed and epoch alone.
    again, _ = train(keras, digits, replace(plain, later=((3, dropping), (4, shifting))), epochs=4)
    assert_equal(again.model.get_weights(), found.model.get_weights())
    # Up to the change, nothing differs; from it on, each of the two does.
    weights = [
        train(keras, digits, replace(plain, later=later), epochs=epochs)[0].model.get_weights()
        for later, epochs in (((), 2), (((3, dropping),), 2), ((), 3), (((3, dropping),), 3), (((3, shifting),), 3))
    ]
    assert_equal(weights[0], weights[1])
    assert all((weights[a][0] != weights[b][0]).any() for a, b in ((2, 3), (3, 4)))


def test_the_saved_model_has_the_last_settings(keras: Any, digits: Dataset, tmp_path: Any) -> None:
    from tunefront.search.trial import trainable as training

    first = with_rate("adam", 0.01)
    second = replace(with_rate("adam", 0.002), architecture_settings={**first.architecture_settings, "dropout": 0.25})
    found, _ = train(keras, digits, replace(first, later=((2, second),)), epochs=2)
    training.save(found, str(tmp_path / "model.keras"))
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.002)
    assert int(loaded.optimizer.iterations) == 4  # two steps in each of both epochs
    assert [layer.rate for layer in loaded.layers if isinstance(layer, keras.layers.Dropout)] == [0.25]
    images = digits.split("validation").images[:8]
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), found.model.predict(images, verbose=0))
