"""Several trials on one GPU: how many, how much of its memory each may take, and how its process is told.

No GPU is needed: plans are made for lists of GPUs, and TensorFlow is a stand-in that notes how it is configured.
"""

from __future__ import annotations

import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tunefront.search.launching import machine
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.gpu_shares import GpuShare, GpuShareError, PerGpu, plan_shares, read_slots_per_gpu
from tunefront.search.launching.gpus import Gpu
from tunefront.search.launching.slots import Slot, describe_gpu_memory, make_slots

T4, L4, H100 = (
    Gpu(f"GPU-{name}", name, round(gigabytes * 1e9)) for name, gigabytes in (("T4", 16), ("L4", 24), ("H100", 85))
)
MOBILE = Gpu("GPU-mobile", "MX150", 2_000_000_000)


@pytest.mark.parametrize(
    ("gpus", "per_gpu", "n_cpus", "main_gigabytes", "expected"),
    [
        ([T4], 1, 8, 64, [(1, None)]),  # nothing is shared, so nothing is bounded
        ([T4], 2, 8, 64, [(2, 7.25)]),  # 16 / 2 - 0.75
        ([T4], 4, 1, 1, [(4, 3.25)]),  # as it was asked for, on whatever machine
        ([T4, L4], 4, 8, 64, [(4, 3.25), (4, 5.25)]),
        ([T4], 16, 8, 64, [(16, 0.25)]),  # 1 GB each, of which CUDA takes most
        ([T4], "auto", 16, 64, [(4, 3.25)]),  # 4 GB each
        ([T4, L4], "auto", 16, 64, [(4, 3.25), (6, 3.25)]),
        ([H100], "auto", 16, 64, [(8, 9.875)]),  # eight at most
        ([H100], "auto", 5, 64, [(5, 16.25)]),  # a core each
        ([H100, H100], "auto", 5, 64, [(2, 41.75)] * 2),
        ([H100], "auto", 16, 10, [(3, 27.583333333)]),  # 3 GB of main memory each
        ([MOBILE], "auto", 16, 64, [(1, None)]),
        ([T4], "auto", 1, 1, [(1, None)]),
    ],
)
def test_a_gpus_memory_is_divided_among_its_trials(
    gpus: list[Gpu], per_gpu: PerGpu, n_cpus: int, main_gigabytes: int, expected: list[tuple[int, float | None]]
) -> None:
    shares = plan_shares(gpus, per_gpu, n_cpus, main_gigabytes * 10**9)
    assert [share.n_slots for share in shares] == [n_slots for n_slots, _ in expected]
    for gpu, share, (_, limit_gigabytes) in zip(gpus, shares, expected, strict=True):
        assert share.gpu_bytes == gpu.memory_bytes
        if limit_gigabytes is None:
            assert share.limit_bytes is share.fraction is None
        else:
            assert share.limit_bytes == pytest.approx(limit_gigabytes * 1e9, abs=1)


@pytest.mark.parametrize(
    ("text", "n_slots", "gpus", "expected"),
    [
        ("0", None, [T4], "--slots-per-gpu 0: give a whole number of at least 1, or auto"),
        ("-2", None, [T4], "--slots-per-gpu -2: give a whole number of at least 1, or auto"),
        ("1.5", None, [T4], "--slots-per-gpu 1.5: give a whole number of at least 1, or auto"),
        ("many", None, [T4], "--slots-per-gpu many: give a whole number of at least 1, or auto"),
        (
            "9" * 9,
            None,
            [T4],
            f"--slots-per-gpu {'9' * 9}: a T4 of 16 GB has memory for 16 at most, 1 GB each. Give 16 or less, or auto",
        ),
        ("9" * 5000, None, [T4], f"--slots-per-gpu {'9' * 5000}: give a whole number of at least 1, or auto"),
        ("2", 4, [T4], "--slots-per-gpu 2 and --slots 4 both say how many trials run at a time: leave one out"),
        (
            "17",
            None,
            [H100, T4],
            "--slots-per-gpu 17: a T4 of 16 GB has memory for 16 at most, 1 GB each. Give 16 or less, or auto",
        ),
        *(
            (
                text,
                None,
                [],
                f"--slots-per-gpu {text}: this machine has no GPU, or CUDA_VISIBLE_DEVICES hides it. "
                "'nvidia-smi -L' lists GPUs; --slots N divides the CPU",
            )
            for text in ("2", "auto")
        ),
    ],
)
def test_what_cannot_be_divided_is_told_in_a_line(
    text: str, n_slots: int | None, gpus: list[Gpu], expected: str
) -> None:
    with pytest.raises(GpuShareError) as caught:
        read_slots_per_gpu(text, n_slots, lambda: gpus)
    assert str(caught.value) == expected


def test_what_a_person_wants_on_each_gpu_is_read() -> None:
    assert read_slots_per_gpu("", 4, lambda: []) is None  # and no GPU is looked for
    assert read_slots_per_gpu("16", None, lambda: [T4]) == 16
    assert read_slots_per_gpu("auto", None, lambda: [MOBILE]) == "auto"


