from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest

from tests.search.recorded import crossing, recording, training
from tunefront.search.replay import (
    DEFAULT_PRUNERS,
    PlayedTrial,
    StrategyError,
    asks_space,
    make_table,
    parse_pruner,
    parse_strategies,
    replay,
)
from tunefront.search.replay.recording import Recording, RecordingError
from tunefront.search.replay.results import interval, measure

TWO_AXES = {"accuracy": {"measure": "accuracy"}, "memory": {"measure": "model_bytes"}, "time": False}


def test_measure_by_hand() -> None:
    table = make_table(
        recording(
            training(0, [0.3, 0.3], model_bytes=1e3),  # the front: 0.2 of the volume 0.5
            training(1, [0.2, 0.9], model_bytes=10**3.5),
            training(2, [0.1, 0.1], model_bytes=1e4),
            objectives=TWO_AXES,
        )
    )
    played = [PlayedTrial(2, 2, 3600.0, True), PlayedTrial(0, 2, 5400.0, True), PlayedTrial(1, 1, 7200.0, False)]
    outcome = measure(table, played)
    assert outcome.epochs_share == 5 / 6
    assert outcome.simulated_hours == 2.0
    assert outcome.hypervolume_share == pytest.approx(0.4)
    assert outcome.front_lost_share == outcome.front_missed_share == 0.5
    assert outcome.times.tolist() == [0.0, 1.0, 1.5]
    assert outcome.hypervolumes.tolist() == pytest.approx([0.0, 0.0, 0.4])


def test_a_stopped_member_is_not_missed_where_a_complete_trial_is_as_good_within_the_tolerance() -> None:
    table = make_table(
        recording(
            training(0, [0.3, 0.900], model_bytes=1000.0),
            training(1, [0.3, 0.904], model_bytes=1040.0),  # a member that 0 stands for
            training(2, [0.3, 0.906], model_bytes=1049.0),  # 0.6 points better
            objectives=TWO_AXES,
        )
    )
    assert table.is_front.all()
    played = [PlayedTrial(0, 2, 1.0, True), PlayedTrial(1, 1, 2.0, False), PlayedTrial(2, 1, 3.0, False)]
    outcome = measure(table, played)
    assert (outcome.front_lost_share, outcome.front_missed_share) == (2 / 3, 1 / 3)


def test_nothing_is_lost_without_pruning_and_by_the_oracle() -> None:
    results = replay(crossing(), parse_strategies(pruners=["none", "oracle"]), n_repeats=5)
    none, oracle = results.outcomes.values()
    assert [(each.hypervolume_share, each.front_lost_share, each.epochs_share) for each in none] == [(1, 0, 1)] * 5
    n_front = results.facts["n_front"][0]
    expected = (9 * n_front + (40 - n_front)) / (9 * 40)
    assert [each.front_lost_share for each in oracle] == [0] * 5
    assert [each.hypervolume_share for each in oracle] == pytest.approx([1] * 5)
    assert [each.epochs_share for each in oracle] == pytest.approx([expected] * 5)


def play_twelve(seed: int, n_processes: int = 1) -> str:
    strategies = parse_strategies(["random", "nsga2"], ["dominance", "halving"], [1, 3])
    return json.dumps(replay(crossing(12), strategies, 3, seed, n_processes=n_processes).as_json())


def test_the_same_seed_gives_the_same_results() -> None:
    assert play_twelve(1) == play_twelve(1) != play_twelve(2)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_results_in_several_processes() -> None:
    assert play_twelve(1) == play_twelve(1, n_processes=2)


def test_every_strategy_gets_the_same_orders() -> None:
    results = replay(crossing(), parse_strategies(pruners=["none", "dominance:1.5"], n_workers=[1]), n_repeats=3)
    none, dominance = results.outcomes.values()
    # The first complete trial is the first of the order: nothing dominates it.
    assert [each.hypervolumes[1] for each in none] == pytest.approx([each.hypervolumes[1] for each in dominance])


