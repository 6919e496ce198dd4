from __future__ import annotations

import json
from typing import Any

import optuna
import pytest

from tunefront.mistakes import nearest
from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.augmentation.levels import LEVELS
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.optimizers import OPTIMIZERS
from tunefront.spaces.ranges import Choice, Fixed, FloatRange, IntRange, write_range
from tunefront.spaces.schedules import SCHEDULES
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space


def candidates(table: dict[str, Any], n: int = 60) -> list[tuple[Candidate, dict[str, Any]]]:
    """Return random candidates of a space, each with its Optuna parameters."""
    space = Space.from_table(table)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    trials = [study.ask() for _ in range(n)]
    return [(space.suggest(trial), trial.params) for trial in trials]


# Reading [space]


def test_from_table_when_it_is_empty() -> None:
    space = Space.from_table({})
    assert space.general["optimizer"] == Choice(tuple(OPTIMIZERS))
    assert space.general["augmentation"] == Choice(("none", "light"))
    assert set(space.families["optimizer"]) == set(OPTIMIZERS)
    assert set(space.families["architecture"]) == {"plain_cnn"}
    assert set(space.families["schedule"]) == {"constant"}
    for name, ranges in space.families["optimizer"].items():
        assert ranges == {key: setting.default for key, setting in OPTIMIZERS[name].items()}


def test_from_table_takes_what_it_is_given_and_keeps_other_defaults() -> None:
    space = Space.from_table(
        {
            "optimizer": ["adam", "sgd"],
            "batch_size": 64,
            "plain_cnn": {"n_blocks": {"low": 1, "high": 2}, "dropout": 0},
            "adam": {"learning_rate": {"low": 1e-3, "high": 1e-2, "log": True}},
        }
    )
    assert space.general["batch_size"] == Fixed(64)
    assert space.families["architecture"]["plain_cnn"]["n_blocks"] == IntRange(1, 2)
    assert space.families["architecture"]["plain_cnn"]["dropout"] == Fixed(0)
    assert space.families["architecture"]["plain_cnn"]["kernel_size"] == Choice((3, 5))
    assert space.families["optimizer"]["adam"]["learning_rate"] == FloatRange(1e-3, 1e-2, None, True)
    assert set(space.families["optimizer"]["sgd"]) == {"learning_rate", "momentum", "nesterov", "weight_decay"}


def test_defaults_are_possible_values_themselves() -> None:
    # Every default must be accepted in a spec, so that no default breaks its own rule.
    families = {
        "architecture": {name: architecture.settings for name, architecture in ARCHITECTURES.items()},
        "optimizer": OPTIMIZERS,
        "augmentation": LEVELS,
        "schedule": SCHEDULES,
    }
    names = {family: list(settings) for family, settings in families.items()}
    tables = {
        name: {key: write_range(setting.default) for key, setting in settings.items()}
        for family in families.values()
        for name, settings in family.items()
    }
    assert Space.from_table(names | tables) == Space.from_table(names)


