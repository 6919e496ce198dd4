"""End-to-end tests: `tunefront` with Keras, in processes of its own."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score

from tests import hostile
from tunefront.storage import answers, studies, trials
from tunefront.storage.database import schema
from tunefront.storage.database.connection import open_store
from tunefront.storage.trials import TrialRecord

ROOT = Path(__file__).parents[1]
PAGE = "results/tiny/report.html"
EXAMPLE = (ROOT / "examples" / "digits.toml").read_text()

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def spec_text(**changes: Any) -> str:
    """Return the example with other values for some of its top-level or [training] keys."""
    text = EXAMPLE
    for key, value in changes.items():
        text, n_changed = re.subn(rf"(?m)^{key} = [^#\n]*", f"{key} = {value}", text, count=1)
        assert n_changed == 1, key
    return text


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A function that starts `tunefront` in a process group of its own, as a terminal does; none outlives the test.

    Its current folder has modules of the names that it imports; none of them may run.
    """
    started: list[subprocess.Popen[str]] = []
    ran = hostile.fill(tmp_path)

    def start_command(*arguments: str, has_nohup: bool = False) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*(["nohup"] if has_nohup else []), sys.executable, "-m", "tunefront", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start_command
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not ran.exists(), ran.read_text()


def read_trials(folder: Path, name: str) -> list[TrialRecord]:
    store = open_store(f"sqlite:///{folder / 'tunefront.db'}")
    study = studies.find(store, name)
    assert study is not None
    return trials.load(study)


def wait_for_line(process: subprocess.Popen[str], pattern: str) -> str:
    """Read a process's output up to a line that matches, and return everything read."""
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if re.search(pattern, line):
            return read
    raise AssertionError(f"no line like {pattern!r} in:\n{read}")


def test_run_searches_with_two_supervisors_reports_and_keeps_models(start: Any, tmp_path: Path, keras: Any) -> None:
    (tmp_path / "tiny.toml").write_text(spec_text(name='"tiny"', trials=5, epochs=2))
    first = start("run", "tiny.toml", "--workers", "1")
    wait_for_line(first, r"^study tiny: 5 trials of up to 2 epochs")
    # The second process must see that the first one is alive, even if the database's clock is a minute behind.
    with open_store(f"sqlite:///{tmp_path / 'tunefront.db'}", is_writer=True).engine.begin() as connection:
        connection.execute(schema.workers.update().values(started_at=schema.workers.c.started_at - 60))
    second = start("run", "tiny.toml", "--workers", "1")
    for process in (second, first):
        output, _ = process.communicate()
        assert process.returncode == 0, output
        assert "Traceback" not in output
        assert "result refused" not in output

    folder = tmp_path / "results" / "tiny"
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "front.md", "front.csv", "trials.csv", "models", "logs"} <= names
    with (folder / "trials.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    first = ["trial", "state", "reason", "accuracy", "memory_bytes", "time_seconds", "on_front", "epochs"]
    assert rows[0][:8] == first
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "3", "4"]

    records = read_trials(tmp_path, "tiny")
    assert [record.state for record in records] == ["complete"] * 5
    assert [record.n_attempts for record in records] == [1] * 5
    for record in records:
        measured = record.measurements
        assert 0 <= measured["accuracy"] <= 1
        assert measured["accuracy"] == max(epoch.accuracy for epoch in record.epochs)
        assert len(record.epochs) == 2
        assert measured["model_bytes"] >= measured["weight_bytes"] == 4 * measured["n_parameters"]
        assert 0 < measured["train_seconds"] < measured["trial_seconds"]
        assert 0 < measured["compile_seconds"] < measured["trial_seconds"]
        assert 1e6 < measured["peak_bytes"] < 5e9
        assert bool(record.model_path) == ("latency_seconds" in measured)

    kept = [record for record in records if record.model_path]
    assert kept
    names = {Path(record.model_path).name for record in kept}
    endings = (".keras", ".json", ".predictions.npz", ".worst.png")
    beside = {name.replace(".keras", ending) for name in names for ending in endings}
    assert beside == {p.name for p in folder.glob("models/*")}
    split = _prepared(tmp_path).split("validation")
    with (folder / "classes.csv").open(newline="") as file:
        classes = [row["class"] for row in csv.DictReader(file)]
    assert ", ".join(classes) in (folder / "report.html").read_text()
    for record in kept:
        card = json.loads(Path(record.model_path).with_suffix(".json").read_text())
        assert card["class_names"] == classes == list(_prepared(tmp_path).class_names)
        assert card["measurements"]["accuracy"] == record.measurements["accuracy"]
        assert (card["trial"], card["input"]["shape"], card["versions"]["keras"]) == (
            record.number,
            [8, 8, 1],
            keras.__version__,
        )
        model = keras.models.load_model(record.model_path)
        probabilities = np.asarray(model.predict(np.array(split.images), verbose=0))
        predicted = probabilities.argmax(axis=1)
        assert float((predicted == split.labels).mean()) == pytest.approx(record.measurements["accuracy"], abs=1e-6)
        _check_class_answers(folder, record.number, split.labels, probabilities)
        _check_predictions(Path(record.model_path), "validation", split.labels, probabilities)

    again = start("run", "tiny.toml")
    output, _ = again.communicate()
    assert again.returncode == 0, output
    assert [record.n_attempts for record in read_trials(tmp_path, "tiny")] == [1] * 5