def test_repeats_take_turns_with_recorded_seeds() -> None:
    trials = [training(0, [0.1, 0.2]), training(0, [0.1, 0.9], model_bytes=9.0, seed=1), training(1, [0.1, 0.4])]
    results = replay(recording(*trials), parse_strategies(pruners=["oracle"]), n_repeats=4)
    assert results.facts["n_seeds"] == 2
    assert results.facts["n_front"] == [1, 1]
    assert [each.epochs_share for each in next(iter(results.outcomes.values()))] == [0.75] * 4


def test_a_budget_of_trials_is_kept() -> None:
    results = replay(crossing(), parse_strategies(pruners=["none"]), n_repeats=4, n_trials=10)
    outcomes = next(iter(results.outcomes.values()))
    assert all(outcome.hypervolume_share < 1 and outcome.front_lost_share == 0 for outcome in outcomes)
    assert replay(crossing(), parse_strategies(pruners=["none"]), 1, n_trials=999).facts["n_trials"] == 40


def test_progress_is_told_after_each_repeat() -> None:
    told: list[tuple[int, int]] = []
    strategies = parse_strategies(pruners=["none", "oracle"])
    replay(crossing(5), strategies, n_repeats=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_optuna_says_nothing_and_keeps_its_verbosity(capsys: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    replay(crossing(5), parse_strategies(["nsga2"], ["median"]), n_repeats=1)
    assert optuna.logging.get_verbosity() == before
    assert capsys.readouterr().err == ""


def test_results_are_plain_data() -> None:
    results = replay(crossing(), parse_strategies(pruners=["none", "halving"]), n_repeats=5)
    data: dict[str, Any] = json.loads(json.dumps(results.as_json()))
    halving = data["strategies"][1]
    assert (halving["sampler"], halving["pruner"], halving["workers"]) == ("random", "halving", 4)
    lost = halving["front_lost_share"]
    assert 0 < lost["low"] < lost["mean"] < lost["high"] < 1
    assert lost["mean"] == pytest.approx(sum(halving["repeats"]["front_lost_share"]) / 5)
    curve = halving["hypervolume_over_time"]
    assert curve["mean"][0] == 0
    assert curve["mean"] == sorted(curve["mean"])
    assert curve["mean"][-1] == pytest.approx(halving["hypervolume_share"]["mean"])
    assert data["strategies"][0]["hypervolume_over_time"]["hours"] == curve["hours"]


def test_an_interval_contains_the_mean_and_narrows_with_repeats() -> None:
    few, many = interval([0.0, 1.0] * 5), interval([0.0, 1.0] * 50)
    assert few.mean == many.mean == 0.5
    assert few.low < many.low < 0.5 < many.high < few.high
    # A normal approximation: half-width 1.96 * 0.5 / sqrt(100)
    assert many.high - many.low == pytest.approx(2 * 1.96 * 0.05, rel=0.1)
    assert interval([0.3]).low == interval([0.3]).high == 0.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_repeats": 0}, "at least one strategy, one repeat and one trial"),
        ({"n_trials": 0}, "at least one strategy, one repeat and one trial"),
        ({"strategies": []}, "at least one strategy, one repeat and one trial"),
    ],
)
def test_an_empty_replay_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replay(crossing(5), **{"strategies": parse_strategies(), **arguments})


def test_a_bad_table_is_refused_before_anything_is_played() -> None:
    with pytest.raises(RecordingError, match="the table has 1 candidates"):
        replay(recording(training(0, [0.1, 0.2])), parse_strategies())


OWN = """
from pathlib import Path

with Path(__file__).with_name("ran.txt").open("a") as ran:
    ran.write("ran\\n")

class Mine:
    def suggest(self, trial):
        return {"units": trial.suggest_int("net.units", 1, 4)}

    def build(self, settings, input_shape, n_classes):
        raise NotImplementedError
"""


def own_recording(reference: str) -> Recording:
    trials = [training(n, [0.1, 0.2 * n], 1000.0 * n, parameters={"net.units": n}) for n in (1, 2, 3, 4)]
    return recording(*trials, space=reference)


