"""What the hypervolume sampler computes: differences, predictions, draws and the volume that is added."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import PairwiseKernel

from tunefront.search.sampling.surrogate.candidate_pool import CandidatePool, draw_value
from tunefront.search.sampling.surrogate.differences import Differences
from tunefront.search.sampling.surrogate.gaussian_process import GaussianProcess
from tunefront.search.sampling.surrogate.hypervolume_sampler import added
from tunefront.search.sampling.surrogate.observed_trials import observe, without_outliers
from tunefront.search.sampling.surrogate.separation import Separation
from tunefront.spaces.space import Space

KINDS: dict[str, BaseDistribution] = {
    "name": CategoricalDistribution(["a", "b", "c"]),
    "rate": FloatDistribution(1e-4, 1e-2, log=True),
    "units": IntDistribution(10, 30, step=5),
    "fixed": IntDistribution(3, 3),
}


def test_differences_are_shares_of_a_range_and_choices_are_equal_or_not() -> None:
    one = {"name": "a", "rate": 1e-4, "units": 10, "fixed": 3}
    others = [one, {"name": "c", "rate": 1e-3, "units": 15}, {"name": "a", "units": 30}, {"rate": 1e-2}]
    found = Differences(KINDS).between([one], others)[:, 0]
    assert found == pytest.approx(np.array([[0, 1, 0, 1], [0, 0.5, 1, 1], [0, 0.25, 1, 1]]))  # name, rate, units
    nobody = Differences(KINDS).between([{"units": 20}], [{"units": 20}])[:, 0, 0]
    assert nobody == pytest.approx([0, 0, 0])  # what neither has is no difference


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (CategoricalDistribution(["a", "b"]), ["a", "a", "b", "b"]),
        (IntDistribution(1, 4), [1, 2, 3, 4]),
        (IntDistribution(2, 8, step=2), [2, 4, 6, 8]),
        (FloatDistribution(0.0, 0.6, step=0.2), [0.0, 0.2, 0.4, 0.6]),
        (FloatDistribution(0.0, 8.0), [0.0, 2.0, 4.0, 6.0]),
        (FloatDistribution(1.0, 16.0, log=True), [1.0, 2.0, 4.0, 8.0]),
    ],
)
def test_values_are_drawn_evenly(distribution: BaseDistribution, expected: list[Any]) -> None:
    drawn = [draw_value(distribution, place) for place in (0.0, 0.25, 0.5, 0.75)]
    assert drawn == (expected if isinstance(expected[0], str) else pytest.approx(expected))


def test_whole_numbers_on_a_log_scale_stay_in_their_range() -> None:
    drawn = {draw_value(IntDistribution(1, 8, log=True), place) for place in np.linspace(0, 0.9999, 200)}
    assert drawn == set(range(1, 9))


def observations(n: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return points of 3 coordinates, and values of which the second one decides most."""
    points = np.random.default_rng(5).random((n, 3))
    return points, 3 * points[:, 1] + np.sin(5 * points[:, 0]) + 4


def apart(ones: np.ndarray[Any, Any], others: np.ndarray[Any, Any]) -> Separation:
    return Separation(np.abs(ones[:, None] - others[None]).transpose(2, 0, 1))


def test_predictions_are_those_of_scikit_learn_with_the_same_kernel() -> None:
    (points, values), asked = observations(25), np.random.default_rng(6).random((7, 3))
    process = GaussianProcess(apart(points, points), values)
    fitted = process.kernel

    def kernel(one: Any, other: Any, **_: Any) -> float:
        distances = [abs(a - b) for a, b in zip(one, other, strict=True)]
        alone = sum(share * math.exp(-2 * d) for share, d in zip(fitted.shares, distances, strict=True))
        together = sum(rate * d for rate, d in zip(fitted.rates, distances, strict=True))
        return alone + fitted.together * math.exp(-together)

    middle, spread = values.mean(), values.std()
    known = GaussianProcessRegressor(PairwiseKernel(metric=kernel), alpha=fitted.noise + 1e-8, optimizer=None)
    known.fit(points, (values - middle) / spread)
    mean, deviation = process.predict(apart(asked, points))
    expected_mean, covariance = known.predict(asked, return_cov=True)
    assert mean == pytest.approx(middle + spread * expected_mean, abs=1e-6)
    assert deviation == pytest.approx(spread * np.sqrt(np.diag(covariance)), abs=1e-6)


