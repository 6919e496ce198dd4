"""What `gp` draws again: Optuna's search for a maximum finds the same one, and each draw is dear."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.samplers import RandomSampler

from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.storage import queue
from tunefront.storage.outcomes import Outcome

CNN = {"n_blocks": 1, "filters": [8, 16], "kernel_size": 3, "dense_units": 0, "batch_norm": False, "dropout": 0.0}
SPACE = {  # 2 filters with 3 batch sizes
    "optimizer": "adam",
    "augmentation": "none",
    "batch_size": [16, 32, 64],
    "adam": {"learning_rate": 0.01},
    "plain_cnn": CNN,
}


class FirstChoices(RandomSampler):
    """A stand-in for Optuna's sampler that always draws the first choices."""

    def __init__(self, seed: int, **_: Any) -> None:
        super().__init__(seed=seed)

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        return param_distribution.choices[0]


def candidates(folder: Path, n_trials: int) -> list[tuple[int, int]]:
    """Return the filters and batch sizes of a study's trials."""
    spec = make_spec(space=SPACE, trials=50, sampler={"name": "gp", "n_startup_trials": 2})
    fixture = SupervisorFixture(folder, spec, {})
    source = TrialSource(fixture.study, spec, spec.parsed_space(), "anna")
    found = []
    for number in range(n_trials):
        leased = source.lease("cpu0")
        assert leased is not None
        lease, trial = leased
        source.suggest(trial)
        values = [0.5 + number / 100, 1000.0 + number, 5.0]
        queue.finish(fixture.study, lease, Outcome.COMPLETE, values=values)
        found.append((trial.params["plain_cnn.filters"], trial.params["training.batch_size"]))
    return found


def test_what_gp_finds_again_gives_way_to_its_neighbour_after_one_more_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []

    def make(seed: int, **settings: Any) -> FirstChoices:
        seeds.append(seed)
        return FirstChoices(seed, **settings)

    monkeypatch.setattr(optuna.samplers, "GPSampler", make)
    first, *near = candidates(tmp_path, 3)
    assert first == (8, 16)
    assert set(near) == {(16, 16), (8, 32)}  # one step away, each of them once
    assert len(set(seeds)) == 1 + 2 + 2  # one sampler of the first trial, and two of each other one


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="needs tunefront[gp]")
def test_gp_takes_every_candidate_of_a_finite_space_once(tmp_path: Path) -> None:
    assert sorted(candidates(tmp_path, 6)) == [(8, 16), (8, 32), (8, 64), (16, 16), (16, 32), (16, 64)]