@pytest.mark.parametrize(
    ("table", "key", "fragments"),
    [
        ({"optimiser": "adam"}, "space.optimiser", ["there is no such key", "Did you mean 'optimizer'?"]),
        ({"optimizer": "adm"}, "space.optimizer", ["there is no optimizer 'adm'", "Did you mean 'adam'?", "sgd"]),
        ({"optimizer": ["adam", "SGD"]}, "space.optimizer", ["there is no optimizer 'SGD'", "Known: sgd, adam"]),
        ({"optimizer": 3}, "space.optimizer", ["there is no optimizer 3", "Known: sgd"]),
        ({"optimizer": []}, "space.optimizer", ["the list is empty"]),
        ({"optimizer": ["adam", "adam"]}, "space.optimizer", ["names a value twice"]),
        ({"optimizer": {"low": 1, "high": 2}}, "space.optimizer", ["Known: sgd"]),
        ({"architecture": "plain_cn"}, "space.architecture", ["no architecture 'plain_cn'", "mean 'plain_cnn'?"]),
        ({"augmentation": ["none", "lihgt"]}, "space.augmentation", ["no augmentation 'lihgt'", "mean 'light'?"]),
        ({"batch_size": 0}, "space.batch_size", ["0 is not possible", "a whole number from 1 to 65536"]),
        ({"batch_size": 32.0}, "space.batch_size", ["32.0 is not possible", "a whole number"]),
        ({"batch_size": True}, "space.batch_size", ["True is not possible", "a whole number"]),
        ({"batch_size": ["a"]}, "space.batch_size", ["'a' is not possible", "a whole number"]),
        ({"batch_size": [32, 70000]}, "space.batch_size", ["70000 is not possible"]),
        ({"batch_size": {"low": 0, "high": 8}}, "space.batch_size", ["0 is not possible"]),
        ({"adam": 0.001}, "space.adam", ["0.001 is not a table", "write [space.adam]"]),
        ({"adam": {"lr": 0.1}}, "space.adam.lr", ["there is no such setting", "learning_rate"]),
        ({"adam": {"learning_rate": 0}}, "space.adam.learning_rate", ["0 is not possible", "above 0 and below 100"]),
        ({"adam": {"learning_rate": "fast"}}, "space.adam.learning_rate", ["'fast' is not possible"]),
        ({"adam": {"learning_rate": [0.1, -0.1]}}, "space.adam.learning_rate", ["-0.1 is not possible"]),
        ({"adam": {"learning_rate": {"low": 1}}}, "space.adam.learning_rate", ["is not a range"]),
        ({"adam": {"learning_rate": float("nan")}}, "space.adam.learning_rate", ["nan is not possible"]),
        ({"adam": {"learning_rate": {"low": 0.1, "high": float("inf")}}}, "space.adam.learning_rate", ["inf"]),
        ({"plain_cnn": {"dropout": {"low": float("nan"), "high": 0.5}}}, "space.plain_cnn.dropout", ["nan"]),
        ({"sgd": {"momentum": 1.0}}, "space.sgd.momentum", ["1.0 is not possible", "or 0"]),
        ({"sgd": {"nesterov": 1}}, "space.sgd.nesterov", ["1 is not possible", "true or false"]),
        ({"plain_cnn": {"n_bloks": 1}}, "space.plain_cnn.n_bloks", ["Did you mean 'n_blocks'?"]),
        ({"plain_cnn": {"n_blocks": 13}}, "space.plain_cnn.n_blocks", ["13 is not possible", "from 1 to 12"]),
        ({"plain_cnn": {"dropout": 1}}, "space.plain_cnn.dropout", ["1 is not possible", "below 1, or 0"]),
        ({"plain_cnn": {"batch_norm": "yes"}}, "space.plain_cnn.batch_norm", ["'yes' is not possible"]),
        ({"plain_cnn": {"filters": {"low": 1, "high": 9.5}}}, "space.plain_cnn.filters", ["1.0 is not possible"]),
        (
            {"optimizer": "sgd", "adam": {"learning_rate": 0.1}},
            "space.adam",
            ["'adam' is not among the optimizers of this space", "remove this table"],
        ),
    ],
)
def test_from_table_names_key_value_and_remedy_when_it_is_wrong(
    table: dict[str, Any], key: str, fragments: list[str]
) -> None:
    with pytest.raises(SpaceError) as caught:
        Space.from_table(table)
    assert caught.value.key == key
    assert str(caught.value).startswith(f"{key}: ")
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("adm", "Did you mean 'adam'? Known: sgd, adam"),
        ("Adam", "Did you mean 'adam'? Known: sgd, adam"),
        ("zzz", "Known: sgd, adam"),
        ("", "Known: sgd, adam"),
    ],
)
def test_nearest_suggests_a_name(name: str, expected: str) -> None:
    assert nearest(name, ["sgd", "adam"]) == expected


