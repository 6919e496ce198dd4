"""Images in different splits that look alike, such as a photo that was saved twice; they are noted, never moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEAR_COPIES = "near_copies.txt"  # a file in the folder of a prepared dataset, with a line for each pair
LEAST_SIDE = 32  # pixels; different images that are smaller look alike
MAX_DIFFERENCE = 2.0  # mean difference over a thumbnail, on a scale of 255
_SIDE, _COARSE_SIDE = 16, 4
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R 601, like Pillow's grey
_CHUNK_BYTES = 16_000_000
_N_FIRST_CANDIDATES, _N_MAX_CANDIDATES = 4, 1000  # compared with each image in the first and in the last round

Report = Callable[[int, int], None]  # called with the number of images done, and of all images


@dataclass(frozen=True)
class NearCopy:
    """An image that looks like one of an earlier split.

    Attributes:
        row: The image's row; `other` is the row of the earlier image.
        difference: Mean absolute difference of their thumbnails, on a scale of 255.
    """

    row: int
    other: int
    difference: float


def note_near_copies(
    values: NDArray[Any],
    rows: NDArray[np.int64],
    names: Sequence[str],
    parts: NDArray[np.int64],
    names_of_parts: Mapping[int, str],
    folder: Path,
    report: Report,
) -> dict[str, int]:
    """Write the pairs into a file in `folder`, and return a note with their number; empty if there are none.

    Args:
        values: Images of shape (m, height, width, channels), pixels from 0 to 255.
        rows: The row of each example in `values`, shape (n,).
        names: The name of each example.
        parts: The part of each example, shape (n,).
        names_of_parts: The parts to compare, from training on, with their names.
    """
    if min(values.shape[1:3]) < LEAST_SIDE:
        return {}
    pairs = near_copies(thumbnails_of(values, rows, report), parts, list(names_of_parts))
    if not pairs:
        return {}
    lines = [
        f"{names[pair.row]} ({names_of_parts[int(parts[pair.row])]}) looks like {names[pair.other]} "
        f"({names_of_parts[int(parts[pair.other])]}): mean difference {pair.difference:.2g} of 255\n"
        for pair in pairs
    ]
    (folder / NEAR_COPIES).write_text("".join(lines), encoding="utf-8")
    return {"images look like one in another split, and may be the same photo": len(pairs)}


def near_copies(thumbnails: NDArray[np.float32], parts: NDArray[np.int64], order: Sequence[int]) -> list[NearCopy]:
    """Return for each image the most similar one in an earlier part, if they differ by at most :data:`MAX_DIFFERENCE`.

    Not all pairs are compared. The means of 4x4 fields of two thumbnails never differ by more than the thumbnails
    themselves, so a k-d tree of those means gives every candidate. Each image is compared with at most the 1000 nearest
    in the tree. Images without contrast are left out, because any two of one brightness would be alike.

    Args:
        thumbnails: Grey values from 0 to 255, shape (n, 16 * 16); see :func:`thumbnails_of`.
        parts: The part of each image, shape (n,).
        order: The parts from training on; other parts are left out.
    """
    from scipy.spatial import KDTree

    contrast = np.abs(thumbnails - thumbnails.mean(axis=1, keepdims=True)).mean(axis=1)
    is_seen = contrast > MAX_DIFFERENCE
    coarse = thumbnails.reshape(-1, _COARSE_SIDE, _SIDE // _COARSE_SIDE, _COARSE_SIDE, _SIDE // _COARSE_SIDE)
    coarse = coarse.mean(axis=(2, 4)).reshape(len(thumbnails), -1)
    found: list[NearCopy] = []
    for place, part in enumerate(order):
        rows = np.flatnonzero((parts == part) & is_seen)
        earlier = np.flatnonzero(np.isin(parts, order[:place]) & is_seen)
        if len(rows) and len(earlier):
            found += _most_similar(thumbnails, coarse, rows, earlier, KDTree(coarse[earlier]))
    return found


def _most_similar(
    thumbnails: NDArray[np.float32],
    coarse: NDArray[np.float32],
    rows: NDArray[np.int64],
    earlier: NDArray[np.int64],
    tree: Any,
) -> list[NearCopy]:
    bound = MAX_DIFFERENCE * coarse.shape[1] * (1 + 1e-6)  # the sum over all fields, with a margin for rounding
    found: list[NearCopy] = []
    for n_candidates in (_N_FIRST_CANDIDATES, _N_MAX_CANDIDATES):
        n_asked = min(n_candidates, len(earlier))
        undecided = []
        for chunk in np.array_split(rows, max(1, len(rows) * n_asked // 20_000)):
            _, places = tree.query(coarse[chunk], k=[*range(1, n_asked + 1)], p=1, distance_upper_bound=bound)
            for row, candidates in zip(chunk.tolist(), places, strict=True):
                others = earlier[candidates[candidates < len(earlier)]]
                if not len(others):
                    continue
                differences = np.abs(thumbnails[others] - thumbnails[row]).mean(axis=1)
                best = int(differences.argmin())
                if differences[best] <= MAX_DIFFERENCE:
                    found.append(NearCopy(row, int(others[best]), float(differences[best])))
                elif len(others) == n_asked < len(earlier):
                    undecided.append(row)
        rows = np.array(undecided, dtype=np.int64)
        if not len(rows):
            break
    return sorted(found, key=lambda pair: pair.row)


def thumbnails_of(values: NDArray[Any], rows: NDArray[np.int64], report: Report) -> NDArray[np.float32]:
    """Return grey thumbnails of 16 x 16 means of pixels, flattened to shape (n, 256), values from 0 to 255.

    Args:
        values: Images of shape (m, height, width, channels), both sides at least 16.
        rows: The images to use, shape (n,).
    """
    height, width, n_channels = values.shape[1:]
    tops, lefts = (np.arange(_SIDE) * side // _SIDE for side in (height, width))
    n_pixels = np.outer(np.diff([*tops, height]), np.diff([*lefts, width])).astype(np.float32)
    thumbnails = np.empty((len(rows), _SIDE * _SIDE), dtype=np.float32)
    n_chunk = max(1, _CHUNK_BYTES // max(1, values[0].nbytes))
    sums_of = np.uint32 if values.dtype == np.uint8 else np.float64
    for first in range(0, len(rows), n_chunk):
        chunk = values[rows[first : first + n_chunk]]
        sums = np.add.reduceat(np.add.reduceat(chunk, tops, axis=1, dtype=sums_of), lefts, axis=2, dtype=sums_of)
        means = sums.astype(np.float32) / n_pixels[..., np.newaxis]
        grey = means @ _LUMA if n_channels == len(_LUMA) else means.mean(axis=-1)
        thumbnails[first : first + len(chunk)] = grey.reshape(len(chunk), -1)
        report(min(first + n_chunk, len(rows)), len(rows))
    return thumbnails
