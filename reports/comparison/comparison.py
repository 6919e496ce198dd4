"""The common front of two studies, after checking that they measure the same on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tunefront.mistakes import TunefrontError
from tunefront.objectives.dominance import dominating, on_front
from tunefront.objectives.measures import AXES, Axis
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord


class ComparisonError(TunefrontError):
    """Two studies that cannot be compared; the message says what differs."""


@dataclass(frozen=True)
class Member:
    """A model of one study's front, in a comparison.

    Attributes:
        is_on_common_front: Whether no model of the other study beats it.
        beaten_by: The number of the most accurate trial of the other study that beats it; None if none does.
    """

    results: StudyResults
    trial: TrialRecord
    is_on_common_front: bool
    beaten_by: int | None = None


@dataclass(frozen=True)
class Comparison:
    """Two studies side by side.

    Attributes:
        studies: Both studies, in the order in which they were named.
        members: The models of both fronts, the most accurate first.
        note: What a reader must know, such as that the images were divided by another seed; empty for nothing.
    """

    studies: tuple[StudyResults, StudyResults]
    axes: Sequence[Axis]
    members: Sequence[Member]
    note: str = ""

    def of(self, results: StudyResults) -> list[Member]:
        """Return the members of one study."""
        return [member for member in self.members if member.results is results]

    def frame(self) -> pd.DataFrame:
        """Return a row for each member: study, trial, its values by measure, and what beats it."""
        rows = [
            {
                "study": member.results.study.name,
                "trial": member.trial.number,
                **{member.results.measure(axis).name: member.results.value(member.trial, axis) for axis in self.axes},
                "on_common_front": member.is_on_common_front,
                "beaten_by": member.beaten_by,
            }
            for member in self.members
        ]
        return pd.DataFrame(rows).astype({"beaten_by": "Int64"}) if rows else pd.DataFrame(rows)


def compare_studies(first: StudyResults, second: StudyResults) -> Comparison:
    """Compare the fronts of two studies.

    Raises:
        ComparisonError: If they have other measures, or other images.
    """
    if _place(first) == _place(second):
        raise ComparisonError(f"{first.study.name!r} was named twice: name two studies")
    axes = _common_axes(first, second)
    note = _check_images(first, second)
    pairs = [(results, trial) for results in (first, second) for trial in results.front]
    values = [[results.value(trial, axis) for axis in axes] for results, trial in pairs]
    points = np.array(values, dtype=float).reshape(len(pairs), len(axes))
    directions = [first.measure(axis).direction for axis in axes]
    is_common = on_front(points, directions)
    members = []
    for row, (results, trial) in enumerate(pairs):
        others = np.array([other is not results for other, _ in pairs])
        beating = list(np.flatnonzero(others & dominating(points[row], points, directions)))
        best = pairs[beating[0]][1].number if beating else None  # the most accurate is first in a front
        members.append(Member(results, trial, bool(is_common[row]), best))
    members.sort(key=lambda member: member.results.loss(member.trial, axes[0]))
    return Comparison((first, second), axes, members, note)


def _place(results: StudyResults) -> tuple[object, ...]:
    """Return what tells a study from others, also from those of other storages, whose numbers begin anew."""
    return (results.study.study_id, results.study.name, results.study.created_at)


def _path(results: StudyResults) -> object:
    return (results.study.spec.get("data") or {}).get("path")


def _common_axes(first: StudyResults, second: StudyResults) -> list[Axis]:
    axes = [axis for axis in AXES if axis in first.objectives or axis in second.objectives]
    for axis in axes:
        names = [results.measure(axis).name for results in (first, second)]
        if names[0] != names[1]:
            raise ComparisonError(
                f"{first.study.name!r} measures {axis} as {names[0]}, {second.study.name!r} as {names[1]}: studies are "
                "compared only by the same measures"
            )
    return axes


def _check_images(first: StudyResults, second: StudyResults) -> str:
    """Return a note if only the seed divided the images otherwise; empty if they are the same.

    Raises:
        ComparisonError: If the studies have other images.
    """
    facts, others = first.study.dataset, second.study.dataset
    if facts.get("fingerprint") == others.get("fingerprint"):
        return ""
    seeds = [results.study.spec.get("seed") for results in (first, second)]
    is_alike = _without_place(first.study.spec.get("data")) == _without_place(second.study.spec.get("data"))
    sizes = ("n_train", "n_validation", "n_test", "class_names", "image_shape")
    if is_alike and seeds[0] != seeds[1] and all(facts.get(name) == others.get(name) for name in sizes):
        if _path(first) != _path(second):
            return (
                f"The images were divided by another seed ({seeds[0]} and {seeds[1]}) and lie in other places: whether "
                "they are the same ones cannot be told, so that differences may be those of the images."
            )
        return (
            f"The images were divided by another seed ({seeds[0]} and {seeds[1]}): models were validated on other "
            "images, so that small differences may be those of the images."
        )
    differing = [name for name in (*sizes, "source") if facts.get(name) != others.get(name)]
    raise ComparisonError(
        f"{first.study.name!r} and {second.study.name!r} cannot be compared, because they have other images "
        f"({', '.join(differing) or 'the files'} differ): search both with one [data] table and one seed"
    )


def _without_place(data: Any) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "path"} if isinstance(data, Mapping) else {}
