"""The commands `submit` and `work`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.commands_apart import tiny_spec_text
from tests.storage.study_fixture import StudyFixture
from tests.tunefront.commands.conftest import Run
from tunefront.commands.fleet.work import UNFINISHED
from tunefront.search.fleet.work import GpuError, choose_gpus
from tunefront.search.launching.gpus import Gpu
from tunefront.storage import studies, trials
from tunefront.storage.control import processes, study_control
from tunefront.storage.database import schema
from tunefront.storage.database.connection import open_store
from tunefront.storage.open_study import OpenStudy


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--time-limit", "soon"], "--time-limit soon: "),
        (["--time-limit", "0"], "--time-limit 0: give a time above 0, such as 3h or 90min"),
        (["--slots-per-gpu", "0"], "--slots-per-gpu 0: give a whole number of at least 1, or auto"),
        (["--slots-per-gpu", "auto", "--slots", "4"], "both say how many trials run at a time: leave one out"),
        (["--data-root", "nowhere"], "--data-root nowhere: there is no such folder"),
        (
            ["--data-root", "~nobody-of-this-name/data"],
            "--data-root ~nobody-of-this-name/data: there is no such folder",
        ),
        (["--name", "x" * 101], f"--name {'x' * 101}: 101 characters are too many. Give at most 100"),
        (["--study", "smal"], "has no study 'smal'. It has none yet"),
        (["--out", "file/results"], "file/results cannot be written: file is a file"),
    ],
)
def test_a_mistake_is_told_before_anything_loads(run: Run, tmp_path: Path, arguments: list[str], expected: str) -> None:
    (tmp_path / "file").touch()
    open_store(f"sqlite:///{tmp_path / 'tunefront.db'}", is_writer=True)
    code, output, errors = run("work", *arguments)
    assert (code, output) == (2, "")
    assert expected in errors
    assert len(errors.splitlines()) == 1


def test_gpus_are_chosen_by_number_or_uuid() -> None:
    gpus = [Gpu(f"GPU-{letter}", "card", 1) for letter in "abc"]
    assert choose_gpus(gpus, "") == gpus
    assert choose_gpus(gpus, "2, GPU-a") == [gpus[2], gpus[0]]
    with pytest.raises(GpuError, match="--gpus 0,7: this machine has no GPU '7'; it has 3, numbered from 0"):
        choose_gpus(gpus, "0,7")
    with pytest.raises(
        GpuError, match="--gpus 1,GPU-b names a GPU twice: name each once, and let --slots-per-gpu share it"
    ):
        choose_gpus(gpus, "1,GPU-b")
    with pytest.raises(GpuError, match="--gpus 0: this machine has no GPU '0'; it has none"):
        choose_gpus([], "0")


def test_the_exit_code_says_whether_studies_are_left(
    run: Run, store_study: StudyFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("work", "--until-idle")[0] == 0  # nobody has submitted the study
    study = store_study.study
    study_control.submit(study)
    spec = json.dumps({**study.record.spec, "quantum": 1})
    with study.store.engine.begin() as connection:
        connection.execute(schema.studies.update().values(spec=spec))
    code, output, _ = run("work", "--until-idle", "--name", "anna")
    assert code == UNFINISHED == 75
    first, told, left, *steps = output.splitlines()
    assert first.startswith("worker anna: ")
    assert told.startswith("digits: this machine leaves the study to others: this tunefront cannot read its spec (")
    assert left.startswith("not over: digits. Every finished trial is kept")
    assert steps == ["next: tunefront work", "      tunefront status"]
    study_control.stop(study, "anna@north")
    assert run("work", "--until-idle")[0] == 0


def test_sigterm_and_the_time_limit_end_a_worker_that_waits(run: Run, store_study: StudyFixture) -> None:
    study_control.submit(store_study.study)
    study_control.pause(store_study.study, "anna@north")
    code, output, _ = run("work", "--time-limit", "0.1s")
    assert code == UNFINISHED
    assert "the time limit is reached: running trials go back to the queue ...\nnot over: digits." in output
    me = os.getpid()
    with contextlib.ExitStack() as stack:
        signaller = threading.Thread(target=lambda: (wait_for_worker(store_study), os.kill(me, signal.SIGTERM)))
        signaller.start()
        stack.callback(signaller.join)
        code, output, _ = run("work")
    assert code == UNFINISHED
    assert "stopping: running trials go back to the queue ...\nnot over: digits." in output


def wait_for_worker(fixture: StudyFixture) -> None:
    """Wait until a worker has told the store that it is there, which it does once it obeys signals."""
    while not processes.running_processes(fixture.study.store):
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.timeout(900)
def test_a_submitted_study_is_worked_on(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(tiny_spec_text("small", trials=1, epochs=1))
    assert call(tmp_path, "submit", "spec.toml", "--priority", "3") == (
        "submitted study small: 1 trial. Any worker takes trials of it from here on\n"
        "next: tunefront work\n      tunefront status small\n"
    )
    found = studies.find(open_store(f"sqlite:///{tmp_path / 'tunefront.db'}"), "small")
    assert found is not None
    control = study_control.read(found)
    assert (control.priority, control.is_submitted, trials.load(found)) == (3, True, [])
    lines = call(tmp_path, "work", "--until-idle", "--slots", "1")
    assert "small: the study is over: done\nno study is left with trials to run\n" in lines
    assert lines.endswith("next: tunefront report small\n      tunefront status\n")
    (trial,) = trials.load(OpenStudy(found.store, found.record))
    assert (trial.state, len(trial.epochs)) == ("complete", 1)
    assert (tmp_path / "results" / "small" / "study.json").exists()


def call(folder: Path, *arguments: str) -> str:
    """Run a command in a folder, and return its output."""
    done = subprocess.run(
        [sys.executable, "-m", "tunefront", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONSAFEPATH": "1", "COLUMNS": "200"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