def _check_class_answers(folder: Path, number: int, labels: Any, probabilities: Any) -> None:
    """Hold what the report has of a kept model's answers against scikit-learn's scores of its predictions."""
    pairs = pd.read_csv(folder / "confusion.csv")
    scores = pd.read_csv(folder / "class_scores.csv")
    pairs, scores = pairs[pairs["trial"] == number], scores[scores["trial"] == number]
    matrix = np.zeros((10, 10), dtype=int)
    matrix[pairs["class"], pairs["taken_for"]] = pairs["images"]
    assert matrix.tolist() == confusion_matrix(labels, probabilities.argmax(axis=1)).tolist()
    areas = [roc_auc_score(labels == each, probabilities[:, each]) for each in range(10)]
    assert scores["auc"].tolist() == pytest.approx(areas, abs=1e-6)


def _check_predictions(model: Path, split: str, labels: Any, probabilities: Any) -> None:
    """Hold the file of answers beside a kept model against its predictions."""
    with np.load(model.with_suffix(".predictions.npz"), allow_pickle=False) as found:
        assert found["split"] == split
        assert found["labels"].tolist() == labels.tolist()
        assert found["probabilities"] == pytest.approx(probabilities, abs=1e-3)
        assert all(probabilities[row].argmax() != labels[row] for row in found["worst"])


def _prepared(folder: Path) -> Any:
    from tunefront.search.data.dataset import Dataset

    (prepared,) = (folder / "cache" / "tunefront").glob("digits-*")
    return Dataset.read(prepared)


