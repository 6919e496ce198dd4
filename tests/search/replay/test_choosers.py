from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tests.search.recorded import crossing, drawn_parameters, recording, spec, training
from tunefront.search.replay import make_table
from tunefront.search.replay.choosers import NearestRecorded, RandomOrder, make_chooser
from tunefront.search.replay.distances import GowerDistances
from tunefront.search.replay.recorded_table import RecordedTable
from tunefront.search.replay.recording import RecordingError


@pytest.fixture(scope="module")
def table() -> RecordedTable:
    return make_table(crossing(15))


def test_a_random_order_has_every_candidate_once_and_comes_from_its_seed(table: RecordedTable) -> None:
    def order(seed: int) -> list[int]:
        chooser = RandomOrder(table, seed)
        return [chooser.next() for _ in range(15)]

    assert sorted(order(1)) == list(range(15))
    assert order(1) == order(1) != order(2)


DISTRIBUTIONS = {
    "n": IntDistribution(1, 5),
    "rate": FloatDistribution(1e-4, 1e-2, log=True),
    "kind": CategoricalDistribution(["a", "b"]),
    "fixed": IntDistribution(3, 3),
}


@pytest.mark.parametrize(
    ("asked", "recorded", "expected"),
    [
        ({"n": 1}, {"n": 1}, 0.0),
        ({"n": 1}, {"n": 3}, 0.5),
        ({"n": 1}, {"n": 3.0}, 0.5),  # as read from a table with gaps
        ({"rate": 1e-3}, {"rate": 1e-2}, 0.5),
        ({"kind": "a"}, {"kind": "b"}, 1.0),
        ({"kind": "a", "n": 1}, {"kind": "a", "n": 5}, 0.5),
        ({"kind": "a", "rate": 1e-3}, {"kind": "a"}, 0.5),  # missing on one side is different
        ({"kind": "a"}, {"kind": "a", "rate": 1e-3}, 0.5),
        ({"kind": "a", "rate": 1e-3}, {"kind": "b", "n": 2}, 1.0),
        ({"fixed": 3}, {"fixed": 3}, 0.0),
        ({"n": 1}, {"n": 9}, 1.0),  # outside the range
        ({}, {}, 0.0),
    ],
)
def test_gower_distance(asked: dict[str, object], recorded: dict[str, object], expected: float) -> None:
    others = [{"kind": "b"}, recorded, {}]
    assert GowerDistances(others).to(asked, DISTRIBUTIONS)[1] == pytest.approx(expected)


@pytest.mark.parametrize("name", ["tpe", "nsga2"])
def test_a_sampler_gets_every_candidate_once(table: RecordedTable, name: str) -> None:
    chooser = make_chooser(name, table, spec(9).parsed_space(), seed=3)
    chosen = []
    for number in range(15):
        chosen.append(chooser.next())
        chooser.end(chosen[-1], is_complete=number % 3 > 0)
    assert sorted(chosen) == list(range(15))


def test_a_sampler_is_told_what_really_ran(table: RecordedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[optuna.Study] = []
    create = optuna.create_study
    monkeypatch.setattr(optuna, "create_study", lambda **arguments: made.append(create(**arguments)) or made[0])
    chooser = NearestRecorded(table, spec(9).parsed_space(), "tpe", seed=3)
    first, second, third = chooser.next(), chooser.next(), chooser.next()
    chooser.end(first, is_complete=True)
    chooser.end(second, is_complete=False)
    trials = [trial for trial in made[0].trials if trial.state.name != "FAIL"]
    assert [trial.state.name for trial in trials] == ["COMPLETE", "PRUNED", "RUNNING"]
    assert [trial.params for trial in trials] == [table.parameters[number] for number in (first, second, third)]
    assert trials[0].values == table.values[first].tolist()
    assert not any("tpe:relative_params" in trial.system_attrs for trial in trials)


def test_the_nearest_free_candidate_answers(table: RecordedTable) -> None:
    space = spec(9).parsed_space()
    chooser = NearestRecorded(table, space, "tpe", seed=3)
    asked = optuna.create_study(sampler=chooser._sampler(0)).ask()
    space.suggest(asked)
    distances = GowerDistances(table.parameters).to(asked.params, asked.distributions)
    assert chooser.next() == int(np.argmin(distances))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"optimizer.name": "no such optimizer"}, "not of the spec's space: 'no such optimizer' not in"),
        ({"resnet.width": 1.0}, "'resnet.width': 1.0.* is not of the spec's space"),
    ],
)
def test_a_candidate_of_another_space_is_named(changed: dict[str, object], message: str) -> None:
    alien = drawn_parameters(0) | changed
    foreign = make_table(recording(*(training(number, [0.1, 0.2], parameters=alien) for number in range(2))))
    chooser = NearestRecorded(foreign, spec(2).parsed_space(), "nsga2", seed=0)
    with pytest.raises(RecordingError, match=message):
        chooser.next()
