"""Processes of this machine."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tunefront.search.system.processes import CPUS_VARIABLE, n_cpus


def test_n_cpus_counts_what_this_process_may_use() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {0}); from tunefront.search.system.processes import n_cpus; print(n_cpus())"
    )
    assert 1 <= n_cpus() <= (os.cpu_count() or 1)
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"


@pytest.mark.parametrize(
    ("share", "expected"), [("1", 1), ("0", 1), ("2", 2), ("100", 3), ("", 3), ("all", 3), ("-2", 3)]
)
def test_n_cpus_is_a_share_of_what_is_seen(monkeypatch: pytest.MonkeyPatch, share: str, expected: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 5})
    monkeypatch.setenv(CPUS_VARIABLE, share)
    assert n_cpus() == expected
