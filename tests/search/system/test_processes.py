"""Processes of this machine."""

from __future__ import annotations

import os
import subprocess
import sys

from tunefront.search.system.processes import n_cpus


def test_n_cpus_counts_what_this_process_may_use() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {0}); from tunefront.search.system.processes import n_cpus; print(n_cpus())"
    )
    assert 1 <= n_cpus() <= (os.cpu_count() or 1)
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"
