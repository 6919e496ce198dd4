from __future__ import annotations

import subprocess
import sys

import pytest

from tunefront.search.system.process_memory import process_memory

CODE = """
from tunefront.search.system.process_memory import process_memory, reset_peak_memory
before = process_memory("VmRSS")
block = bytearray(b"1") * 80_000_000
del block
print(process_memory("VmHWM") - before)
reset_peak_memory()
print(process_memory("VmHWM") - before)
"""


def test_the_peak_begins_anew_when_it_is_reset() -> None:
    if not process_memory("VmHWM"):
        pytest.skip("needs /proc")
    output = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    peak, after = map(int, output.split())
    assert peak > 79_000_000
    assert after < 20_000_000
