"""The GPUs of this machine, without a framework."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """A GPU as NVML describes it."""

    uuid: str
    name: str
    memory_bytes: int


def list_gpus() -> list[Gpu]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES leaves visible; none where there is no NVIDIA driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        gpus = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            gpus.append(Gpu(pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle), int(memory.total)))
    finally:
        pynvml.nvmlShutdown()
    return visible(gpus, os.environ.get("CUDA_VISIBLE_DEVICES"))


def visible(gpus: Sequence[Gpu], chosen: str | None) -> list[Gpu]:
    """Return the GPUs that a CUDA_VISIBLE_DEVICES of `chosen` names by index or UUID, in its order.

    Like CUDA, it stops at the first entry that names no GPU.
    """
    if chosen is None:
        return list(gpus)
    found: list[Gpu] = []
    for entry in (part.strip() for part in chosen.split(",")):
        if entry.isdigit() and int(entry) < len(gpus):
            found.append(gpus[int(entry)])
            continue
        named = [gpu for gpu in gpus if entry and gpu.uuid.startswith(entry)]
        if not named:
            break
        found += named[:1]
    return found