def test_the_first_slot_of_each_gpu_comes_before_the_second_ones() -> None:
    slots = make_slots(None, [T4, L4, MOBILE], n_cpus=24, memory_bytes=200 * 10**9, per_gpu="auto")
    t4, l4 = GpuShare(4, 3_250_000_000, 16 * 10**9), GpuShare(6, 3_250_000_000, 24 * 10**9)
    first = [Slot("gpu0.0", 2, "GPU-T4", t4), Slot("gpu1.0", 2, "GPU-L4", l4), Slot("gpu2", 2, "GPU-mobile")]
    assert list(slots[:4]) == [*first, Slot("gpu0.1", 2, "GPU-T4", t4)]
    names = "gpu0.0 gpu1.0 gpu2 gpu0.1 gpu1.1 gpu0.2 gpu1.2 gpu0.3 gpu1.3 gpu1.4 gpu1.5"
    assert [slot.name for slot in slots] == names.split()


def test_slots_that_share_a_gpu_are_another_kind_of_device_and_say_their_memory() -> None:
    alone, pair, four = (
        make_slots(None, [T4], n_cpus=8, memory_bytes=64 * 10**9, per_gpu=per_gpu) for per_gpu in (1, 2, 4)
    )
    kinds = [machine.device_kind(slots[0], [T4]) for slots in (alone, pair, four)]
    assert kinds == ["T4", "T4, shared by 2", "T4, shared by 4"]
    assert [describe_gpu_memory(slots) for slots in (alone, pair, four, pair + four)] == [
        "", "7.25 GB", "3.25 GB", "3.25 GB to 7.25 GB",
    ]  # fmt: skip
    assert machine.describe(pair, [T4], {}, "float32")["gpu_memory_per_slot"] == "7.25 GB"
    assert "gpu_memory_per_slot" not in machine.describe(alone, [T4], {}, "float32")
    by_number = make_slots(2, [T4], n_cpus=8, memory_bytes=1)  # nobody divides the memory, but it is shared
    assert machine.device_kind(by_number[1], [T4]) == "T4, shared by 2"
    assert describe_gpu_memory(by_number) == ""


NAMES = (
    "CUDA_VISIBLE_DEVICES",
    "XLA_PYTHON_CLIENT_PREALLOCATE",
    "XLA_PYTHON_CLIENT_MEM_FRACTION",
    "XLA_CLIENT_MEM_FRACTION",
    "TF_FORCE_GPU_ALLOW_GROWTH",
)


def tell_environment(connection: Connection, slot: Slot) -> None:
    slot.set_environment()
    connection.send({name: os.environ[name] for name in NAMES if name in os.environ})


@pytest.mark.usefixtures("fork_server")
def test_a_child_has_its_gpu_and_its_share_in_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    launcher = Launcher(tmp_path / "forkserver.log", preload=())
    (shared, _), (alone,) = (make_slots(None, [T4], 8, 64 * 10**9, per_gpu) for per_gpu in (2, 1))
    told = []
    for slot in (shared, alone, Slot("cpu0", 8)):
        child = launcher.start(tell_environment, slot, tmp_path / "child.log")
        told.append(child.connection.recv())
        assert child.reap() == 0
    everywhere = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    assert told == [
        {
            **everywhere,
            "CUDA_VISIBLE_DEVICES": "GPU-T4",
            "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.4531",  # 7.25 / 16, rounded down
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        },
        {**everywhere, "CUDA_VISIBLE_DEVICES": "GPU-T4"},
        {**everywhere, "CUDA_VISIBLE_DEVICES": "-1"},
    ]


def test_the_share_takes_the_place_of_a_fraction_by_its_newer_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"XLA_CLIENT_MEM_FRACTION": "0.9"})  # JAX refuses to have both
    Slot("gpu0.0", 1, "GPU-T4", GpuShare(4, 3_250_000_000, 16 * 10**9)).set_environment()
    assert os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.2031"
    assert "XLA_CLIENT_MEM_FRACTION" not in os.environ


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (GpuShare(4, 3_250_000_000, 16 * 10**9), [("limit", "GPU:0", 3099)]),  # 3.25e9 / 2**20 = 3099.4
        (GpuShare(2, None, 16 * 10**9), [("growth", "GPU:0", True)]),
        (None, [("growth", "GPU:0", True)]),
    ],
)
def test_tensorflow_is_bound_to_the_share(
    monkeypatch: pytest.MonkeyPatch, share: GpuShare | None, expected: list[tuple[str, str, Any]]
) -> None:
    monkeypatch.setattr(os, "environ", {})
    configured: list[tuple[str, str, Any]] = []
    config = SimpleNamespace(
        threading=SimpleNamespace(
            set_intra_op_parallelism_threads=lambda n_threads: None,
            set_inter_op_parallelism_threads=lambda n_threads: None,
        ),
        list_physical_devices=lambda kind: [f"{kind}:0"],
        experimental=SimpleNamespace(
            set_memory_growth=lambda gpu, enable: configured.append(("growth", gpu, enable)),
        ),
        LogicalDeviceConfiguration=lambda memory_limit: memory_limit,
        set_logical_device_configuration=lambda gpu, limits: configured.append(("limit", gpu, *limits)),
    )
    backend = SimpleNamespace(backend=lambda: "tensorflow")
    with monkeypatch.context() as stand_ins:
        stand_ins.setitem(sys.modules, "keras", SimpleNamespace(backend=backend))  # type: ignore[arg-type]
        stand_ins.setitem(sys.modules, "tensorflow", SimpleNamespace(config=config))  # type: ignore[arg-type]
        Slot("gpu0.0", 1, "GPU-T4", share).claim()
    assert configured == expected