# Sampling


def test_suggest_names_parameters_by_group() -> None:
    ((candidate, parameters),) = candidates(
        {"optimizer": ["adam", "adamw"], "adam": {}, "augmentation": ["none", "light"]}, n=1
    )
    own = {f"{candidate.optimizer}.{name}" for name in candidate.optimizer_settings}
    own.discard(f"{candidate.optimizer}.weight_decay" if candidate.optimizer == "adam" else "")  # fixed at 0
    cnn = {
        f"plain_cnn.{name}"
        for name, setting in ARCHITECTURES["plain_cnn"].settings.items()
        if not isinstance(setting.default, Fixed)
    }
    assert set(parameters) == {"optimizer.name", "augmentation.level", "training.batch_size", *own, *cnn}


def test_suggest_makes_no_parameter_of_a_fixed_value() -> None:
    table = {
        "architecture": "plain_cnn",
        "optimizer": "rmsprop",
        "augmentation": "none",
        "batch_size": 32,
        "plain_cnn": {
            "n_blocks": 2,
            "filters": [8],
            "kernel_size": 3,
            "dense_units": 0,
            "dropout": {"low": 0, "high": 0},
            "batch_norm": True,
        },
        "rmsprop": {"learning_rate": 0.001},
    }
    for candidate, parameters in candidates(table, n=2):
        assert parameters == {}
        written = {"n_blocks": 2, "filters": 8, "kernel_size": 3, "dense_units": 0, "dropout": 0, "batch_norm": True}
        assert candidate == Candidate(
            architecture="plain_cnn",
            architecture_settings=dict(candidate.architecture_settings) | written,
            optimizer="rmsprop",
            optimizer_settings={"learning_rate": 0.001, "momentum": 0.0, "weight_decay": 0.0},
            augmentation="none",
            batch_size=32,
            schedule="constant",
            schedule_settings={"warm_up_epochs": 0.0},
        )


def test_suggest_samples_an_optimizer_s_settings_only_where_it_was_chosen() -> None:
    seen = set()
    for candidate, parameters in candidates({}):
        groups = {name.split(".")[0] for name in parameters} - {"plain_cnn", "augmentation", "training", "optimizer"}
        assert groups == {candidate.optimizer}
        assert set(candidate.optimizer_settings) == set(OPTIMIZERS[candidate.optimizer])
        seen.add(candidate.optimizer)
    assert seen == set(OPTIMIZERS)


def test_suggest_gives_the_types_that_keras_wants() -> None:
    for candidate, _ in candidates({}):
        settings = candidate.architecture_settings
        assert type(candidate.batch_size) is int
        assert {type(settings[key]) for key in ("n_blocks", "filters", "kernel_size", "dense_units")} == {int}
        assert type(settings["batch_norm"]) is bool
        assert type(settings["dropout"]) is float
        assert type(candidate.optimizer_settings["learning_rate"]) is float


def test_suggest_gives_the_same_candidate_when_a_trial_is_asked_again() -> None:
    space = Space.from_table({})
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask()
    assert space.suggest(trial) == space.suggest(trial)


def test_as_table_is_read_as_the_same_space() -> None:
    names = {"architecture": list(ARCHITECTURES), "augmentation": list(LEVELS), "schedule": list(SCHEDULES)}
    vgg16 = {"architecture": "VGG16", "VGG16": {"trainable": "90 %"}, "l2": {"low": 0, "high": 1}}
    for table in ({}, names, vgg16):
        space = Space.from_table(table)
        written = space.as_table()
        assert Space.from_table(json.loads(json.dumps(written))) == space
        tables = [value for value in written.values() if isinstance(value, dict) and "low" not in value]
        n_settings = sum(len(settings) for members in space.families.values() for settings in members.values())
        assert len(written) - len(tables) + sum(map(len, tables)) == len(space.general) + n_settings
