"""The card of a kept model: a file beside it with all that is needed to use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tunefront.search.data.dataset import Dataset
from tunefront.search.data.label_scale import LabelScale
from tunefront.search.data.sources.source import ArraySource, FileSource, Source
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.running_trial import RunningTrial
from tunefront.spaces.candidate import Candidate

_VERSIONS = ("tunefront", "keras", "backend", "backend_version", "optuna", "python", "precision")


def model_card(assignment: Assignment, running: RunningTrial) -> dict[str, Any]:
    """Return the facts of a trial's model as JSON data: see :func:`facts_of_model`."""
    return {
        "study": assignment.study.name,
        "trial": running.lease.number,
        **facts_of_model(assignment.spec.data, assignment.dataset, running.candidate, running.measurements),
        "versions": versions_in(assignment.machine),
    }


def facts_of_model(
    source: Source, dataset: Dataset, candidate: Candidate, measurements: Mapping[str, float]
) -> dict[str, Any]:
    """Return the facts of a model as JSON data: its inputs and outputs, its scores, and what it was made of.

    The entries of ``class_names`` are in the order of the model's outputs; one sigmoid unit is the probability of
    ``positive_class``. A model of numbers has none, and ``numbers`` tells what its output is. With ``n_outputs``, the
    model has so many outputs, of which the last ones name no class.
    """
    is_binary = dataset.n_classes == 2
    return {
        "class_names": list(dataset.class_names),
        "positive_class": dataset.class_names[dataset.positive_class] if is_binary else None,
        "output": candidate.output,
        **({"numbers": _numbers(dataset)} if dataset.task == "regression" else {}),
        **({"n_outputs": dataset.n_outputs} if dataset.n_outputs > dataset.n_classes > 0 else {}),
        "input": {"shape": list(dataset.image_shape), **_preparation(source, dataset)},
        "measurements": dict(sorted(measurements.items())),
        "candidate": asdict(candidate),
    }


def _preparation(source: Source, dataset: Dataset) -> dict[str, Any]:
    """Return how the model's input values were made from the data of the source."""
    if dataset.columns:
        return {
            "values": "a dictionary of columns by name, each of shape (n, 1): numbers as float32, NaN where missing; "
            "categories as texts, empty where missing",
            "columns": [
                {"name": column.name, "kind": column.kind, "categories": list(column.vocabulary)}
                if column.kind == "category"
                else {"name": column.name, "kind": column.kind}
                for column in dataset.columns_in()
            ],
        }
    if isinstance(source, FileSource):
        size = list(dataset.image_shape[:2])
        return {
            "values": "pixels from 0 to 255",
            "size": size,
            "channels": source.channels,
            "resize": source.resize,
            "filter": "Lanczos",
            "is_turned_by_exif": True,
            **({"bit_depth_of_16_bit_files": dataset.bit_depth} if dataset.bit_depth else {}),
        }
    if isinstance(source, ArraySource) and source.scale:
        return {"values": "pixels from 0 to 255", "scale_of_source": source.scale}
    if dataset.value_type == "uint8":
        return {"values": "pixels from 0 to 255"}
    return {"values": "as the source has them"}


def _numbers(dataset: Dataset) -> dict[str, Any]:
    """Return what the model's one output means: the model's last layer has given it the labels' unit already."""
    scale = LabelScale.of(dataset.numbers("train"))
    return {"unit": "as the labels are", "training_mean": scale.mean, "training_deviation": scale.deviation}


def versions_in(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the versions, and the precision, in the description of a machine."""
    return {name: machine[name] for name in _VERSIONS if name in machine}
