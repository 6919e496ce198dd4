"""The queue of the study that records a search's space."""

from __future__ import annotations

import optuna

from tunefront.search.sampling.seeds import trial_seed
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage.open_study import OpenStudy


def enqueue_candidates(study: OpenStudy, n_candidates: int, n_repeated: int, n_seeds: int) -> None:
    """Queue every training of a recording that was not queued before.

    The candidates are independent draws, each by its own sampler. The first `n_repeated` of them are queued `n_seeds`
    times, because each trial has its own seed.
    """
    spec = StudySpec.from_json(study.record.spec)
    space = spec.parsed_space()
    with study.exclusively():
        queued = {
            (trial.user_attrs.get("candidate"), trial.user_attrs.get("seed"))
            for trial in study.optuna.get_trials(deepcopy=False)
        }
        for seed in range(n_seeds):
            for candidate in range(n_repeated if seed else n_candidates):
                if (candidate, seed) not in queued:
                    scratch = optuna.create_study(
                        sampler=optuna.samplers.RandomSampler(seed=trial_seed(spec.seed, candidate))
                    ).ask()
                    space.suggest(scratch)
                    study.optuna.enqueue_trial(scratch.params, user_attrs={"candidate": candidate, "seed": seed})