def test_the_fit_climbs_along_the_slope_of_the_likelihood() -> None:
    points, values = observations(12)
    process = GaussianProcess(apart(points, points), values)
    scaled, pairs = (values - values.mean()) / values.std(), apart(points, points).pairs
    logs = process._usual + 0.3 * np.random.default_rng(7).standard_normal(8)

    def loss(at: np.ndarray[Any, Any]) -> float:
        return process._loss(at, pairs, scaled)[0]

    assert process._loss(logs, pairs, scaled)[1] == pytest.approx(approx_fprime(logs, loss, 1e-6), abs=1e-3)
    between = np.abs(points[:, None] - points[None])  # where the fit begins, the prior adds nothing to the likelihood
    covariance = np.exp(-2 * between).sum(axis=2) / 6 + np.exp(-between.sum(axis=2)) / 2 + (0.01 + 1e-8) * np.eye(12)
    likelihood = multivariate_normal(np.zeros(12), covariance).logpdf(scaled)
    assert loss(process._usual) == pytest.approx(-likelihood - 6 * math.log(2 * math.pi), abs=1e-9)
    assert loss(process._logs) < loss(process._usual) - 1  # the fit is better than where it began
    shares = process.kernel.shares
    assert shares[1] > shares[2]  # what decides has the larger part


def test_other_observations_move_predictions_and_not_the_kernel() -> None:
    points, values = observations(20)
    process = GaussianProcess(apart(points, points), values)
    before = process.kernel
    new = np.array([[0.5, 0.5, 0.5]])
    more = np.vstack([points, new])
    process.observe(apart(more, more), np.append(values, 20.0))
    mean, deviation = process.predict(apart(new, more))
    assert process.kernel == before
    assert mean[0] == pytest.approx(20, abs=4)
    assert deviation[0] < 0.5 * values.std()


def test_the_added_volume() -> None:
    known = np.array([[1.0, 3.0], [3.0, 1.0], [3.0, 3.0]])
    asked = np.array([[2.0, 2.0], [0.0, 3.0], [4.0, 4.0], [9.0, 0.0]])
    observed = np.array([[0.0, 0.0], [10.0, 10.0]])  # the reference is 11, 11
    # (2, 2) adds the square up to (3, 3); (0, 3) adds 1 x 8; (9, 0) adds 2 x 1
    assert added(known, asked, observed) == pytest.approx([1, 8, 0, 2])


def test_outliers_are_brought_near_to_the_others() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 100.0])  # quartiles 1 and 3
    assert without_outliers(values).tolist() == [0, 1, 2, 3, 6]
    assert without_outliers(np.array([5.0, 5.0, 5.0, 5.0, 7.0])).tolist() == [5, 5, 5, 5, 7]


def test_what_is_observed_of_trials() -> None:
    kinds = {"units": IntDistribution(0, 50)}

    def trial(units: int, state: TrialState = TrialState.COMPLETE, **more: Any) -> Any:
        values = [0.1 * units, math.exp(units)] if state == TrialState.COMPLETE else None
        return create_trial(state=state, values=values, params={"units": units}, distributions=kinds, **more)

    trials = [
        trial(1),
        trial(2, constraints={"size": -1.0}),
        trial(3, constraints={"size": 0.5}),
        trial(4, TrialState.PRUNED),
        trial(5, TrialState.PRUNED, constraints={"size": 2.0}),  # it was refused
        trial(6, TrialState.FAIL),
        trial(7, TrialState.RUNNING),
        create_trial(state=TrialState.RUNNING, system_attrs={"fixed_params": {"units": 8}}),
        trial(9, TrialState.RUNNING),
    ]
    for number, one in enumerate(trials):
        one.number = number
    observed = observe(trials, 8, [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE])
    assert [one["units"] for one in observed.complete] == [1, 2, 3]
    assert observed.losses == pytest.approx(np.array([[-0.1, 1], [-0.2, 2], [-0.3, 3]]))
    assert observed.is_feasible.tolist() == [True, True, False]
    assert observed.front().tolist() == [True, True, False]
    assert [one["units"] for one in observed.stopped] == [4]
    assert [one["units"] for one in observed.running] == [7, 8]
    candidates, beyond = observed.limited["size"]
    assert [one["units"] for one in candidates] == [2, 3, 5]
    assert beyond.tolist() == [-1, 0.5, 2]


def test_the_pool_has_fixed_values_and_new_candidates_near_the_front_and_far_from_it() -> None:
    space = Space.from_table({"optimizer": ["sgd", "adam"], "plain_cnn": {"dropout": 0.0}, "augmentation": "none"})
    member = space_parameters(space)
    pool = CandidatePool(space, {"optimizer.name": "adam"}, np.random.default_rng(1))
    found = pool.draw([member], [member], 60)
    assert {one.params["optimizer.name"] for one in found} == {"adam"}
    assert all("adam.learning_rate" in one.params and "sgd.momentum" not in one.params for one in found)
    assert len({str(one.params) for one in found}) == len(found)
    network = [name for name in member if name.startswith("plain_cnn")]
    n_changed = [sum(one.params[name] != member[name] for name in network) for one in found]
    assert sum(n <= 2 for n in n_changed) >= 20
    assert sum(n > 2 for n in n_changed) >= 15


def space_parameters(space: Space) -> dict[str, Any]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=4))
    trial = study.ask()
    space.suggest(trial)
    return trial.params
