"""Studies from Python: they import little, run without a guard, and agree with the commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import tunefront
from tests.reports.report_fixture import ReportFixture
from tests.storage.deployment.test_deployed import VARIANT
from tests.storage.study_fixture import StudyFixture
from tunefront import runner
from tunefront.search.spec.file import read_spec
from tunefront.search.supervisor.end_reason import Ending
from tunefront.spaces.start_candidates import start_parameters, start_table
from tunefront.storage.database.locks import StoreError
from tunefront.storage.deployment import deployed
from tunefront.study import StudyError, find_study

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
print(study.select(at_most={"memory": "10 MB"}))
number = study.select().number
model = study.model(number)
print(model.output_shape, model.count_params(), study.trials()["n_parameters"][number], study.candidate(number))
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


@pytest.mark.slow  # tests/test_python_page.py runs a script from a file
def test_run_needs_no_guard_around_it_when_the_script_comes_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    done = python(tmp_path, "-", standard_input=SCRIPT)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ran.txt").read_text() == "ran\n"
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Take trial ")
    shape, parameters = "(None, 10)", 4 * 9 + 4 + 10 * (4 * 4 * 4) + 10  # one block of 4 filters, pooled to 4x4, a head
    assert any(line.startswith(f"{shape} {parameters} {parameters} ") for line in lines), lines
    assert lines[-1].startswith("2 ")
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


@pytest.fixture
def study(tmp_path: Path) -> tunefront.Study:
    """A study of two models, the second of which is small and less accurate; no model was kept."""
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.95, 80_000, 8.0)
    fixture.complete(0.80, 5_000, 0.5)
    return tunefront.load_study("digits", storage=fixture.store.url)


def test_a_model_is_selected_under_limits(study: tunefront.Study) -> None:
    assert study.select().number == 0
    found = study.select(at_most={"memory": "10 kB", "train_seconds": 1.0}, at_least={"accuracy": 0.5})
    assert found.number == 1
    assert found.values == {"accuracy": 0.80, "model_bytes": 5_000, "train_seconds": 0.5}
    assert str(found).startswith("Take trial 1: accuracy 80.00 ± 4.7 %, memory 5 kB, training time 500 ms.")
    assert "as the search saw it, once" in str(found)
    with pytest.raises(StudyError, match="no preference 'memry'. Did you mean 'memory'"):
        study.select(prefer="memry")  # type: ignore[arg-type]
    with pytest.raises(tunefront.TunefrontError, match="no width 'duble'. Did you mean 'double'"):
        study.save_figure("front", "front.pdf", width="duble")  # type: ignore[arg-type]
    with pytest.raises(StudyError, match=r"Loosen memory to at most 5 kB \(now 1 kB\)"):
        study.select(at_most={"memory": 1000})
    with pytest.raises(tunefront.TunefrontError, match="Did you mean 'memory'"):
        study.select(at_most={"memry": 1000})


def test_a_file_is_selected_for_a_device(study: tunefront.Study) -> None:
    with pytest.raises(StudyError, match="Nothing was deployed: 'tunefront deploy digits'"):
        study.select(device="stm32_blue_pill")
    measures = {"file_bytes": 4000, "litert_latency_seconds": 2e-5, "arena_bytes": 3000}
    searched = find_study(study.storage, study.name, is_writer=True)
    deployed.save(searched, replace(VARIANT, trial=1, file="trial-1.int8.tflite", measures=measures))
    for found in (study.select(device="stm32_blue_pill"), study.select(at_most={"file_bytes": "5 kB"})):
        assert (found.number, found.variant) == (1, "int8")
        assert found.path == "results/digits/deployed/trial-1.int8.tflite"
        assert found.values["accuracy"] == 0.975
    assert study.select().variant == ""
    with pytest.raises(tunefront.TunefrontError, match="there is no device 'blue'"):
        study.select(device="blue")


def test_a_model_that_was_not_kept_and_a_trial_that_is_not_there(study: tunefront.Study) -> None:
    with pytest.raises(StudyError, match="the model of trial 0 was not kept.*'tunefront retrain digits 0' trains it"):
        study.model(0)
    with pytest.raises(StudyError, match="has no trial 7"):
        study.model(7)


def test_every_epoch_is_a_row(study: tunefront.Study) -> None:
    curves = study.curves()
    assert curves["trial"].tolist() == [0, 0, 0, 1, 1, 1]
    assert curves["epoch"].tolist() == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize("name", ["front", "memory-accuracy", "learning_curves", "learning-curves", "loss-curves"])
def test_figures(study: tunefront.Study, name: str) -> None:
    assert study.figure(name).data
    with pytest.raises(StudyError, match="Did you mean 'front'"):
        study.figure("frnt")


def test_a_notebook_shows_the_front_as_a_table(study: tunefront.Study) -> None:
    shown = study._repr_html_()
    assert shown.startswith("<p><b>digits: 2 models on the front</b></p>")
    rows = [re.findall("<t[hd]>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", shown)]
    assert [row[:5] for row in rows] == [
        ["trial", "accuracy", "memory (model_bytes)", "time (train_seconds)", "epochs"],
        ["0", "95.00 %", "80 kB", "8 s", "3"],
        ["1", "80.00 %", "5 kB", "500 ms", "3"],
    ]


def test_a_candidate_is_a_start_of_another_study(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(SPEC.replace('augmentation = "none"', 'augmentation = ["none", "light"]'))
    spec = read_spec(tmp_path / "spec.toml")
    parameters = {"augmentation.level": "light", "optimizer.name": "adam", "adam.learning_rate": 0.005}
    table = start_table(spec.parsed_space(), parameters)
    assert table == {"augmentation": "light", "optimizer": "adam", "adam": {"learning_rate": 0.005}}
    assert start_parameters(spec.parsed_space(), table, 1) == parameters


def test_a_study_that_is_not_there_is_told_with_those_that_are(fixture: StudyFixture) -> None:
    with pytest.raises(StudyError, match=f"has no study 'none'. Known: {fixture.record.name}"):
        tunefront.load_study("none", storage=fixture.store.url)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        _ = tunefront.walk  # type: ignore[attr-defined]
    assert {"run", "load_study", "Study", "__version__"} <= set(dir(tunefront))


def test_a_password_in_an_address_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    with pytest.raises(StoreError, match="cannot be opened"):
        tunefront.run(tmp_path / "spec.toml", storage="postgresql+psycopg://anna:s3cret@127.0.0.1:1/db")
    errors = capsys.readouterr().err
    assert "?passfile=" in errors
    assert "s3cret" not in errors


def test_ctrl_c_while_the_storage_is_away_is_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    url, path = f"sqlite:///{tmp_path / 'tunefront.db'}", tmp_path / "tunefront.db"

    def run_until_ctrl_c(*_: object, **__: object) -> Ending:
        path.touch()  # what is there is no storage any more
        return Ending.INTERRUPTED

    monkeypatch.setattr(runner, "run_spec", run_until_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        tunefront.run(tmp_path / "spec.toml", storage=url)
    assert "there is no report now: 'tunefront report mine' writes it later" in capsys.readouterr().err
