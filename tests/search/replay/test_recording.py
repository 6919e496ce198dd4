"""Recorded trainings are written and read, whatever their parameters are."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import optuna
import pandas as pd
import pytest

from tests.search.recorded import recording, training
from tests.search.replay.recorded_study import make_study, train_all
from tests.storage.study_fixture import DATASET
from tunefront.search.replay.recording import (
    Recording,
    read_recording,
    write_recording,
)
from tunefront.search.replay.recording_study import enqueue_candidates
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome


@pytest.mark.parametrize("name", ["table.csv.gz", "table.csv"])
def test_what_is_written_is_read(recorded_study: OpenStudy, any_folder: Path, name: str) -> None:
    study = recorded_study
    path = any_folder / "new folder" / name
    assert write_recording(study, path) == 3  # one failed, and one is still queued
    assert list(path.parent.iterdir()) == [path]
    found = read_recording(path)
    assert found.spec == StudySpec.from_json(study.record.spec)
    assert (found.dataset, found.machines, found.n_failed) == (DATASET, [], 1)
    assert [(trial.candidate, trial.seed) for trial in found.trials] == [(0, 0), (1, 0), (3, 0)]
    second = found.trials[1]
    assert second.measurements == {"accuracy": 0.12, "model_bytes": 1001.0, "train_seconds": 0.75}
    assert [(each.epoch, each.accuracy, each.train_seconds, each.validation_seconds) for each in second.curve] == [
        (1, 0.1, 0.25, 0.125), (2, 0.11, 0.25, 0.125), (3, 0.12, 0.25, 0.125),
    ]  # fmt: skip
    assert [each.metrics for each in second.curve] == [{"accuracy": 0.5}, {"accuracy": 0.6}, {"accuracy": 0.7}]
    written = [trial for trial in study.optuna.get_trials() if trial.user_attrs["candidate"] == 1]
    assert second.parameters == written[0].params


def test_a_table_without_training_accuracies_is_read(recorded_study: OpenStudy, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_recording(recorded_study, path)
    first, table = path.read_text().split("\n", 1)
    columns = pd.read_csv(io.StringIO(table), keep_default_na=False).drop(columns="training_accuracy_by_epoch")
    path.write_text(f"{first}\n{columns.to_csv(index=False)}")
    found = read_recording(path).trials
    assert [each.accuracy for each in found[1].curve] == [0.1, 0.11, 0.12]
    assert [each.metrics for each in found[1].curve] == [{}, {}, {}]


def test_without_a_complete_training_there_is_no_table(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    enqueue_candidates(study, n_candidates=1, n_repeated=0, n_seeds=1)
    train_all(study, [Outcome.FAILED])
    assert write_recording(study, tmp_path / "table.csv") == 0
    assert not (tmp_path / "table.csv").exists()


def test_a_link_is_replaced_and_not_followed(recorded_study: OpenStudy, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    for name in ("table.csv", ".table.csv"):
        (tmp_path / name).symlink_to("theirs")
    assert write_recording(recorded_study, tmp_path / "table.csv") == 3
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert not (tmp_path / "table.csv").is_symlink()


def test_the_same_study_is_written_as_the_same_bytes(recorded_study: OpenStudy, tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        write_recording(recorded_study, tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_a_parameter_that_a_candidate_does_not_have_is_missing(recorded_study: OpenStudy, tmp_path: Path) -> None:
    study = recorded_study
    write_recording(study, tmp_path / "table.csv")
    first = study.optuna.get_trials()[:4]
    params = {trial.user_attrs["candidate"]: trial.params for trial in first}
    for trial in read_recording(tmp_path / "table.csv").trials:
        assert trial.parameters == params[trial.candidate]
        assert ("sgd.learning_rate" in trial.parameters) == (trial.parameters["optimizer.name"] == "sgd")


def suggest_norm(trial: optuna.Trial) -> None:
    trial.suggest_categorical("net.norm", ["None", "NA", "nan"])


def test_a_value_that_reads_as_missing_elsewhere_is_kept(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    for value in ("None", "NA", "nan"):
        study.optuna.enqueue_trial({"net.norm": value})
    train_all(study, [Outcome.COMPLETE] * 3, suggest_norm)
    write_recording(study, tmp_path / "table.csv")
    found = [trial.parameters["net.norm"] for trial in read_recording(tmp_path / "table.csv").trials]
    assert found == ["None", "NA", "nan"]


# Names and choices that a spreadsheet would take for formulas -> the text that is written for them.
FORMULAS = {
    "=cmd()": "=1+1",
    "'=cmd()": "'=1+1",
    "net.-x": "-relu",
    "@sum": "plain",
    "=net.kind": "+",
    "net.tab": "\ta",
    "net.return": "a\r=1",
    "net.blank": " =1",
    "net.low": -3,
}


def test_formulas_are_safe_in_a_table_and_come_back_as_they_were(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    study.optuna.enqueue_trial(FORMULAS)
    train_all(study, [Outcome.COMPLETE], lambda trial: [trial.suggest_categorical(n, [v]) for n, v in FORMULAS.items()])
    write_recording(study, tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        file.readline()
        header, row = csv.reader(file)
    assert [cell for cell in (*header, *row) if cell[:1] in tuple("=+-@\t\r")] == ["-3"]
    (found,) = read_recording(tmp_path / "table.csv").trials
    assert found.parameters == FORMULAS


OWN = {"seed": 5, "accuracy": 0.25, "accuracy_by_epoch": "linear", "kind": "wide", "parameter.seed": 6, "net.units": 8}


def test_parameters_of_an_own_space_are_read_whatever_their_names_are(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    study.optuna.enqueue_trial(OWN)
    train_all(study, [Outcome.COMPLETE], lambda trial: [trial.suggest_categorical(n, [v]) for n, v in OWN.items()])
    write_recording(study, tmp_path / "table.csv")
    (found,) = read_recording(tmp_path / "table.csv").trials
    assert found.parameters == OWN
    assert (found.seed, found.measurements["accuracy"]) == (0, 0.02)
    assert [each.accuracy for each in found.curve] == [0.0, 0.01, 0.02]


def test_a_table_is_replaced_only_by_a_whole_one(
    recorded_study: OpenStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.csv.gz"
    path.write_text("old")

    def fail(*_: object, **__: object) -> bytes:
        raise OSError("no space left")

    monkeypatch.setattr(gzip, "compress", fail)
    with pytest.raises(OSError, match="no space left"):
        write_recording(recorded_study, path)
    assert path.read_text() == "old"


# Seeds


def test_one_seed_each_is_the_one_asked_for_or_the_first() -> None:
    curve = [0.1, 0.2]
    found: Recording = recording(
        training(4, curve, seed=1), training(4, curve), training(2, curve), training(7, curve, seed=2)
    )
    assert [(trial.candidate, trial.seed) for trial in found.one_seed_each()] == [(2, 0), (4, 0), (7, 2)]
    assert [(trial.candidate, trial.seed) for trial in found.one_seed_each(1)] == [(2, 0), (4, 1), (7, 2)]
