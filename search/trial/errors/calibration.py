"""The calibration of a model: whether answers that it gives with 90 % are right in 90 of 100 cases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_BINS = 10


def reliability_bins(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> list[list[float]]:
    """Return the bins of a reliability diagram, from the least to the most confident answers.

    Answers are divided by their confidence, the probability of the class that is chosen, at its deciles. So all bins
    have about as many examples (Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural
    language processing models", 2015), which on the mostly high confidences of networks has less bias than bins of
    equal width (Roelofs et al., "Mitigating bias in calibration error estimation", 2022). Equal confidences stay in one
    bin, the lower one: the order of the examples then makes no difference, and a bin may have more, or none and is left
    out. The edges are those of scikit-learn's ``calibration_curve`` with ``strategy="quantile"``.

    Args:
        labels: Shape (n,), class numbers.
        probabilities: Shape (n, k).

    Returns:
        For each bin its number of examples, how many of them are right, and their mean confidence. No bin if a
        probability is not finite.
    """
    confidences = probabilities.max(axis=1).astype(np.float64)
    if not np.isfinite(confidences).all():
        return []
    is_right = probabilities.argmax(axis=1) == labels
    edges = np.quantile(confidences, np.linspace(0, 1, N_BINS + 1)[1:-1])
    places = np.searchsorted(edges, confidences)
    counts, n_right, sums = (
        np.bincount(places, weights, minlength=N_BINS) for weights in (None, is_right.astype(float), confidences)
    )
    return [[int(counts[b]), int(n_right[b]), float(sums[b] / counts[b])] for b in np.flatnonzero(counts)]
