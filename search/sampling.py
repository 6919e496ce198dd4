"""Samplers by name, and the seeds of a study."""

from __future__ import annotations

import warnings

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning

from search.spec import SamplerTable


def trial_seed(study_seed: int, number: int) -> int:
    """The seed of one trial: from the study's seed and its number, whoever runs it, below 2**31."""
    return int(np.random.SeedSequence([study_seed, number]).generate_state(1)[0] >> 1)


def make_sampler(table: SamplerTable, study_seed: int, number: int) -> optuna.samplers.BaseSampler:
    """A sampler for one trial.

    Each trial has its own, seeded by its number: one seed for a whole run would draw the same
    candidates again in every worker and after every restart.
    """
    seed = trial_seed(study_seed, number)
    if table.name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        # group: settings of an architecture or optimizer exist only where it was chosen.
        return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)
