"""Slots: the places of this machine where one trial each can run, and how a trial claims its slot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from tunefront.search.launching.gpus import Gpu

_BYTES_PER_CPU_SLOT = 1.5e9  # memory of a trial process with TensorFlow and a small model


@dataclass(frozen=True)
class Slot:
    """A place where one trial can run.

    Attributes:
        name: ``cpu0``, ``gpu1``, or ``gpu1.0`` where several share a GPU.
        n_threads: The number of CPU threads of the trial.
        gpu_uuid: The UUID of its GPU; None on a CPU.
    """

    name: str
    n_threads: int
    gpu_uuid: str | None = None

    def claim(self) -> None:
        """Bind this process to the slot; to be called in the trial process before the backend's runtime starts."""
        os.environ["CUDA_VISIBLE_DEVICES"] = self.gpu_uuid or "-1"
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # JAX takes 75 % of a GPU otherwise
        import keras

        if keras.backend.backend() == "tensorflow":
            self._configure_tensorflow()
        elif keras.backend.backend() == "torch":
            import torch

            torch.set_num_threads(self.n_threads)

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
            tf.config.experimental.set_memory_growth(gpu, True)


def make_slots(n_workers: int | None, gpus: Sequence[Gpu], n_cpus: int, memory_bytes: int) -> tuple[Slot, ...]:
    """Divide the machine into one slot for each GPU, or for each CPU core as far as memory reaches.

    Args:
        n_workers: The number of slots to make instead; several may share a GPU, and CPU threads are divided.
    """
    if gpus:
        n_slots = n_workers or len(gpus)
    else:
        n_slots = n_workers or max(1, min(n_cpus, int(memory_bytes / _BYTES_PER_CPU_SLOT)))
    n_threads = max(1, n_cpus // n_slots)
    if not gpus:
        return tuple(Slot(f"cpu{index}", n_threads) for index in range(n_slots))
    is_shared = n_slots > len(gpus)
    return tuple(
        Slot(
            f"gpu{index % len(gpus)}" + (f".{index // len(gpus)}" if is_shared else ""),
            n_threads,
            gpus[index % len(gpus)].uuid,
        )
        for index in range(n_slots)
    )
