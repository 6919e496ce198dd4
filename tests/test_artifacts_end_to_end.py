"""Two machines, one storage and one bucket, with Keras: a report that is written on a third machine has all models."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_here import tunefront_here
from tests.commands_apart import tiny_spec_text
from tests.s3_server import S3Server

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.timeout(300)]


def search(folder: Path, *arguments: str) -> str:
    """Search in a folder, as on a machine of its own: in a process that ends with it. Return what it printed."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tunefront", "run", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def run(folder: Path, *arguments: str) -> str:
    """Run another command of tunefront in a folder, and return all that it printed."""
    folder.mkdir(exist_ok=True)
    done = tunefront_here(folder, *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_report_of_a_third_machine_has_the_models_of_both(tmp_path: Path, s3_server: S3Server, bucket: str) -> None:
    storage, place = f"sqlite:///{tmp_path / 'shared.db'}", f"s3://{bucket}/team"
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    (tmp_path / "spec.toml").write_text(tiny_spec_text("tiny", trials=2, epochs=2))
    spec = str(tmp_path / "spec.toml")
    printed = search(first, spec, "--storage", storage, "--artifacts", place)
    printed += search(second, spec, "--storage", storage, "--trials", "4")  # the place is stored with the study

    kept: dict[str, bytes] = {}
    for machine in (first, second):
        kept |= {path.name: path.read_bytes() for path in (machine / "results/tiny/models").iterdir()}
        machine.rename(machine.with_name(f"{machine.name} is off"))
    printed += run(third, "report", "tiny", "--storage", storage, "--out", "page")
    brought = {path.name: path.read_bytes() for path in (third / "page/models").iterdir()}
    front = [int(number) for number in re.findall(r"(?m)^(\d+),", (third / "page/front.csv").read_text())]
    assert front
    endings = ("keras", "json", "predictions.npz", "worst.png")
    expected = {f"trial-{number}.{ending}" for number in front for ending in endings}
    assert set(brought) == expected
    assert brought == {name: kept[name] for name in expected}
    page = (third / "page/report.html").read_text()
    assert f'href="models/trial-{front[0]}.keras"' in page
    assert "kept elsewhere" not in page

    chosen = run(third, "select", "tiny", "--storage", storage, "--json")
    assert Path(json.loads(chosen[chosen.index("{") :])["model"]).is_relative_to(third / "results/tiny/models")
    assert "secret-of-tester" not in printed
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in everything if b"secret-of-tester" in path.read_bytes()] == []

    run(third, "delete", "tiny", "--storage", storage, "--yes")
    left = s3_server.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in left] == ["team/README.txt"]