def test_ctrl_c_before_the_first_trial_says_how_to_start_again(start: Any, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(spec_text())
    process = start("run", "study.toml", "--workers", "1")
    wait_for_line(process, "loading Keras")
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130, output
    assert "nothing is lost. Start again with:\n  tunefront run study.toml --workers 1" in output
    assert "Traceback" not in output
    assert not (tmp_path / "tunefront.db").exists()


def test_ctrl_c_stops_what_runs_and_the_same_command_goes_on(start: Any, tmp_path: Path) -> None:
    (tmp_path / "longer.toml").write_text(spec_text(name='"longer"', trials=4, epochs=8))
    process = start("run", "longer.toml", "--workers", "2")
    wait_for_line(process, r"trial \d: (complete|pruned)")
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    output, _ = process.communicate()
    assert process.returncode == 130, output
    assert "stopping" in output
    assert "Go on with:" in output
    assert "run longer.toml --workers 2" in output
    assert "Traceback" not in output
    assert (tmp_path / "results" / "longer" / "trials.csv").exists()
    before = read_trials(tmp_path, "longer")
    assert {record.state for record in before} <= {"complete", "pruned", "waiting"}
    n_waiting = sum(record.state == "waiting" for record in before)
    assert n_waiting >= 1
    _, living = psutil.wait_procs(children, timeout=60)
    assert living == []

    # Under nohup it goes on when its terminal is closed.
    process = start("run", "longer.toml", "--workers", "2", has_nohup=True)
    begun = wait_for_line(process, "^going on: ")
    n_done = sum(record.state in ("complete", "pruned") for record in before)
    assert f"going on: {n_done} of 4 are done" in begun
    os.killpg(process.pid, signal.SIGHUP)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    after = read_trials(tmp_path, "longer")
    assert [record.number for record in after] == [0, 1, 2, 3]
    assert {record.state for record in after} <= {"complete", "pruned"}
    assert sum(record.n_attempts == 2 for record in after) == n_waiting
    for one, other in zip(before, after, strict=False):
        assert one.parameters == other.parameters  # the same candidates under the same numbers


def test_run_refuses_before_it_writes_when_a_limit_excludes_everything(start: Any, tmp_path: Path) -> None:
    text = spec_text(name='"tiny"').replace(
        'memory = "model_bytes"', 'memory = { measure = "model_bytes", at_most = "100 B" }'
    )
    (tmp_path / "tiny.toml").write_text(text)
    process = start("run", "tiny.toml")
    output, _ = process.communicate()
    assert process.returncode == 2, output
    assert "tiny.toml: objectives.memory: its limit excludes everything" in output
    assert "Traceback" not in output
    assert not (tmp_path / "tunefront.db").exists()
    assert not (tmp_path / "results").exists()


def test_a_full_disk_costs_the_models_and_says_so(start: Any, tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "tiny.toml").write_text(
        spec_text(name='"tiny"', trials=1, epochs=1).replace("at_least = 0.5", "at_least = 0")
    )
    process = start("run", "tiny.toml", "--workers", "1", "--out", str(small_disk / "results"))
    output, _ = process.communicate()
    assert process.returncode == 2, output
    last = output.splitlines()[-1]
    assert last.startswith(f"tunefront: {small_disk}/results/report.html: No space left on device.")
    assert "make room there" in last
    assert "Traceback" not in output
    (record,) = read_trials(tmp_path, "tiny")
    assert record.state == "complete"
    expected = "complete, but its model was not kept: OSError: [Errno 28] No space left on device"
    assert record.reason.endswith(expected)


def test_confirm_trains_the_front_again_and_opens_the_test_split(start: Any, tmp_path: Path, keras: Any) -> None:
    (tmp_path / "tiny.toml").write_text(
        spec_text(name='"tiny"', trials=3, epochs=1).replace("at_least = 0.5", "at_least = 0")
    )
    searching = start("run", "tiny.toml", "--workers", "2")
    output, _ = searching.communicate()
    assert searching.returncode == 0, output
    # It ends with the model that `select` takes, and with what to do next.
    selected = start("select", "tiny").communicate()[0].partition("next:")[0]
    # On a busy machine a line says what it waits for.
    verdict = "".join(line for line in selected.splitlines(keepends=True) if not line.endswith(" ...\n"))
    assert output.endswith(f"\n{verdict}next: tunefront confirm tiny\n      tunefront dashboard\n      open {PAGE}\n")

    process = start("confirm", "tiny", "--seeds", "2", "--near", "0")
    wait_for_line(process, r"trial 0: complete")
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130, output
    assert "tunefront confirm tiny --seeds 2 --near 0" in output
    process = start("confirm", "tiny", "--seeds", "2", "--near", "0")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "tiny: confirmed" in output
    assert "next: tunefront deploy tiny\n" in output
    assert "Traceback" not in output

    searched = read_trials(tmp_path, "tiny")
    trainings = read_trials(tmp_path, "tiny.confirmation")
    assert not any(name.startswith("test_") for record in searched for name in record.measurements)
    assert {record.state for record in trainings} == {"complete"}
    assert len(trainings) >= 2
    for record in trainings:
        assert record.measurements["other_slots_busy"] == 0
        assert {"test_accuracy", "test_loss", "test_f1_macro"} <= record.measurements.keys()

    store = open_store(f"sqlite:///{tmp_path / 'tunefront.db'}")
    study = studies.find(store, "tiny.confirmation")
    assert study is not None
    for split, prefix in (("test", "test_"), ("validation", "")):
        found = answers.load(study, split)
        for record in trainings:
            assert found[record.number].labels == _prepared(tmp_path).split(split).labels.tolist()
            share = np.mean(np.array(found[record.number].chosen) == found[record.number].labels)
            assert share == pytest.approx(record.measurements[f"{prefix}accuracy"])
            assert len(found[record.number].curves) == (10 if split == "test" else 0)

    kept = [record for record in trainings if record.model_path]
    assert kept
    test = _prepared(tmp_path).split("test")
    for record in kept:
        model = keras.models.load_model(record.model_path)
        probabilities = np.asarray(model.predict(np.array(test.images), verbose=0))
        share = float((probabilities.argmax(axis=1) == test.labels).mean())
        assert share == pytest.approx(record.measurements["test_accuracy"], abs=1e-6)
        _check_predictions(Path(record.model_path), "test", test.labels, probabilities)

    folder = tmp_path / "results" / "tiny"
    assert {path.name for path in folder.glob("confirmation/models/*.keras")} == {
        Path(record.model_path).name for record in kept
    }
    with (folder / "confirmed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["n_trainings"] for row in rows} == {"2"}
    assert {row["times_are_shared"] for row in rows} == {"False"}
    assert {row["compared_by_image"] for row in rows} == {"True"}
    assert {row["on_front_for_sure"] for row in rows} == {"False"}  # two seeds are too few for certainty
    assert '<section id="confirmation">' in (folder / "report.html").read_text()

    number = next(int(row["trial"]) for row in rows)
    process = start("retrain", "tiny", str(number), "--json")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    card = json.loads((folder / "retrained" / f"trial-{number}.json").read_text())
    assert card["is_retrained"]
    trained = card["trained_on"]
    assert (trained["splits"], trained["n_examples"], trained["epochs"]) == (["train", "validation"], 1438, 1)
    assert trained["why_epochs"] == "the mean of its best epochs with 2 seeds (1, 1) is 1"
    model = keras.models.load_model(folder / "retrained" / f"trial-{number}.keras")
    predicted = np.asarray(model.predict(np.array(test.images), verbose=0)).argmax(axis=1)
    assert card["scores"]["test"]["value"] == pytest.approx(float((predicted == test.labels).mean()), abs=1e-6)
    assert card["scores"].keys() == {"test"}
    assert {path.name for path in (folder / "retrained").iterdir()} == {
        f"trial-{number}.{end}" for end in ("keras", "json")
    }
    assert len(read_trials(tmp_path, "tiny")) == len(searched)  # it is no trial