def test_a_space_of_one_s_own_runs_only_for_a_sampler_that_asks_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    played = own_recording(f"{tmp_path / 'mine.py'}:Mine")
    random, tpe = parse_strategies(["random"], ["none"]), parse_strategies(["tpe"], ["none"])
    assert (asks_space(random), asks_space(tpe), asks_space([*random, *tpe])) == (False, True, True)
    replay(played, random, n_repeats=2, n_processes=2)
    assert not (tmp_path / "ran.txt").exists()
    results = replay(played, tpe, n_repeats=2, n_processes=2)  # in processes that must load the code themselves
    assert (tmp_path / "ran.txt").read_text().count("ran") >= 2
    assert results.as_json()["strategies"] == replay(played, tpe, n_repeats=2).as_json()["strategies"]


@pytest.mark.parametrize("n_processes", [1, 2])
@pytest.mark.parametrize(
    ("body", "fragment"), [(None, "there is no file"), ("raise OSError('gone')", "suggest raised")]
)
def test_a_space_of_one_s_own_that_cannot_be_used_is_an_error_with_a_remedy(
    tmp_path: Path, body: str | None, fragment: str, n_processes: int
) -> None:
    if body is not None:
        (tmp_path / "bad.py").write_text(OWN.replace('return {"units"', f'{body}\n        return {{"units"'))
    played = own_recording(f"{tmp_path / 'bad.py'}:Mine")
    with pytest.raises(RecordingError, match=rf"code of its own that cannot be used here \(.*{fragment}.*--sampler"):
        replay(played, parse_strategies(["tpe"], ["none"]), n_repeats=2, n_processes=n_processes)


# Names of strategies


def test_strategies_are_every_combination_once() -> None:
    found = parse_strategies(["random", "tpe"], ["none", "pareto:0.05", "pareto:0.050"], [1, 2, 2])
    assert [strategy.name for strategy in found] == [
        "random, none, 1 worker",
        "random, none, 2 workers",
        "random, pareto:0.05, 1 worker",
        "random, pareto:0.05, 2 workers",
        "tpe, none, 1 worker",
        "tpe, none, 2 workers",
        "tpe, pareto:0.05, 1 worker",
        "tpe, pareto:0.05, 2 workers",
    ]
    assert [strategy.pruner.name for strategy in parse_strategies()][-2:] == ["pareto:0.3", "pareto:0.5"]
    assert len(parse_strategies()) == len(DEFAULT_PRUNERS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pareto", "pareto:0.1"),
        ("pareto:0.20:01", "pareto:0.2:1"),
        (" none ", "none"),
        ("dominance", "dominance:1.5"),
        ("dominance:3", "dominance:3"),
    ],
)
def test_a_pruner_has_a_full_name(text: str, name: str) -> None:
    assert parse_pruner(text).name == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["best"],), "there is no sampler 'best'. Known: random, tpe, nsga2"),
        (
            (["random"], ["hyperband"]),
            "the pruner 'hyperband' is not known. Known: none, oracle, foresight, median, halving",
        ),
        ((["random"], ["none:3"]), "the pruner 'none:3' takes no setting"),
        ((["random"], ["pareto:1"]), "the pruner 'pareto:1': give a number above 0 and at most 0.5 after the colon"),
        ((["random"], ["pareto:much"]), "the pruner 'pareto:much': give a number above 0"),
        ((["random"], ["pareto:0.1:1.5"]), "'pareto:0.1:1.5': give a whole number above 0 and at most 1e\\+06"),
        ((["random"], ["pareto:0.1:1:1"]), "the pruner 'pareto:0.1:1:1' takes at most 2 settings"),
        ((["random"], ["pareto:nan"]), "the pruner 'pareto:nan': give a number above 0"),
        (([], ["none"]), "give at least one sampler"),
        ((["random"], []), "give at least one pruner"),
        ((["random"], ["none"], []), "give at least one number of workers"),
        ((["random"], ["none"], [0]), "0 workers can train nothing: give 1 or more"),
    ],
)
def test_an_impossible_strategy_is_named(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        parse_strategies(*arguments)
