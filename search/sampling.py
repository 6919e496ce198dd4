"""Samplers by name, and the seeds of a study."""

from __future__ import annotations

import warnings

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning

from search.spec import SamplerTable

_CONFIRMATION = 1  # never a trial's number at this place: see trial_seed


def trial_seed(study_seed: int, number: int, *, is_confirmation: bool = False) -> int:
    """The seed of one trial: from the study's seed and its number, whoever runs it, below 2**31.

    A confirmation has its search's seed, which also splits the data; its trials have others than the search's.
    """
    numbers = [study_seed, number, _CONFIRMATION] if is_confirmation else [study_seed, number]
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


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
