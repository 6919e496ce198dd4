from __future__ import annotations

from tunefront.search.sampling.seeds import trial_seed


def test_trial_seed_is_what_keras_and_sklearn_take() -> None:
    seeds = [trial_seed(study_seed, number) for study_seed in (0, 1, 2**31 - 1) for number in range(500)]
    assert all(type(seed) is int and 0 <= seed < 2**31 for seed in seeds)
    assert len(set(seeds)) == len(seeds)
    assert trial_seed(1, 7) == trial_seed(1, 7)
