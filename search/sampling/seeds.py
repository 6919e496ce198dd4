"""The seeds of a study's trials."""

from __future__ import annotations

import numpy as np

_CONFIRMATION = 1  # distinguishes the seeds of a confirmation, see trial_seed
_AGAIN = 2  # and those of a trial that draws again


def trial_seed(study_seed: int, number: int, *, is_confirmation: bool = False) -> int:
    """Return the seed of one trial, below 2**31, from the study's seed and the trial's number alone.

    A confirmation has its search's seed, which also splits the data, but its trials have other seeds than the search's.
    """
    numbers = [study_seed, number, _CONFIRMATION] if is_confirmation else [study_seed, number]
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


def seed_again(study_seed: int, number: int, n_before: int) -> int:
    """Return the seed with which a trial draws once more, after it has drawn `n_before` times; at 0 it is its own."""
    if not n_before:
        return trial_seed(study_seed, number)
    return int(np.random.SeedSequence([study_seed, number, _AGAIN, n_before]).generate_state(1)[0] >> 1)
