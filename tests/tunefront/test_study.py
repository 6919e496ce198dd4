"""Studies from Python: they import little, run without a guard, and agree with the commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import tunefront
from tests.storage.study_fixture import StudyFixture
from tunefront.study import StudyError

SPEC = """
name = "mine"
trials = 2
[data]
source = "digits"
[space]
architecture = "plain_cnn"
plain_cnn = { n_blocks = 1, filters = 4, dense_units = 0 }
augmentation = "none"
batch_size = 256
[training]
epochs = 1
"""

# The script has no ``if __name__ == "__main__"``. A child process that ran it again would write another line.
SCRIPT = """
with open("ran.txt", "a") as file:
    file.write("ran\\n")

import tunefront

study = tunefront.run("spec.toml", slots=1)
print(len(study.trials()), sorted(study.front().columns)[:2])
"""


def python(folder: Path, *arguments: str, standard_input: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "COLUMNS": "200"},
        input=standard_input,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("way", ["script", "standard input"])
def test_run_needs_no_guard_around_it(tmp_path: Path, way: str) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    (tmp_path / "script.py").write_text(SCRIPT)
    done = python(tmp_path, "script.py") if way == "script" else python(tmp_path, "-", standard_input=SCRIPT)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ran.txt").read_text() == "ran\n"
    assert done.stdout.splitlines()[-1].startswith("2 ")
    assert (tmp_path / "results" / "mine" / "report.html").exists()
    study = tunefront.load_study("mine", storage=f"sqlite:///{tmp_path / 'tunefront.db'}")
    on_disk = pd.read_csv(tmp_path / "results" / "mine" / "trials.csv")
    assert list(study.trials().columns) == list(on_disk.columns)
    assert study.trials()["accuracy"].tolist() == pytest.approx(on_disk["accuracy"].tolist())


def test_importing_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, tunefront; print(tunefront.__version__, tunefront.run.__name__, tunefront.Study.__name__); "
        "print({'tensorflow', 'keras', 'pandas', 'numpy', 'optuna', 'sqlalchemy', 'rich', 'typer'} & set(sys.modules))"
    )
    done = python(tmp_path, "-c", code)
    assert done.stdout.splitlines()[1:] == ["set()"], done.stdout + done.stderr
    assert done.stdout.startswith("0.")


@pytest.fixture
def fixture(tmp_path: Path) -> StudyFixture:
    return StudyFixture.make(f"sqlite:///{tmp_path / 'tunefront.db'}")


def test_a_study_is_read_as_the_store_has_it(fixture: StudyFixture, tmp_path: Path) -> None:
    fixture.finish(fixture.lease())
    study = tunefront.load_study(fixture.record.name, storage=fixture.store.url)
    assert study.trials()["trial"].tolist() == study.front()["trial"].tolist() == [0]
    page = study.report(tmp_path / "out")
    assert page == tmp_path / "out" / "report.html"
    assert page.exists()
    assert fixture.store.url not in repr(study)


def test_a_study_that_is_not_there_is_told_with_those_that_are(fixture: StudyFixture) -> None:
    with pytest.raises(StudyError, match=f"has no study 'none'. It has: {fixture.record.name}"):
        tunefront.load_study("none", storage=fixture.store.url)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        _ = tunefront.walk  # type: ignore[attr-defined]
    assert {"run", "load_study", "Study", "__version__"} <= set(dir(tunefront))
