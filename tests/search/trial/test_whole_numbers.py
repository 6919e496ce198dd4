"""Whole numbers in place of floats, as in ``momentum = 0``, through Keras's objects and a real training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.augmentation.levels import LEVELS
from tunefront.spaces.optimizers import OPTIMIZERS, build_optimizer
from tunefront.spaces.parameters import SteeredTrial
from tunefront.spaces.schedules import SCHEDULES
from tunefront.spaces.settings import Setting
from tunefront.spaces.space import Space

SMALL = {"optimizer": "adam", "augmentation": "none", "batch_size": 8, "steps_per_epoch": 1}
TINY = {"n_blocks": 1, "filters": 4, "dense_units": 0}
NETWORKS = ("plain_cnn", "residual_cnn", "separable_cnn", "MobileNet")
LEVELS_TRIED = ("custom", "strong")  # all levels have the same settings
STOPPING = ({"min_delta": 0, "patience": 0, "baseline": 0}, {"min_delta": 1, "patience": 1, "baseline": 1})


def ends(settings: Mapping[str, Setting], value: int) -> dict[str, int]:
    """Return each setting that takes this whole number, with the number."""
    return {name: value for name, setting in settings.items() if setting.allows(value) and not setting.allows(True)}


def tables() -> Iterator[Any]:
    """Yield [space] tables in which all settings of one name are 0, or all are 1, as far as possible."""
    families = (
        ("optimizer", {name: OPTIMIZERS[name] for name in OPTIMIZERS}),
        ("schedule", SCHEDULES),
        ("augmentation", {name: LEVELS[name] for name in LEVELS_TRIED}),
        ("architecture", {name: ARCHITECTURES[name].settings for name in NETWORKS}),
    )
    for family, members in families:
        for name, settings in members.items():
            for value in (0, 1):
                own = {"weights": "none"} if "weights" in settings else {}
                small = {"image_size": 32} if own else {"plain_cnn": TINY} if family != "architecture" else {}
                table = {**SMALL, **small, family: name, name: {**own, **ends(settings, value)}}
                yield pytest.param(table, id=f"{name}-{value}")
    for value in (0, 1):
        general = {"l1": value, "l2": value, "image_size": 0, **({"label_smoothing": 0} if value == 0 else {})}
        yield pytest.param({**SMALL, "plain_cnn": TINY, **general}, id=f"general-{value}")


def train(keras: Any, table: Mapping[str, Any], digits: Dataset, **settings: Any) -> Any:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    space = Space.from_table(table)
    candidate = space.suggest(SteeredTrial({}))  # type: ignore[arg-type]
    trained_for = TrainingTable.model_validate({"epochs": 2, **settings})
    keras.utils.set_random_seed(1)
    trainable = training.build(space, candidate, digits, trained_for, 1)
    trainable.trained.run_eagerly = True  # tracing takes a second for each
    fit(trainable, digits, trained_for, Goal(), lambda result: True, seed=1)
    return trainable


@pytest.mark.parametrize("table", list(tables()))
def test_a_training_takes_whole_numbers(keras: Any, digits: Dataset, table: dict[str, Any]) -> None:
    assert int(train(keras, table, digits).optimizer.iterations) > 0


@pytest.mark.parametrize("early_stopping", STOPPING)
def test_early_stopping_takes_whole_numbers(keras: Any, digits: Dataset, early_stopping: dict[str, int]) -> None:
    train(keras, {**SMALL, "plain_cnn": TINY}, digits, early_stopping=early_stopping)


def test_an_optimizer_of_whole_numbers_is_that_of_the_same_fractions(keras: Any) -> None:
    whole = build_optimizer("sgd", {"learning_rate": 1, "momentum": 0, "nesterov": False, "weight_decay": 1})
    same = build_optimizer("sgd", {"learning_rate": 1.0, "momentum": 0.0, "nesterov": False, "weight_decay": 1.0})
    assert {**whole.get_config(), "name": ""} == {**same.get_config(), "name": ""}
    assert whole.momentum == 0.0
    assert whole.nesterov is False
