"""Digests of a prepared dataset's parts, which tell what differs where two machines have different data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import Examples
from tunefront.search.data.splitting.splits import LEFT_OUT

_WORDS = {"images": "the images", "labels": "the labels", "splits": "which image is in which split"}


def content_digests(digests: Sequence[str], examples: Examples, parts: NDArray[np.int64]) -> dict[str, str]:
    """Return a digest of the images, one of their labels, and one of their splits; the order of images is in none.

    Args:
        digests: A digest of each example's values.
        parts: The part that each example is in.
    """
    used = [row for row, part in enumerate(parts.tolist()) if part != LEFT_OUT]
    labels = examples.labels.tolist()
    names = examples.class_names
    return {
        "images": _digest(digests[row] for row in used),
        "labels": _digest(f"{digests[row]} {names[labels[row]] if names else labels[row]}" for row in used),
        "splits": _digest(f"{digests[row]} {parts[row]}" for row in used),
    }


def describe_difference(stored: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Return which parts of the data differ, such as ``the labels``; a sentence that suits all, if that is not known.

    Other images have other labels and splits, so these are named only where the images are the same.
    """
    if not stored or not here:
        return "the images, labels or splits"
    if stored.get("images") != here.get("images"):
        return _WORDS["images"]
    different = [word for part, word in _WORDS.items() if stored.get(part) != here.get(part)]
    return " and ".join(different) or "the order of the images"


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
