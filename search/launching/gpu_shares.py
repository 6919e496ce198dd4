"""The shares of a GPU: how many trials have it together, and how much of its memory each of them may take."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tunefront.mistakes import TunefrontError
from tunefront.objectives.quantities import format_quantity
from tunefront.search.launching.gpus import Gpu, list_gpus

_BYTES_BESIDE = 0.75e9  # of CUDA and its libraries in each process, beside what the backend hands out to the trial
_LEAST_BYTES = 1e9  # of the smallest share that can be asked for, with what lies beside
_AUTO_BYTES = 4e9  # of a share that nobody asked for; small networks, and the fine-tuning of larger ones, fit into it
_MAIN_BYTES = 3e9  # of main memory for a trial process with the libraries of a GPU
_MOST_AUTO = 8  # more slots on one GPU than this must be asked for

PerGpu = int | Literal["auto"]


class GpuShareError(TunefrontError):
    """A GPU cannot be shared as it was asked for."""


@dataclass(frozen=True)
class GpuShare:
    """One trial's share of a GPU.

    Attributes:
        n_slots: The number of slots that have the GPU together.
        limit_bytes: The most memory that the backend may hand out to the trial; None where nobody divides it.
        gpu_bytes: The whole memory of the GPU.
    """

    n_slots: int
    limit_bytes: int | None
    gpu_bytes: int

    @property
    def fraction(self) -> float | None:
        """The limit as a fraction of the GPU's memory, rounded down to four digits; None without a limit."""
        return None if self.limit_bytes is None else int(1e4 * self.limit_bytes / self.gpu_bytes) / 1e4


def read_slots_per_gpu(
    text: str, n_slots: int | None, find_gpus: Callable[[], Sequence[Gpu]] = list_gpus
) -> PerGpu | None:
    """Return how many trials a person wants on each GPU; None if nothing is said.

    Args:
        text: A number, ``auto``, or nothing.
        n_slots: The number of slots that the person wants; None if nothing is said.
        find_gpus: Returns the GPUs of this machine.

    Raises:
        GpuShareError: If that is no such number, both say how many trials are to run, or no GPU can be divided so.
    """
    if not text:
        return None
    if text != "auto" and not re.fullmatch("0*[1-9][0-9]{0,8}", text):
        raise GpuShareError(f"--slots-per-gpu {text}: give a whole number of at least 1, or auto")
    if n_slots is not None:
        raise GpuShareError(
            f"--slots-per-gpu {text} and --slots {n_slots} both say how many trials run at a time: leave one out"
        )
    per_gpu: PerGpu = "auto" if text == "auto" else int(text)
    _check(find_gpus(), per_gpu)
    return per_gpu


def plan_shares(gpus: Sequence[Gpu], per_gpu: PerGpu, n_cpus: int, memory_bytes: int) -> list[GpuShare]:
    """Return for each GPU the share that each trial on it has.

    With ``auto`` a GPU gets as many as its memory has times 4 GB, at most 8, if each has a CPU core and 3 GB of main
    memory; one at least. A share's limit is its part of the memory without what CUDA takes in each process. A trial
    that has a GPU to itself has no limit.

    Args:
        memory_bytes: Bytes of main memory.

    Raises:
        GpuShareError: If there is no GPU, or one has too little memory for so many.
    """
    _check(gpus, per_gpu)
    if per_gpu == "auto":
        most = min(_MOST_AUTO, n_cpus // len(gpus), int(memory_bytes / _MAIN_BYTES) // len(gpus))
        return [_share(gpu, max(1, min(most, int(gpu.memory_bytes / _AUTO_BYTES)))) for gpu in gpus]
    return [_share(gpu, per_gpu) for gpu in gpus]


def _check(gpus: Sequence[Gpu], per_gpu: PerGpu) -> None:
    """Check that there are GPUs, and that each has memory for so many trials.

    Raises:
        GpuShareError: If not.
    """
    if not gpus:
        raise GpuShareError(
            f"--slots-per-gpu {per_gpu}: this machine has no GPU, or CUDA_VISIBLE_DEVICES hides it. "
            "'nvidia-smi -L' lists GPUs; --slots N divides the CPU"
        )
    if per_gpu == "auto":
        return
    for gpu in gpus:
        most = max(1, int(gpu.memory_bytes / _LEAST_BYTES))
        if per_gpu > most:
            raise GpuShareError(
                f"--slots-per-gpu {per_gpu}: a {gpu.name} of {format_quantity(gpu.memory_bytes, 'bytes')} has memory "
                f"for {most} at most, 1 GB each. Give {most} or less, or auto"
            )


def _share(gpu: Gpu, n_slots: int) -> GpuShare:
    limit = None if n_slots == 1 else int(gpu.memory_bytes / n_slots - _BYTES_BESIDE)
    return GpuShare(n_slots, limit, gpu.memory_bytes)
