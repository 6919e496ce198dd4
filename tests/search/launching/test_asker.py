"""Children that answer one question for a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.search.data.pictures import pictures

pytestmark = pytest.mark.processes

FRAMEWORKS = {"keras", "tensorflow", "jax", "torch"}

_ASK = """
import json, sys
from tunefront.search.launching.asker import make_data_asker
from tests.search.launching.test_asker import look

if __name__ == "__main__":
    with make_data_asker(lambda *told: None) as asker:
        print(json.dumps(asker.ask(look, json.loads(sys.argv[1]))))
"""


def look(spec: Mapping[str, Any], progress: Any) -> dict[str, Any]:
    """Return what `tunefront data` does in its child, and the frameworks that this loaded."""
    from tunefront.search.preparation.prepare import _prepare_and_inspect

    report = _prepare_and_inspect(spec, progress)["report"]
    return {"loaded": sorted(FRAMEWORKS & set(sys.modules)), "splits": report["splits"]}


def asked(folder: Path, data: dict[str, Any]) -> Any:
    from tests.search.supervisor_fixture import make_spec

    (folder / "ask.py").write_text(_ASK)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, folder / "ask.py", json.dumps(make_spec(data=data).as_json())],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["folder", "table", "npz", "digits"])
def test_looking_at_data_of_files_and_arrays_loads_no_framework(tmp_path: Path, kind: str) -> None:
    import numpy as np

    folder = pictures(tmp_path / "images")
    data: dict[str, Any] = {"source": kind}
    if kind == "folder":
        data["path"] = str(folder)
    if kind == "table":
        rows = [f"{name}/{number}.png,{name}" for name in ("cat", "dog") for number in range(10)]
        (folder / "table.csv").write_text("\n".join(["file,label", *rows]))
        data["path"] = str(folder / "table.csv")
    if kind == "npz":
        images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
        np.savez(tmp_path / "arrays.npz", x=images, y=np.arange(20) % 2)
        data["path"] = str(tmp_path / "arrays.npz")
    answer = asked(tmp_path, data)
    assert answer["loaded"] == []
    assert sum(answer["splits"].values()) == (1797 if kind == "digits" else 20)
