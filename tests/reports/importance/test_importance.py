"""Importances find the parameters that decide, not differences by chance, and say why there are none."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.objectives.measures import Axis
from tunefront.reports.importance.divergence import Draws, Values, find_divergence
from tunefront.reports.importance.importance import FRONT, Importance, find_importance, n_draws
from tunefront.reports.importance.section import importance_frame, importance_markdown
from tunefront.reports.page.page import render_page
from tunefront.reports.report_files import write_report
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

TWO: dict[Axis, Any] = {axis: THREE[axis] for axis in ("accuracy", "memory")}
RATE = FloatDistribution(1e-4, 1e-1, log=True)
FLAT: dict[str, BaseDistribution] = {
    "net.dropout": FloatDistribution(0.0, 0.5, step=0.1),
    "net.units": IntDistribution(8, 512, log=True),
    "net.depth": IntDistribution(1, 6),
    "net.kind": CategoricalDistribution(("plain", "residual", "separable")),
    "net.width": FloatDistribution(0.0, 1.0),
}
Parameters = dict[str, Any]


def draw(rng: np.random.Generator, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(rng.integers(len(distribution.choices)))]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = float(distribution.low), float(distribution.high)
    value = math.exp(rng.uniform(math.log(low), math.log(high))) if distribution.log else rng.uniform(low, high)
    if isinstance(distribution, IntDistribution):
        return round(value)
    return round(value, 1) if distribution.step else float(value)


def record(number: int, parameters: Parameters, space: Mapping[str, BaseDistribution], *values: float) -> TrialRecord:
    return TrialRecord(
        number=number,
        state="complete",
        reason="",
        values=values,
        is_feasible=True,
        parameters=parameters,
        measurements={},
        epochs=[],
        n_attempts=1,
        worker_id="",
        slot="",
        started_at=0.0,
        ended_at=1.0,
        model_path="",
        distributions=space,
    )


Values3 = Callable[[Parameters, np.random.Generator], tuple[float, ...]]


def simulate(
    empty: StudyResults, n_trials: int, values: Values3, seed: int, *, has_optimizers: bool = False
) -> StudyResults:
    """Return a study of random candidates; with `has_optimizers`, each optimizer has a learning rate of its own."""
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(n_trials):
        space = dict(FLAT)
        if has_optimizers:
            name = ("adam", "sgd", "rmsprop")[int(rng.integers(3))]
            space |= {"optimizer.name": CategoricalDistribution((name, "-")), f"{name}.rate": RATE}
            space["optimizer.name"] = CategoricalDistribution(("adam", "sgd", "rmsprop"))
        parameters = {key: draw(rng, distribution) for key, distribution in space.items()}
        if has_optimizers:
            parameters["optimizer.name"] = name
        trials.append(record(number, parameters, space, *values(parameters, rng)))
    return replace(empty, trials=trials, front_numbers=frozenset(range(0, n_trials, max(n_trials // 8, 1))))


def noise(rng: np.random.Generator) -> tuple[float, float, float]:
    accuracy, memory, seconds = rng.normal((0.8, 1000.0, 1.0), (0.02, 10.0, 0.1))
    return float(accuracy), float(memory), float(seconds)


def clear(importance: Importance) -> set[tuple[str, str]]:
    return {
        (name, target) for name, shares in importance.strengths.items() for target in shares if shares[target].is_clear
    }


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    return ReportFixture.make(tmp_path_factory.mktemp("empty")).results()


@pytest.fixture(scope="module")
def results(empty: StudyResults) -> StudyResults:
    """Results in which accuracy depends on the width, and memory on the units and, for sgd, on the learning rate."""

    def values(parameters: Parameters, rng: np.random.Generator) -> tuple[float, ...]:
        accuracy, memory, seconds = noise(rng)
        memory += 300 * math.log(parameters["net.units"]) - 2000 * math.log10(parameters.get("sgd.rate", 0.1))
        return accuracy - abs(parameters["net.width"] - 0.3), memory, seconds

    return simulate(empty, 120, values, seed=4, has_optimizers=True)


@pytest.fixture(scope="module")
def found(results: StudyResults) -> Importance:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return find_importance(results)


def test_what_decides_is_found_for_the_right_objective(found: Importance) -> None:
    assert {name for name, target in clear(found) if target == "accuracy"} == {"net.width"}
    assert found.strengths["net.width"]["accuracy"].strength < 1.0  # the only one, and not all
    assert found.strengths["net.width"]["accuracy"].chance < 0.001
    assert ("optimizer.name", "memory") in clear(found)
    assert not {name for name, target in clear(found) if target == "time"}


def test_a_parameter_that_alone_decides_is_near_one(empty: StudyResults) -> None:
    """Of 30 trials 10 have the kind "a" and are the best ones; that is all there is to know of them.

    With one trial's weight spread over both kinds, densities of "a" are (10 + 1/2) / 11 in the best and (10 + 1/2) / 31
    in all. Pearson's divergence of the two is 1.69, less what sets drawn by chance have; the most there can be is
    30 / 10 - 1.
    """
    space: dict[str, BaseDistribution] = {
        "net.kind": CategoricalDistribution(("a", "b")),
        "net.width": FloatDistribution(0.0, 1.0),
    }
    rng = np.random.default_rng(3)
    # "a" comes once in three trials, so that sets drawn within blocks of eight have as many of each as chance gives.
    trials = [
        record(n, {"net.kind": "ab"[n % 3 > 0], "net.width": float(rng.uniform())}, space, 0.9 - (n % 3), n, 1.0)
        for n in range(30)
    ]
    found = find_importance(replace(empty, trials=trials, front_numbers=frozenset({0})))
    best, every = np.array([10.5, 0.5]) / 11, np.array([10.5, 20.5]) / 31
    divergence = float(((best / every - 1) ** 2 * every).sum())
    assert divergence == pytest.approx(1.69, abs=0.01)
    kind = found.strengths["net.kind"]["accuracy"]
    assert kind.is_clear
    assert (divergence - 0.2) / 2 < kind.strength < divergence / 2


def test_the_strongest_comes_first(found: Importance) -> None:
    most = [max(each.strength for each in row.values()) for row in found.strengths.values()]
    assert most == sorted(most, reverse=True)
    assert next(iter(found.strengths)) in {name for name, _ in clear(found)}


@pytest.mark.timeout(120)
def test_nothing_is_found_where_nothing_matters(empty: StudyResults) -> None:
    per_study = [
        len(clear(find_importance(simulate(empty, 60, lambda _, rng: noise(rng), seed, has_optimizers=True))))
        for seed in range(12)
    ]
    # By design, a tenth of such studies show something.
    assert sum(per_study) <= 2


@pytest.mark.parametrize(("axis", "name"), [(0, "net.width"), (1, "net.kind"), (2, "net.depth")])
def test_one_that_decides_is_found_alone(empty: StudyResults, axis: int, name: str) -> None:
    def values(parameters: Parameters, rng: np.random.Generator) -> tuple[float, ...]:
        found = list(noise(rng))
        found[axis] += (
            0.4 * parameters["net.width"],
            -500.0 * (parameters["net.kind"] == "residual"),
            parameters["net.depth"],
        )[axis]
        return tuple(found)

    for seed in range(3):
        importance = find_importance(simulate(empty, 60, values, seed))
        assert {pair for pair in clear(importance) if pair[1] != FRONT} == {
            (name, ("accuracy", "memory", "time")[axis])
        }


def test_one_that_decides_is_found_among_very_many(empty: StudyResults) -> None:
    space = FLAT | {f"more.p{index}": FloatDistribution(0.0, 1.0) for index in range(55)}
    rng = np.random.default_rng(3)
    trials = []
    for number in range(90):
        parameters = {name: draw(rng, distribution) for name, distribution in space.items()}
        _, memory, seconds = noise(rng)
        trials.append(record(number, parameters, space, parameters["net.width"], memory, seconds))
    importance = find_importance(replace(empty, trials=trials, front_numbers=frozenset()))
    assert clear(importance) == {("net.width", "accuracy")}


@pytest.mark.parametrize(("n_pairs", "expected"), [(4, 2000), (100, 2000), (101, 2020), (300, 6000)])
def test_there_are_enough_draws_for_one_pair_to_be_clear(n_pairs: int, expected: int) -> None:
    assert n_draws(n_pairs) == expected
    assert 2 / (1 + expected) <= 0.1 / n_pairs  # Benjamini and Hochberg's bound of the first, by itself and one draw


def test_a_rate_is_found_among_those_that_have_it(empty: StudyResults) -> None:
    def values(parameters: Parameters, rng: np.random.Generator) -> tuple[float, ...]:
        accuracy, *costs = noise(rng)
        return accuracy + 0.2 * math.log10(parameters.get("adam.rate", 1e-3)), *costs

    found = clear(find_importance(simulate(empty, 150, values, 1, has_optimizers=True)))
    assert ("adam.rate", "accuracy") in found
    assert {name for name, _ in found} <= {"adam.rate", "optimizer.name"}  # the best are with adam at high rates


def test_a_rate_does_not_matter_because_its_optimizer_does(empty: StudyResults) -> None:
    def values(parameters: Parameters, rng: np.random.Generator) -> tuple[float, ...]:
        accuracy, *costs = noise(rng)
        return accuracy + 0.5 * (parameters["optimizer.name"] == "adam"), *costs

    for seed in range(4):  # the best are nearly, or all, with adam
        found = clear(find_importance(simulate(empty, 90, values, seed, has_optimizers=True)))
        assert ("optimizer.name", "accuracy") in found
        assert ("adam.rate", "accuracy") not in found


def test_what_a_sampler_moves_while_it_learns_is_not_taken_for_a_cause(empty: StudyResults) -> None:
    # Both the accuracy and a parameter that has no effect on it drift with time.
    space = {"net.width": FloatDistribution(0.0, 1.0)}
    rng = np.random.default_rng(0)
    trials = []
    for number in range(96):
        width = float(np.clip(rng.normal(number / 96, 0.15), 0, 1))
        trials.append(record(number, {"net.width": width}, space, number / 96 + rng.normal(0, 0.05), 1.0, 1.0))
    importance = find_importance(replace(empty, trials=trials, front_numbers=frozenset()))
    assert clear(importance) == set()
    together = Draws(np.zeros(96, dtype=np.int64))
    accuracies = np.array([trial.values[0] for trial in trials if trial.values])
    is_best = accuracies >= np.sort(accuracies)[-32]
    # This shows that the test would fail if the best were compared with trials of any time.
    assert find_divergence(Values.of("net.width", trials), is_best, together).chance < 0.001


def test_divergence_of_a_choice_worked_out_by_hand() -> None:
    space = {"net.kind": CategoricalDistribution(("a", "b"))}
    trials = [record(number, {"net.kind": "ab"[number % 2]}, space, 0.5) for number in range(8)]
    (values,) = Values.of("net.kind", trials)
    # Each choice has 4 of all 8 trials, and the best 3 all have a. A uniform prior weighs as much as one trial.
    best, every = np.array([3.5, 0.5]) / 4, np.array([4.5, 4.5]) / 9
    expected = float((every * (best / every - 1) ** 2).sum())
    is_best = np.isin(np.arange(8), [0, 2, 4])
    assert values.divergences(np.array([is_best, np.zeros(8, dtype=bool)])) == pytest.approx([expected, 0.0])
    found = find_divergence([values], is_best, Draws(np.zeros(8, dtype=np.int64)))
    # Of the 56 sets of three, 8 have one choice alone.
    assert found.chance == pytest.approx(8 / 56, abs=0.03)
    assert 0 < found.beyond_chance < expected


def test_draws_hold_as_many_of_each_block_as_the_best_do() -> None:
    is_best = np.array([True, True, False, False, False, True, False, False])
    members = np.array([0, 1, 2, 4, 5, 6, 7])
    drawn = Draws(np.array([0, 0, 0, 0, 1, 1, 1, 1])).like(is_best, members)
    assert set(drawn[:, :3].sum(axis=1)) == {2}
    assert set(drawn[:, 3:].sum(axis=1)) == {1}
    assert drawn.mean(axis=0) == pytest.approx([2 / 3] * 3 + [1 / 4] * 4, abs=0.05)


def test_the_best_are_a_third_with_ties_and_the_front_is_the_front(found: Importance, results: StudyResults) -> None:
    assert found.n_best == {"accuracy": 40, "memory": 40, "time": 40, FRONT: 8}
    assert found.n_trials == 120
    assert found.n_having["net.width"] == 120
    assert 20 < found.n_having["sgd.rate"] < 60
    tied = [replace(trial, values=(0.5 + (trial.number < 30), 1.0, 1.0)) for trial in results.trials]
    every = find_importance(replace(results, trials=tied))
    assert every.n_best == {"accuracy": 120, "memory": 120, "time": 120, FRONT: 8}
    assert not {target for _, target in clear(every)} & {"accuracy", "memory", "time"}


def test_the_same_study_has_the_same_importances(found: Importance, results: StudyResults) -> None:
    assert find_importance(results) == found


@pytest.mark.parametrize(
    ("n_trials", "why"),
    [
        (0, "Importances need 10 complete trials, and there are 0."),
        (1, "Importances need 10 complete trials, and there is 1."),
        (9, "Importances need 10 complete trials, and there are 9."),
    ],
)
def test_few_trials_have_none(empty: StudyResults, tmp_path: Path, n_trials: int, why: str) -> None:
    results = simulate(empty, n_trials, lambda _, rng: noise(rng), 0)
    importance = find_importance(results)
    assert importance.why_none == why
    assert why in render_page(results, tmp_path)
    assert importance_markdown(importance) == f"## Which parameters matter\n\n{why}\n"
    assert len(importance_frame(importance)) == 0


def test_one_objective_has_no_front_to_be_on(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {"accuracy": THREE["accuracy"]})
    for number in range(12):
        fixture.complete(0.5 + number / 100, 10, 1.0, parameters={"net.rate": float(number) / 2}, curve=())
    found = find_importance(fixture.results())
    assert list(found.n_best) == ["accuracy"]
    assert (found.why_none, found.why_no_front) == ("", "")
    assert found.strengths.keys() == {"net.rate"}  # distributions come from the store


def test_a_front_of_few_or_of_all_is_no_target(results: StudyResults) -> None:
    few = find_importance(replace(results, front_numbers=frozenset({1, 2})))
    assert FRONT not in few.n_best
    assert few.why_no_front == "Importances for being on the front need 5 trials on it, and there are 2."
    every = find_importance(replace(results, front_numbers=frozenset(trial.number for trial in results.trials)))
    assert every.why_no_front == "Every complete trial is on the front, so no parameter decides about that."


def test_what_cannot_vary_is_left_out(empty: StudyResults, results: StudyResults) -> None:
    space = {"net.units": IntDistribution(5, 5)}
    trials = [record(number, {"net.units": 5}, space, number / 100, 1.0, 1.0) for number in range(20)]
    found = find_importance(replace(empty, trials=trials))
    assert found.why_none == "Nothing varies in this study, so nothing is important."
    fixed = [replace(trial, distributions={**trial.distributions, **space}) for trial in results.trials]
    assert "net.units" not in find_importance(replace(results, trials=fixed)).strengths


def test_finalists_trained_again_have_none(results: StudyResults) -> None:
    study = replace(results.study, spec={**results.study.spec, "confirms": "digits"})
    assert find_importance(replace(results, study=study)).why_none.startswith("These are finalists")


def test_the_page_shows_bars(results: StudyResults, tmp_path: Path) -> None:
    page = render_page(results, tmp_path)
    section = page[page.index('<section id="importance">') :].split("</section>")[0]
    assert "net width" in section
    strength = find_importance(results).strengths["net.width"]["accuracy"].strength
    assert f'<i style="width: {100 * strength:.1f}%">' in section
    assert f"<b>{strength:.2f}</b>" in section
    assert "best 40" in section
    assert "120 complete trials" in section
    assert "dropout" not in section.partition("parallel")[0]


def test_markdown_and_csv_say_the_same(results: StudyResults, found: Importance, tmp_path: Path) -> None:
    files = write_report(results, tmp_path)
    table = [line for line in files.front_md.read_text(encoding="utf-8").splitlines() if line.endswith("net.width |")]
    # The first table is the front's, where the width is a title, the last one ours.
    assert table[-1].startswith(f"| {found.strengths['net.width']['accuracy'].strength:.2f} |")
    frame = pd.read_csv(files.importance_csv)
    assert len(frame) == len(found.strengths) * 4
    row = frame[(frame.parameter == "net.width") & (frame.target == "accuracy")].iloc[0]
    assert (row.strength, row.is_clear, row.n_best, row.n_with_parameter, row.n_trials) == (
        pytest.approx(found.strengths["net.width"]["accuracy"].strength), True, 40, 120, 120
    )  # fmt: skip
    assert 0 < row.chance < 0.001


def test_the_page_escapes_names(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, TWO)
    for number in range(24):
        fixture.complete(0.5 + number / 100, 10, 1.0, parameters={"<script>.x": float(number) / 3}, curve=())
    found = find_importance(fixture.results())
    shares = {"<script>.x": {key: replace(s, is_clear=True) for key, s in found.strengths["<script>.x"].items()}}
    page = render_page(fixture.results(), tmp_path, importance=replace(found, strengths=shares))
    assert "&lt;script&gt; x" in page
    assert "<script> x" not in page


@pytest.mark.timeout(120)
def test_five_hundred_trials_of_twenty_parameters_take_less_than_two_seconds(empty: StudyResults) -> None:
    space = {f"net.p{index}": list(FLAT.values())[index % 5] for index in range(20)}
    rng = np.random.default_rng(0)
    trials = [record(n, {name: draw(rng, d) for name, d in space.items()}, space, *noise(rng)) for n in range(500)]
    began = time.thread_time()
    find_importance(replace(empty, trials=trials, front_numbers=frozenset(range(20))))
    assert time.thread_time() - began < 2  # counts only this thread, because other programs may be busy


def test_of_very_many_trials_the_front_and_others_of_the_whole_search_are_compared(
    empty: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    def values(parameters: Parameters, rng: np.random.Generator) -> tuple[float, ...]:
        return parameters["net.width"] + float(rng.normal(0, 0.05)), 1000.0, 1.0

    many = replace(simulate(empty, 400, values, 3), front_numbers=frozenset(range(391, 400)))
    monkeypatch.setattr("tunefront.reports.importance.importance.MOST_TRIALS", 100)
    found = find_importance(many)
    assert (found.n_trials, found.n_left_out, found.n_best[FRONT]) == (100, 300, 9)
    assert ("net.width", "accuracy") in clear(found)
    assert "100 of the 400 complete trials (all of the front, and others spread evenly" in importance_markdown(found)
    monkeypatch.setattr("tunefront.reports.importance.importance.MOST_TRIALS", 400)
    assert find_importance(many).n_left_out == 0
    assert "which of the 400 complete trials are" in importance_markdown(find_importance(many))
