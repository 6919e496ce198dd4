"""No candidate is trained twice in a search: what counts as tried, what takes its place, and the end of a space."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from tests.postgres import PostgresServer
from tests.search.stub_trials import StubTrial
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.sampling.neighbours import next_values
from tunefront.search.sampling.seeds import seed_again, trial_seed
from tunefront.search.sampling.start_queue import enqueue_starts
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.search.sampling.tried_candidates import TriedCandidates
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.end_reason import Ending, describe_going_on
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.parameters import steer
from tunefront.spaces.space import Space
from tunefront.storage import queue
from tunefront.storage.outcomes import Outcome

# adam, and sgd with a momentum of three values, each with three batch sizes: 3 + 9 candidates.
FINITE = {
    "optimizer": ["adam", "sgd"],
    "augmentation": "none",
    "batch_size": [16, 32, 64],
    "adam": {"learning_rate": 0.01},
    "sgd": {"learning_rate": 0.01, "momentum": [0.0, 0.5, 0.9], "nesterov": False},
    "plain_cnn": {
        "n_blocks": 1,
        "filters": 8,
        "dense_units": 0,
        "kernel_size": 3,
        "batch_norm": False,
        "dropout": 0.0,
    },
}
N_FINITE = 12
SAMPLERS = ("random", "tpe", "hypervolume", "nsga2", "qmc")


def spec_of(sampler: str = "random", **changes: Any) -> StudySpec:
    is_model = sampler in ("tpe", "hypervolume")
    settings = {"n_startup_trials": 4} if is_model else {"population_size": 4} if sampler == "nsga2" else {}
    return make_spec(**{"space": FINITE, "trials": 50, "sampler": {"name": sampler, **settings}, **changes})


def source_of(fixture: SupervisorFixture, worker: str = "anna") -> TrialSource:
    return TrialSource(fixture.study, fixture.spec, fixture.spec.parsed_space(), worker)


def take(fixture: SupervisorFixture, source: TrialSource, outcome: Outcome | None = Outcome.COMPLETE) -> Any:
    """Lease a trial and end it so; return its parameters, or None if none is left."""
    leased = source.lease("cpu0")
    if leased is None:
        return None
    lease, trial = leased
    source.suggest(trial)
    if outcome is not None:
        values = [0.5 + lease.number / 100, 1000.0, 5.0] if outcome is Outcome.COMPLETE else None
        queue.finish(fixture.study, lease, outcome, values=values)
    return trial.params


def key(parameters: dict[str, Any]) -> str:
    return str(sorted(parameters.items()))


def in_grid() -> set[str]:
    """Return all candidates of FINITE, counted here by hand."""
    batches = [{"training.batch_size": size} for size in (16, 32, 64)]
    adam = [{"optimizer.name": "adam", **batch} for batch in batches]
    sgd = [{"optimizer.name": "sgd", "sgd.momentum": m, **batch} for m in (0.0, 0.5, 0.9) for batch in batches]
    return {key(one) for one in [*adam, *sgd]}


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_candidate_of_a_finite_space_comes_once(tmp_path: Path, sampler: str) -> None:
    fixture = SupervisorFixture(tmp_path, spec_of(sampler), {})
    source = source_of(fixture)
    drawn = [take(fixture, source) for _ in range(N_FINITE)]
    assert {key(one) for one in drawn} == in_grid()
    assert source.is_exhausted()
    assert take(fixture, source) is None
    assert len(fixture.trials()) == N_FINITE  # no trial was begun to find out
    assert take(fixture, source_of(fixture)) is None  # nor by who comes later


def test_candidates_that_differ_in_a_setting_without_effect_are_one(tmp_path: Path) -> None:
    # Without momentum, Nesterov's changes nothing: adam with 3 batch sizes, sgd without and with momentum and it.
    space = {**FINITE, "sgd": {"learning_rate": 0.01, "momentum": [0.0, 0.9], "nesterov": [False, True]}}
    batches = [{"training.batch_size": size} for size in (16, 32, 64)]
    sgd = [{"sgd.momentum": 0.0}, *({"sgd.momentum": 0.9, "sgd.nesterov": used} for used in (False, True))]
    settings = [{"optimizer.name": "adam"}, *({"optimizer.name": "sgd", **one} for one in sgd)]
    expected = sorted(key({**one, **batch}) for one in settings for batch in batches)
    fixture = SupervisorFixture(tmp_path, spec_of("random", space=space), {})
    source = source_of(fixture)
    drawn = [take(fixture, source) for _ in range(len(expected))]
    for one in drawn:
        if one.get("sgd.momentum") == 0.0:
            del one["sgd.nesterov"]
    assert sorted(key(one) for one in drawn) == expected
    assert source.is_exhausted()
    assert take(fixture, source) is None


def test_two_workers_train_each_candidate_once_and_the_study_ends(tmp_path: Path) -> None:
    plan = {number: StubTrial(pause_seconds=0.05) for number in range(N_FINITE)}
    plan[3] = StubTrial("fail")
    fixtures = [
        SupervisorFixture(tmp_path, spec_of("tpe"), plan, n_slots=2, worker_id=name) for name in ("anna", "bert")
    ]
    with ThreadPoolExecutor() as pool:
        endings = [one.result(120) for one in [pool.submit(fixture.run) for fixture in fixtures]]
    assert endings == [Ending.SPACE_DONE] * 2
    assert sorted(key(dict(trial.parameters)) for trial in fixtures[0].trials()) == sorted(in_grid())
    assert fixtures[0].states().count("failed") == 1  # it was tried, and nothing takes its place
    noted = fixtures[0].study.optuna.user_attrs["ending"]
    assert noted == "every candidate of its space was tried, and none is trained twice"
    assert describe_going_on(Ending.SPACE_DONE) == "A larger space is another study: give it another name"


def all_at_once(url: str, folder: Path) -> list[str]:
    """Let four threads, each a worker, take the candidates of the space, and return them all."""
    fixtures = [
        SupervisorFixture(folder, spec_of("random"), {}, url=url, worker_id=name) for name in ("a", "b", "c", "d")
    ]

    def work(fixture: SupervisorFixture) -> list[str]:
        source = source_of(fixture, fixture.worker_id)
        taken = []
        while (parameters := take(fixture, source, None)) is not None:
            taken.append(key(parameters))
        return taken

    with ThreadPoolExecutor() as pool:
        return sorted(one for taken in pool.map(work, fixtures) for one in taken)


def test_the_lock_keeps_workers_apart_on_sqlite(tmp_path: Path) -> None:
    assert all_at_once(f"sqlite:///{tmp_path / 'tunefront.db'}", tmp_path) == sorted(in_grid())


@pytest.mark.server
def test_the_lock_keeps_workers_apart_on_postgresql(tmp_path: Path, postgres: PostgresServer) -> None:
    with postgres.database() as made:
        assert all_at_once(made, tmp_path) == sorted(in_grid())


@pytest.mark.parametrize("outcome", [Outcome.COMPLETE, Outcome.PRUNED, Outcome.REFUSED, Outcome.FAILED, None])
def test_a_trial_counts_as_tried_however_it_ended(tmp_path: Path, outcome: Outcome | None) -> None:
    space = {**FINITE, "optimizer": "adam", "batch_size": [16, 32]}
    del space["sgd"]
    fixture = SupervisorFixture(tmp_path, spec_of(space=space), {})
    source = source_of(fixture)
    first, second = take(fixture, source, outcome), take(fixture, source, outcome)
    assert {first["training.batch_size"], second["training.batch_size"]} == {16, 32}
    assert take(fixture, source, outcome) is None


def test_a_candidate_depends_on_the_trials_before_and_not_on_the_worker(tmp_path: Path) -> None:
    drawn = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        fixture = SupervisorFixture(tmp_path / name, spec_of("tpe"), {})
        source = source_of(fixture)
        # The second study has a new worker for each trial.
        drawn.append([take(fixture, source if name == "one" else source_of(fixture)) for _ in range(8)])
    assert drawn[0] == drawn[1]


def test_what_is_no_repeat_is_drawn_as_ever(tmp_path: Path) -> None:
    continuous = {"optimizer": ["adam", "sgd"], "batch_size": [16, 32], "plain_cnn": FINITE["plain_cnn"]}
    for sampler in SAMPLERS:
        drawn = []
        for repeats in (False, True):
            folder = tmp_path / f"{sampler}-{repeats}"
            folder.mkdir()
            spec = spec_of(sampler, space=continuous)
            spec = spec.model_copy(update={"sampler": spec.sampler.model_copy(update={"repeats": repeats})})
            fixture = SupervisorFixture(folder, spec, {})
            source = source_of(fixture)
            drawn.append([take(fixture, source) for _ in range(6)])
            assert not source.is_exhausted()
        assert drawn[0] == drawn[1], sampler


def test_repeats_are_drawn_where_they_are_asked_for(tmp_path: Path) -> None:
    fixture = SupervisorFixture(tmp_path, make_spec(space=FINITE, trials=50, sampler={"repeats": True}), {})
    source = source_of(fixture)
    drawn = [key(take(fixture, source)) for _ in range(N_FINITE + 3)]
    assert len(set(drawn)) < len(drawn)
    assert not source.is_exhausted()


def test_what_a_person_queued_is_trained_again(tmp_path: Path) -> None:
    start = {"optimizer": "adam", "batch_size": 16}
    fixture = SupervisorFixture(tmp_path, spec_of(start=[start, start]), {})
    enqueue_starts(fixture.study, fixture.spec.start_parameters())
    source = source_of(fixture)
    drawn = [key(take(fixture, source)) for _ in range(N_FINITE + 1)]
    assert drawn[0] == drawn[1]
    assert sorted(drawn[1:]) == sorted(in_grid())  # and nothing else comes twice


def test_a_lost_trial_keeps_the_candidate_that_it_was_given(tmp_path: Path) -> None:
    fixture = SupervisorFixture(tmp_path, spec_of(), {})
    leased = source_of(fixture).lease("cpu0")
    assert leased is not None
    given = fixture.study.store.optuna.get_trial(leased[1]._trial_id).system_attrs["fixed_params"]
    assert key(given) in in_grid()
    assert not fixture.study.optuna.get_trials(deepcopy=False)[0].params  # its worker died before it stored them
    queue.sweep(fixture.study, ["anna"])
    assert take(fixture, source_of(fixture, "bert"), None) == given
    assert fixture.study.optuna.get_trials()[0].state == TrialState.RUNNING


# Neighbours


@pytest.mark.parametrize(
    ("distribution", "value", "expected"),
    [
        (CategoricalDistribution(["adam", "sgd", "rmsprop"]), "sgd", ["adam", "rmsprop"]),
        (CategoricalDistribution([64, 16, 32]), 32, [16, 64]),
        (CategoricalDistribution([64, 16, 32]), 64, [32]),
        (CategoricalDistribution([True, False]), True, [False]),
        (IntDistribution(2, 8, step=2), 2, [4]),
        (IntDistribution(2, 8, step=2), 6, [4, 8]),
        (FloatDistribution(0.1, 0.5, step=0.1), 0.3, [0.2, 0.4]),
        (FloatDistribution(0.0, 2.0), 1.0, [0.98, 1.02]),
        (FloatDistribution(0.0, 2.0), 0.0, [0.02]),
        (FloatDistribution(1e-4, 1e-2, log=True), 1e-4, [1e-4 * 100**0.01]),
        (CategoricalDistribution(["adam"]), "adam", []),
    ],
)
def test_the_values_one_step_away(distribution: Any, value: Any, expected: list[Any]) -> None:
    assert (
        list(next_values(distribution, value)) == pytest.approx(expected)
        if expected and isinstance(expected[0], float)
        else list(next_values(distribution, value)) == expected
    )


class Line:
    """A space of one's own: a place on a line of five."""

    def suggest(self, trial: Any) -> Candidate:
        trial.suggest_int("place", 0, 4)
        return None  # type: ignore[return-value]


