"""Slots: the places of this machine where one trial each can run, and how a trial claims its slot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from tunefront.objectives.quantities import format_quantity
from tunefront.search.launching.gpu_shares import GpuShare, PerGpu, plan_shares
from tunefront.search.launching.gpus import Gpu

_BYTES_PER_CPU_SLOT = 1.5e9  # memory of a trial process with TensorFlow and a small model


@dataclass(frozen=True)
class Slot:
    """A place where one trial can run.

    Attributes:
        name: ``cpu0``, ``gpu1``, or ``gpu1.0`` where several share a GPU.
        n_threads: The number of CPU threads of the trial.
        gpu_uuid: The UUID of its GPU; None on a CPU.
        share: Its share of the GPU; None if no other slot has the same GPU.
    """

    name: str
    n_threads: int
    gpu_uuid: str | None = None
    share: GpuShare | None = None

    def claim(self) -> None:
        """Bind this process to the slot; to be called in the trial process before the backend's runtime starts."""
        self.set_environment()
        import keras

        if keras.backend.backend() == "tensorflow":
            self._configure_tensorflow()
        elif keras.backend.backend() == "torch":
            import torch

            torch.set_num_threads(self.n_threads)
            if self.share is not None and self.share.fraction is not None:
                torch.cuda.set_per_process_memory_fraction(self.share.fraction)

    def set_environment(self) -> None:
        """Set the variables by which backends find the slot's GPU and the memory that they may take of it."""
        os.environ["CUDA_VISIBLE_DEVICES"] = self.gpu_uuid or "-1"
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # JAX takes 75 % of a GPU otherwise
        if self.share is not None and self.share.fraction is not None:
            os.environ.pop("XLA_CLIENT_MEM_FRACTION", None)  # the newer name; JAX refuses to have both
            os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{self.share.fraction:.4f}"
            os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # TensorFlow takes the whole share at once otherwise

    def _configure_tensorflow(self) -> None:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(self.n_threads)
        tf.config.threading.set_inter_op_parallelism_threads(self.n_threads)
        if self.gpu_uuid is None:
            return
        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            raise RuntimeError(
                f"slot {self.name} has a GPU, but TensorFlow sees none: install tunefront[gpu], "
                "or run on the CPU with CUDA_VISIBLE_DEVICES=-1"
            )
        for gpu in gpus:
            if self.share is None or self.share.limit_bytes is None:
                tf.config.experimental.set_memory_growth(gpu, True)
            else:
                limit = tf.config.LogicalDeviceConfiguration(memory_limit=self.share.limit_bytes // 2**20)
                tf.config.set_logical_device_configuration(gpu, [limit])


def make_slots(
    n_workers: int | None, gpus: Sequence[Gpu], n_cpus: int, memory_bytes: int, per_gpu: PerGpu | None = None
) -> tuple[Slot, ...]:
    """Divide the machine into one slot for each GPU, or for each CPU core as far as memory reaches.

    Args:
        n_workers: The number of slots to make instead; several may share a GPU, and CPU threads are divided.
        per_gpu: The number of slots on each GPU, which divide its memory, in place of `n_workers`.

    Raises:
        GpuShareError: If the GPUs cannot be divided so.
    """
    if per_gpu is not None:
        return _gpu_slots(gpus, plan_shares(gpus, per_gpu, n_cpus, memory_bytes), n_cpus)
    if gpus:
        n_slots = n_workers or len(gpus)
        n_used = min(n_slots, len(gpus))
        numbers = [n_slots // n_used + (index < n_slots % n_used) for index in range(n_used)]
        shares = [GpuShare(n, None, gpu.memory_bytes) for n, gpu in zip(numbers, gpus, strict=False)]
        return _gpu_slots(gpus, shares, n_cpus)
    n_slots = n_workers or max(1, min(n_cpus, int(memory_bytes / _BYTES_PER_CPU_SLOT)))
    return tuple(Slot(f"cpu{index}", max(1, n_cpus // n_slots)) for index in range(n_slots))


def describe_gpu_memory(slots: Sequence[Slot]) -> str:
    """Return the memory that each slot may take of its GPU: ``"3.21 GB"``; empty where it is not divided."""
    limits = sorted({slot.share.limit_bytes for slot in slots if slot.share and slot.share.limit_bytes})
    return " to ".join(format_quantity(limit, "bytes") for limit in dict.fromkeys((*limits[:1], *limits[-1:])))


def _gpu_slots(gpus: Sequence[Gpu], shares: Sequence[GpuShare], n_cpus: int) -> tuple[Slot, ...]:
    """Return the slots of GPUs with such shares: the first of each GPU, then the second, and so on."""
    n_threads = max(1, n_cpus // sum(share.n_slots for share in shares))
    return tuple(
        Slot(f"gpu{index}.{place}", n_threads, gpu.uuid, share)
        if share.n_slots > 1
        else Slot(f"gpu{index}", n_threads, gpu.uuid)
        for place in range(max(share.n_slots for share in shares))
        for index, (gpu, share) in enumerate(zip(gpus, shares, strict=False))
        if place < share.n_slots
    )
