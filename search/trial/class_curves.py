"""The ROC and precision-recall curves of a model, a class against the rest, in as few points as draw them."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_DRAWN = 10  # classes whose curves are drawn: more lines cannot be told apart
_TOLERANCE = 0.002  # of an axis from 0 to 1, less than a pixel of a figure
_MOST_POINTS = 200


def class_curves(
    labels: NDArray[np.integer], probabilities: NDArray[np.floating], positive_class: int
) -> dict[str, dict[str, Any]]:
    """Return class -> fields of :class:`tunefront.storage.answers.ClassCurve`, as JSON data.

    With two classes it is the positive one, else every class that occurs and is not the only one. With more than
    :data:`MOST_DRAWN` classes, only those with the smallest areas under the ROC curve have points.

    Args:
        labels: Shape (n,), class numbers.
        probabilities: Shape (n, k).
    """
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    classes = [positive_class] if len(counts) == 2 else range(len(counts))
    curves = {
        int(number): _counts(labels == number, probabilities[:, number])
        for number in classes
        if 0 < counts[number] < len(labels)
    }
    areas = {number: _area(*found) for number, found in curves.items()}
    drawn = sorted(areas, key=lambda number: (areas[number], number))[:MOST_DRAWN]
    return {
        str(number): {
            "auc": areas[number],
            "average_precision": _average_precision(*found),
            "roc": _points(_roc(*found)) if number in drawn else [],
            "precision_recall": _points(_precision_recall(*found)) if number in drawn else [],
        }
        for number, found in curves.items()
    }


def roc_area(is_class: NDArray[np.bool_], scores: NDArray[np.floating]) -> float:
    """Return the area under the ROC curve, as scikit-learn's ``roc_auc_score``, which takes half a second to import.

    Args:
        is_class: Shape (n,), whether each image is of the class; some are, and some are not.
        scores: Shape (n,), finite.
    """
    return _area(*_counts(is_class, scores))


def thinned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return as few points of a polyline as draw it within :data:`_TOLERANCE`, at most :data:`_MOST_POINTS`.

    The point that is farthest from the line drawn so far is added, until none is too far (Ramer, Douglas and Peucker).

    Args:
        points: Shape (n, 2).
    """
    kept = [0, len(points) - 1]
    farthest = [_farthest(points, *kept)]
    while farthest and len(kept) < _MOST_POINTS:
        distance, first, middle, last = heapq.heappop(farthest)
        if -distance <= _TOLERANCE:
            break
        kept.append(middle)
        for part in ((first, middle), (middle, last)):
            heapq.heappush(farthest, _farthest(points, *part))
    return points[np.unique(kept)]


def _farthest(points: NDArray[np.float64], first: int, last: int) -> tuple[float, int, int, int]:
    """Return the distance, negative for a heap, of the point between two that is farthest from their line, and all."""
    if last - first < 2:
        return 0.0, first, first, last
    start, way = points[first], points[last] - points[first]
    between = points[first + 1 : last] - start
    along = np.clip(between @ way / max(float(way @ way), 1e-30), 0, 1)
    distances = np.hypot(*(between - along[:, np.newaxis] * way).T)
    middle = int(distances.argmax())
    return -float(distances[middle]), first, first + 1 + middle, last


def _counts(is_class: NDArray[np.bool_], scores: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the images wrongly and rightly taken for the class, at each distinct score as the threshold, from 0 on."""
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    right = np.cumsum(is_class[order], dtype=np.int64)[last_of_ties]
    return np.append(0, last_of_ties + 1 - right), np.append(0, right)


def _area(wrong: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    return float(np.trapezoid(right, wrong) / (wrong[-1] * right[-1]))


def _average_precision(wrong: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    return float((np.diff(right) * right[1:] / (right + wrong)[1:]).sum() / right[-1])


def _roc(wrong: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.column_stack([wrong / wrong[-1], right / right[-1]])


def _precision_recall(wrong: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the corners of the steps whose area is the average precision.

    Between two thresholds nothing is known of the precision, and a straight line would promise too much. So up to the
    recall of a threshold the curve has the precision of that threshold.
    """
    recall = np.append(0.0, np.repeat(right[1:] / right[-1], 2)[:-1])
    return np.column_stack([recall, np.repeat(right[1:] / (right + wrong)[1:], 2)])


def _points(line: NDArray[np.float64]) -> list[list[float]]:
    columns: list[list[float]] = thinned(line).round(4).T.tolist()
    return columns
