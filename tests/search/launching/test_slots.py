from __future__ import annotations

import pytest

from tunefront.search.launching.gpu_shares import GpuShare
from tunefront.search.launching.gpus import Gpu
from tunefront.search.launching.slots import Slot, make_slots

A, B, C = (Gpu(f"GPU-{letter * 8}-0000", f"Card {letter}", 16_000_000_000) for letter in "abc")


@pytest.mark.parametrize(
    ("n_workers", "n_cpus", "memory_bytes", "expected"),
    [
        (None, 2, 64e9, [("cpu0", 1), ("cpu1", 1)]),
        (None, 8, 4.6e9, [("cpu0", 2), ("cpu1", 2), ("cpu2", 2)]),  # memory for three
        (None, 8, 0.5e9, [("cpu0", 8)]),  # one at least
        (1, 8, 64e9, [("cpu0", 8)]),
        (3, 8, 64e9, [("cpu0", 2), ("cpu1", 2), ("cpu2", 2)]),
        (4, 2, 1e9, [(f"cpu{index}", 1) for index in range(4)]),  # as it was asked for
    ],
)
def test_make_slots_of_a_machine_without_gpus(
    n_workers: int | None, n_cpus: int, memory_bytes: float, expected: list[tuple[str, int]]
) -> None:
    assert make_slots(n_workers, [], n_cpus, int(memory_bytes)) == tuple(Slot(*each) for each in expected)


@pytest.mark.parametrize(
    ("n_workers", "gpus", "expected"),
    [
        (None, [A], [("gpu0", 16, A)]),
        (None, [A, B], [("gpu0", 8, A), ("gpu1", 8, B)]),
        (1, [A, B], [("gpu0", 16, A)]),
        (3, [A, B], [("gpu0.0", 5, A, 2), ("gpu1", 5, B), ("gpu0.1", 5, A, 2)]),
        (4, [A], [("gpu0.0", 4, A, 4), ("gpu0.1", 4, A, 4), ("gpu0.2", 4, A, 4), ("gpu0.3", 4, A, 4)]),
    ],
)
def test_make_slots_of_a_machine_with_gpus(
    n_workers: int | None, gpus: list[Gpu], expected: list[tuple[str, int, Gpu, int] | tuple[str, int, Gpu]]
) -> None:
    slots = make_slots(n_workers, gpus, n_cpus=16, memory_bytes=1)
    assert slots == tuple(
        Slot(name, n_threads, gpu.uuid, *(GpuShare(n_slots, None, gpu.memory_bytes) for n_slots in shared))
        for name, n_threads, gpu, *shared in expected
    )
    assert len({slot.name for slot in slots}) == len(slots)
