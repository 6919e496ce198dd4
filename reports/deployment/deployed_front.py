"""The front of what is deployed: accuracy, memory and latency of every variant of every model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunefront.objectives.dominance import on_front
from tunefront.objectives.quantities import format_quantity
from tunefront.storage.deployment import deployed
from tunefront.storage.deployment.deployed import DeployedVariant
from tunefront.storage.open_study import OpenStudy

MEASURED = "measured_latency_seconds"
_NO_FILE = "no file"
_ORDER = ("float32", "float16", "dynamic", "int8", "onnx")


@dataclass(frozen=True)
class DeployedFront:
    """The variants of a study's models.

    Attributes:
        variants: In the order of their trials, confirmed ones first.
        device: ``name``, ``flash_bytes`` and ``ram_bytes`` of the device that they are for; None if none was named.
        memory: The name of the measure of memory: the arena if there is a device, else the file's bytes.
        members: Trial and variant of those on the front.
    """

    variants: Sequence[DeployedVariant]
    device: Mapping[str, Any] | None
    memory: str
    members: frozenset[tuple[int, str]]

    @property
    def is_measured(self) -> bool:
        """Whether latencies are those that a person measured on the device."""
        return any(MEASURED in variant.measures for variant in self.variants)

    def is_member(self, variant: DeployedVariant) -> bool:
        """Return whether a variant is on the front."""
        return (variant.trial, variant.variant) in self.members

    def latency(self, variant: DeployedVariant) -> float:
        """Return the seconds for one image, as they count for the front; NaN if they are not known."""
        return _latency(variant, self.is_measured)

    def why_not(self, variant: DeployedVariant) -> str:
        """Return why a variant is not on offer; empty if it is."""
        return _why_not(variant, self.device)


def load_deployed_front(study: OpenStudy) -> DeployedFront | None:
    """Read a study's variants from the store; None if nothing was deployed. Writes nothing."""
    found = deployed.load(study)
    return find_deployed_front(found, deployed.load_device(study)) if found else None


def find_deployed_front(variants: Sequence[DeployedVariant], device: Mapping[str, Any] | None) -> DeployedFront:
    """Find the front of variants: those on offer that no other one beats on accuracy, memory and latency.

    With a device, those that do not fit it are not on offer, and memory is the arena. With latencies that were measured
    on the device these alone are compared, and a variant without one is not on the front.
    """
    ordered = sorted(variants, key=lambda v: (v.training is None, v.trial, _ORDER.index(v.variant)))
    memory = "arena_bytes" if device is not None else "file_bytes"
    is_measured = any(MEASURED in variant.measures for variant in ordered)
    offered = [variant for variant in ordered if not _why_not(variant, device)]
    points = np.array(
        [[v.accuracy, v.measures.get(memory, math.nan), _latency(v, is_measured)] for v in offered], dtype=float
    ).reshape(-1, 3)
    mask = on_front(points, ("maximize", "minimize", "minimize"))
    members = frozenset((v.trial, v.variant) for v, is_on in zip(offered, mask, strict=True) if is_on)
    return DeployedFront(ordered, device, memory, members)


def _why_not(variant: DeployedVariant, device: Mapping[str, Any] | None) -> str:
    return variant.refusal or (misfit(variant, device) if variant.file else _NO_FILE)


def misfit(variant: DeployedVariant, device: Mapping[str, Any] | None) -> str:
    """Return why a variant that has a file does not fit the device; empty if it does, or there is none."""
    if device is None:
        return ""
    arena = variant.measures.get("arena_bytes")
    if arena is None:
        return variant.notes.get("arena_bytes", "its arena is not known")
    for what, needed, room in (
        ("file", variant.measures["file_bytes"], device["flash_bytes"]),
        ("arena", arena, device["ram_bytes"]),
    ):
        if needed > room:
            return f"its {what} of {format_quantity(needed, 'bytes')} is above {format_quantity(room, 'bytes')}"
    return ""


def _latency(variant: DeployedVariant, is_measured: bool) -> float:
    if is_measured:
        return variant.measures.get(MEASURED, math.nan)
    found = (variant.measures.get(f"{runtime}_latency_seconds") for runtime in ("litert", "onnx"))
    return next((seconds for seconds in found if seconds is not None), math.nan)
