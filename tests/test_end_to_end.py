"""End to end: a search by two supervisors, and the confirmation and the retraining of what it found."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score

from tests.commands_apart import Start, commands_in, prepared, read_trials, spec_text, wait_for_line
from tunefront.storage import answers, studies
from tunefront.storage.database import schema
from tunefront.storage.database.connection import open_store

PAGE = "results/tiny/report.html"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Start]]:
    """A folder in which two supervisors have searched, and a function that starts more commands there."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch, commands_in(folder) as start:
        for name in ("TUNEFRONT_STORAGE", "TUNEFRONT_ARTIFACTS"):
            patch.delenv(name, raising=False)
        _search(folder, start)
        yield folder, start


def _search(folder: Path, start: Start) -> None:
    (folder / "tiny.toml").write_text(
        spec_text(name='"tiny"', trials=4, epochs=2).replace("at_least = 0.5", "at_least = 0")
    )
    first = start("run", "tiny.toml", "--workers", "1")
    wait_for_line(first, r"^study tiny: 4 trials of up to 2 epochs")
    # The second process must see that the first one is alive, even if the database's clock is a minute behind.
    with open_store(f"sqlite:///{folder / 'tunefront.db'}", is_writer=True).engine.begin() as connection:
        connection.execute(schema.workers.update().values(started_at=schema.workers.c.started_at - 60))
    second = start("run", "tiny.toml", "--workers", "1")
    for process in (second, first):
        output, _ = process.communicate()
        assert process.returncode == 0, output
        assert "Traceback" not in output
        assert "result refused" not in output


def test_run_searches_with_two_supervisors_reports_and_keeps_models(searched: tuple[Path, Start], keras: Any) -> None:
    apart, start = searched
    folder = apart / "results" / "tiny"
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "front.md", "front.csv", "trials.csv", "models", "logs"} <= names
    with (folder / "trials.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    first = ["trial", "state", "reason", "accuracy", "memory_bytes", "time_seconds", "on_front", "epochs"]
    assert rows[0][:8] == first
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "3"]

    records = read_trials(apart, "tiny")
    assert [record.state for record in records] == ["complete"] * 4
    assert [record.n_attempts for record in records] == [1] * 4
    for record in records:
        measured = record.measurements
        assert 0 <= measured["accuracy"] <= 1
        assert measured["accuracy"] == max(epoch.accuracy for epoch in record.epochs)
        assert len(record.epochs) == 2
        assert measured["model_bytes"] >= measured["weight_bytes"] == 4 * measured["n_parameters"]
        assert 0 < measured["train_seconds"] < measured["trial_seconds"]
        assert 0 < measured["compile_seconds"] < measured["trial_seconds"]
        assert 1e6 < measured["peak_bytes"] < 5e9
        assert not record.model_path or "latency_seconds" in measured

    kept = [record for record in records if record.model_path]
    front = pd.read_csv(folder / "front.csv")["trial"].tolist()
    assert sorted(front) == [record.number for record in kept]
    names = {Path(record.model_path).name for record in kept}
    endings = (".keras", ".json", ".predictions.npz", ".worst.png")
    beside = {name.replace(".keras", ending) for name in names for ending in endings}
    assert beside == {p.name for p in folder.glob("models/*")}
    split = prepared(apart).split("validation")
    with (folder / "classes.csv").open(newline="") as file:
        classes = [row["class"] for row in csv.DictReader(file)]
    assert ", ".join(classes) in (folder / "report.html").read_text()
    for record in kept:
        card = json.loads(Path(record.model_path).with_suffix(".json").read_text())
        assert card["class_names"] == classes == list(prepared(apart).class_names)
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
    # It ends with the model that `select` takes, and with what to do next.
    selected = start("select", "tiny").communicate()[0].partition("next:")[0]
    # On a busy machine a line says what it waits for.
    verdict = "".join(line for line in selected.splitlines(keepends=True) if not line.endswith(" ...\n"))
    assert output.endswith(f"\n{verdict}next: tunefront confirm tiny\n      tunefront dashboard\n      open {PAGE}\n")
    assert [record.n_attempts for record in read_trials(apart, "tiny")] == [1] * 4


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


def test_confirm_trains_the_front_again_and_opens_the_test_split(searched: tuple[Path, Start], keras: Any) -> None:
    apart, start = searched
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

    searched_trials = read_trials(apart, "tiny")
    trainings = read_trials(apart, "tiny.confirmation")
    assert not any(name.startswith("test_") for record in searched_trials for name in record.measurements)
    assert {record.state for record in trainings} == {"complete"}
    assert len(trainings) >= 2
    for record in trainings:
        assert record.measurements["other_slots_busy"] == 0
        assert {"test_accuracy", "test_loss", "test_f1_macro"} <= record.measurements.keys()

    store = open_store(f"sqlite:///{apart / 'tunefront.db'}")
    study = studies.find(store, "tiny.confirmation")
    assert study is not None
    for split, prefix in (("test", "test_"), ("validation", "")):
        found = answers.load(study, split)
        for record in trainings:
            assert found[record.number].labels == prepared(apart).split(split).labels.tolist()
            share = np.mean(np.array(found[record.number].chosen) == found[record.number].labels)
            assert share == pytest.approx(record.measurements[f"{prefix}accuracy"])
            assert len(found[record.number].curves) == (10 if split == "test" else 0)

    kept = [record for record in trainings if record.model_path]
    assert kept
    test = prepared(apart).split("test")
    for record in kept:
        model = keras.models.load_model(record.model_path)
        probabilities = np.asarray(model.predict(np.array(test.images), verbose=0))
        share = float((probabilities.argmax(axis=1) == test.labels).mean())
        assert share == pytest.approx(record.measurements["test_accuracy"], abs=1e-6)
        _check_predictions(Path(record.model_path), "test", test.labels, probabilities)

    folder = apart / "results" / "tiny"
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
    best = [
        int(record.measurements["best_epoch"])
        for record in trainings
        if record.parameters == searched_trials[number].parameters
    ]
    assert len(best) == 2
    assert (trained["splits"], trained["n_examples"]) == (["train", "validation"], 1438)
    assert abs(trained["epochs"] - sum(best) / 2) <= 0.5
    told = f"the mean of its best epochs with 2 seeds ({best[0]}, {best[1]}) is "
    assert trained["why_epochs"].startswith(told), trained["why_epochs"]
    model = keras.models.load_model(folder / "retrained" / f"trial-{number}.keras")
    predicted = np.asarray(model.predict(np.array(test.images), verbose=0)).argmax(axis=1)
    assert card["scores"]["test"]["value"] == pytest.approx(float((predicted == test.labels).mean()), abs=1e-6)
    assert card["scores"].keys() == {"test"}
    assert {path.name for path in (folder / "retrained").iterdir()} == {
        f"trial-{number}.{end}" for end in ("keras", "json")
    }
    assert len(read_trials(apart, "tiny")) == len(searched_trials)  # it is no trial