def tried_on_a_line(*places: int) -> TriedCandidates:
    tried = TriedCandidates(Line())  # type: ignore[arg-type]
    tried.meet([{"place": place} for place in places])
    return tried


@pytest.mark.parametrize(
    ("places", "origin", "expected"),
    [((0,), 0, {1}), ((2,), 2, {1, 3}), ((1, 2, 3), 2, {0, 4}), ((0, 1, 2, 3), 0, {4}), ((0, 1, 2, 3, 4), 2, {None})],
)
def test_the_nearest_untried_neighbour(places: tuple[int, ...], origin: int, expected: set[int | None]) -> None:
    tried = tried_on_a_line(*places)
    found = set()
    for seed in range(20):
        nearest = tried.nearest_untried(steer(Line(), {"place": origin}), np.random.default_rng(seed))  # type: ignore[arg-type]
        found.add(None if nearest is None else nearest.params["place"])
    assert found == expected
    assert tried.is_exhausted() == (expected == {None})


def test_a_space_with_a_continuous_parameter_has_no_end() -> None:
    tried = TriedCandidates(Space.from_table({}))
    assert not tried.is_exhausted()
    assert tried.is_endless


def test_the_seeds_of_further_draws_are_others() -> None:
    seeds = [seed_again(1, number, n) for number in range(50) for n in range(21)]
    assert len(set(seeds)) == 50 * 21
    assert [seed_again(1, number, 0) for number in range(50)] == [trial_seed(1, number) for number in range(50)]
    confirmed = {trial_seed(1, number, is_confirmation=True) for number in range(50)}
    assert not confirmed & set(seeds)
