"""The seeds of a study's trials."""

from __future__ import annotations

import numpy as np

_CONFIRMATION = 1  # distinguishes the seeds of a confirmation, see trial_seed


def trial_seed(study_seed: int, number: int, *, is_confirmation: bool = False) -> int:
    """Return the seed of one trial, below 2**31, from the study's seed and the trial's number alone.

    A confirmation has its search's seed, which also splits the data, but its trials have other seeds than the search's.
    """
    numbers = [study_seed, number, _CONFIRMATION] if is_confirmation else [study_seed, number]
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)
