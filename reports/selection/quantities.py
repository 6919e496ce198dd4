"""What is measured of a deployed file alone, in no training: its bytes in any runtime, and the time of one image."""

from __future__ import annotations

from collections.abc import Mapping

from tunefront.objectives.measures import MEASURES, Measure
from tunefront.reports.deployment.deployed_front import MEASURED

FILE_BYTES = Measure("file_bytes", "memory", "bytes", "minimize", True, "the deployed file, for any runtime")
FILE_LATENCY = Measure("file_latency_seconds", "time", "seconds", "minimize", True, "one image in the file's runtime")
_ON_DEVICE = Measure(MEASURED, "time", "seconds", "minimize", True, "one image on the device, as a person measured it")
LIMITED: Mapping[str, Measure] = {**MEASURES, FILE_BYTES.name: FILE_BYTES, MEASURED: _ON_DEVICE}  # what limits may name
