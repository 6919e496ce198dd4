"""The seeds of a study's trials."""

from __future__ import annotations

import numpy as np

_CONFIRMATION = 1  # never a trial's number at this place: see trial_seed


def trial_seed(study_seed: int, number: int, *, is_confirmation: bool = False) -> int:
    """Return the seed of one trial: from the study's seed and its number, whoever runs it, below 2**31.

    A confirmation has its search's seed, which also splits the data; its trials have others than the search's.
    """
    numbers = [study_seed, number, _CONFIRMATION] if is_confirmation else [study_seed, number]
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)
