from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from tunefront.search.launching import machine
from tunefront.search.launching.gpus import Gpu
from tunefront.search.launching.slots import Slot

DESCRIPTION = machine.describe([Slot("cpu0", 1)], [], {}, "float32")


def test_describe_is_plain_data() -> None:
    slots = [Slot("gpu0", 2, "GPU-a"), Slot("gpu1", 2, "GPU-b")]
    gpus = [Gpu("GPU-a", "Card", 1), Gpu("GPU-b", "Card", 1)]
    described = machine.describe(slots, gpus, {"keras": "3.15", "backend": "tensorflow"}, "float32")
    assert json.loads(json.dumps(described)) == described
    assert described["gpus"] == ["Card", "Card"]
    assert described["slots"] == ["gpu0", "gpu1"]
    assert (described["threads_per_slot"], described["keras"], described["precision"]) == (2, "3.15", "float32")
    for key in ("host_name", "cpu", "os", "python", "optuna", "tunefront"):
        assert described[key]
    assert described["memory_bytes"] > 100e6


def test_load_average_and_memory_are_numbers() -> None:
    assert machine.load_average() >= 0
    assert 0 < machine.memory_bytes() <= psutil.virtual_memory().total


def test_host_key_is_the_same_in_another_process_of_this_machine() -> None:
    code = "from tunefront.search.launching import machine; print(machine.host_key())"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == machine.host_key()


def test_is_alive_of_this_process() -> None:
    assert machine.is_alive(os.getpid(), DESCRIPTION)
    assert machine.is_alive(os.getpid(), {"process_started_at": time.time()})  # by an older tunefront
    assert machine.is_alive(os.getpid(), {"process_started_at": psutil.Process().create_time()})


def test_is_alive_when_the_clock_was_set_since_the_process_started() -> None:
    # Systems tell the start of a process in seconds on a clock that moves with the machine's.
    assert machine.is_alive(os.getpid(), {**DESCRIPTION, "process_started_at": time.time() - 86400})


def test_is_alive_when_the_number_was_given_to_a_younger_process() -> None:
    assert not machine.is_alive(os.getpid(), {"process_started_at": psutil.Process().create_time() - 3600})
    assert not machine.is_alive(os.getpid(), {**DESCRIPTION, "process_ticks": DESCRIPTION["process_ticks"] - 1})


def test_is_alive_when_the_process_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert not machine.is_alive(process.pid, {"process_started_at": time.time()})


def test_is_alive_when_the_process_was_killed_and_nobody_has_asked_for_its_exit_code() -> None:
    # In a container whose first process reaps no children, a killed supervisor stays a zombie for ever.
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started_at = {"process_started_at": time.time()}
    assert machine.is_alive(process.pid, started_at)
    process.kill()
    deadline = time.monotonic() + 60
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
    try:
        assert not machine.is_alive(process.pid, started_at)
    finally:
        process.communicate()


@pytest.mark.skipif(not os.path.exists("/proc/cpuinfo"), reason="needs /proc/cpuinfo")
def test_describe_names_the_cpu() -> None:
    assert machine.describe([Slot("cpu0", 1)], [], {}, "float32")["cpu"] not in ("", "unknown")


def test_the_kind_of_a_device_is_the_slots_gpu_or_its_cpu_with_threads() -> None:
    gpus = [Gpu("GPU-1", "NVIDIA H100", 80), Gpu("GPU-2", "NVIDIA T4", 16)]
    assert machine.device_kind(Slot("gpu1", 4, "GPU-2"), gpus) == "NVIDIA T4"
    cpu = machine.describe([Slot("cpu0", 2)], [], {}, "float32")["cpu"]
    assert machine.device_kind(Slot("cpu0", 2), gpus) == f"{cpu}, 2 threads"
    assert machine.device_kind(Slot("cpu0", 1), []) == f"{cpu}, 1 thread"
