"""The files for runtimes that a study's models were deployed as, as models that can be chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tunefront.objectives.devices import Device
from tunefront.objectives.measures import DEPLOYMENT_MEASURES, MEASURES, Axis, Measure
from tunefront.reports.deployment.deployed_front import MEASURED, DeployedFront, find_deployed_front
from tunefront.reports.selection.limits import Limit
from tunefront.reports.selection.options import Option, Options
from tunefront.reports.selection.quantities import FILE_BYTES, FILE_LATENCY
from tunefront.storage.deployment import deployed
from tunefront.storage.deployment.deployed import DeployedVariant
from tunefront.storage.open_study import OpenStudy

_OF_FILES = frozenset({*DEPLOYMENT_MEASURES, FILE_BYTES.name, MEASURED})


def options_for(
    study: OpenStudy, options: Options, names: Iterable[str], device: Device | None = None
) -> tuple[Options, list[Limit]]:
    """Return what can be chosen where limits name these axes and measures, and the limits of the device.

    If a device or a measure of files is named, and the study has any, that is the files of `tunefront deploy`: each
    variant of each model with its own measured accuracy. Else it is `options` as they are.

    Args:
        device: The device that a file must fit; None takes the one that the study was deployed for, if there is one.
    """
    if device is None and not any(is_of_files(name, options) for name in names):
        return options, []
    deployed_for = deployed.load_device(study)
    board = device or (Device(**deployed_for) if deployed_for is not None else None)
    return with_files(options, deployed.load(study), board), device_limits(board) if board is not None else []


def with_files(options: Options, variants: Iterable[DeployedVariant], device: Device | None = None) -> Options:
    """Return the files of the members as what can be chosen; `options` as they are if there are none.

    Once a confirmation counts, it is the files of its models alone. Files are compared by their accuracy, their bytes
    (with a device by the arena) and the time of one image in their runtime, measured on the device where it was.
    """
    by_number = {option.number: option for option in options.members}
    is_confirmed = options.confirmation is not None
    front = find_deployed_front(
        [each for each in variants if each.trial in by_number and (each.training is not None) == is_confirmed], None
    )
    offered = [each for each in front.variants if not front.why_not(each)]
    if not offered:
        return options
    memory = MEASURES["arena_bytes"] if device is not None else FILE_BYTES
    measures: dict[Axis, Measure] = {"accuracy": MEASURES["accuracy"], "memory": memory, "time": FILE_LATENCY}
    members = [
        replace(by_number[each.trial], values=_values(by_number[each.trial], each, front), file=each)
        for each in sorted(offered, key=lambda each: (each.trial, front.variants.index(each)))
    ]
    return replace(options, members=members, measures=measures, device=device.name if device is not None else "")


def device_limits(device: Device) -> list[Limit]:
    """Return what a device allows: its flash holds the file, its RAM the arena, and its runtime tells the latter."""
    return [
        Limit("litert_bytes", MEASURES["litert_bytes"], device.flash_bytes, True, f"flash of {device.name}"),
        Limit("arena_bytes", MEASURES["arena_bytes"], device.ram_bytes, True, f"RAM of {device.name}"),
    ]


def is_of_files(name: str, options: Options) -> bool:
    """Return whether a limit of that name, an axis or a measure, is one of files."""
    measures = [options.results.measure(axis).name for axis in options.axes if axis == name]
    return name in _OF_FILES or any(measure in _OF_FILES for measure in measures)


def _values(option: Option, variant: DeployedVariant, front: DeployedFront) -> Mapping[str, float]:
    """Return what was measured of the file, and what its training cost; the Keras model's scores are not the file's."""
    costs = {
        name: value
        for name, value in option.values.items()
        if name not in _OF_FILES and name in MEASURES and MEASURES[name].axis != "accuracy"
    }
    measured = {**costs, **variant.measures, FILE_LATENCY.name: front.latency(variant)}
    if variant.variant != "onnx":
        measured["litert_bytes"] = variant.measures["file_bytes"]
    if variant.accuracy is not None:
        measured["accuracy"] = variant.accuracy
    return measured
