"""The grid of a space: its points, their order, and the next one."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from tunefront.spaces.grid import Grid
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import parameters_of, steer
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space

FIXED = {"augmentation": "none", "batch_size": 32, "optimizer": "adam", "adam": {"learning_rate": 0.01}}
CNN = {"n_blocks": 1, "filters": 8, "dense_units": 0, "kernel_size": 3, "batch_norm": False, "dropout": 0.0}


class Layers:
    """An own space in which the number of parameters depends on one of them."""

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        n_layers = trial.suggest_int("layers", 1, 2)
        return {str(layer): trial.suggest_categorical(f"units_{layer}", [4, 8, 16]) for layer in range(n_layers)}

    def build(self, *_: Any) -> None:
        raise NotImplementedError


OWN = OwnSpace.parse(f"{__name__}:Layers")


@pytest.mark.parametrize(
    ("table", "n_points"),
    [
        ({**FIXED, "plain_cnn": CNN}, 1),
        ({**FIXED, "plain_cnn": {**CNN, "filters": [4, 8, 16]}}, 3),
        ({**FIXED, "plain_cnn": {**CNN, "filters": {"low": 4, "high": 8}, "n_blocks": [1, 2]}}, 5 * 2),
        ({**FIXED, "plain_cnn": {**CNN, "dropout": {"low": 0.0, "high": 0.5, "step": 0.1}}}, 6),
        # sgd has two momenta, adam one learning rate more: 3 + 2, not 3 * 2
        (
            {
                **FIXED,
                "plain_cnn": CNN,
                "optimizer": ["adam", "sgd"],
                "adam": {"learning_rate": [0.1, 0.01, 0.001]},
                "sgd": {"learning_rate": 0.1, "momentum": [0.0, 0.9], "nesterov": False},
            },
            3 + 2,
        ),
    ],
)
def test_a_grid_has_a_point_for_each_candidate(table: dict[str, Any], n_points: int) -> None:
    grid = Grid(Space.from_table(table), seed=1)
    assert len(grid) == n_points


def test_a_grid_of_an_own_space_follows_its_conditions() -> None:
    assert len(Grid(OWN, seed=1)) == 3 + 3 * 3


def test_each_point_is_next_once_and_then_none() -> None:
    grid = Grid(OWN, seed=1)
    states = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.RUNNING]
    trials: list[optuna.trial.FrozenTrial] = []
    while (point := grid.next_point(trials)) is not None:
        state = states[len(trials) % 4]
        trials.append(
            create_trial(
                state=state,
                value=1.0 if state is TrialState.COMPLETE else None,
                params=dict(point),
                distributions=dict(steer(OWN, point).distributions),
            )
        )
    assert len({str(sorted(trial.params.items())) for trial in trials}) == len(trials) == 12


def test_the_order_is_the_seeds() -> None:
    orders = [[dict(Grid(OWN, seed).next_point([]) or {})] for seed in range(8)]
    assert orders == [[dict(Grid(OWN, seed).next_point([]) or {})] for seed in range(8)]
    assert len({str(order) for order in orders}) > 1


def test_a_grid_that_is_too_large_is_an_error() -> None:
    with pytest.raises(SpaceError, match="more than 20000 points.*qmc"):
        Grid(
            Space.from_table(
                {
                    **FIXED,
                    "plain_cnn": {**CNN, "filters": {"low": 1, "high": 4000}, "dense_units": {"low": 0, "high": 5}},
                }
            ),
            seed=1,
        )


def test_parameters_of_finds_what_exists_only_with_a_choice() -> None:
    found = parameters_of(OWN)
    assert set(found.distributions) == {"layers", "units_0", "units_1"}
    assert found.always == {"layers", "units_0"}
    space = parameters_of(Space.from_table({}))
    assert {"sgd.momentum", "adamw.weight_decay", "plain_cnn.filters"} <= set(space.distributions)
    assert "sgd.momentum" not in space.always
