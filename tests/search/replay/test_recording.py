from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest

from tests.search.recorded import recording, spec, training
from tests.storage.study_fixture import DATASET, DIRECTIONS, METRICS, epoch
from tunefront.search.replay.recording import (
    Recording,
    RecordingError,
    check_replaceable,
    read_recording,
    write_recording,
)
from tunefront.search.replay.recording_study import enqueue_candidates
from tunefront.search.spec.derived import recorded_search, recording_spec
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec, differences
from tunefront.storage import curves, queue, studies
from tunefront.storage.database.connection import open_store
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

SEARCH = StudySpec.model_validate(
    {
        "name": "digits",
        "trials": 5,
        "objectives": {"accuracy": {"measure": "f1_macro", "at_least": 0.5}, "memory": "weight_bytes", "time": False},
        "data": {"source": "digits"},
        "space": {"optimizer": ["sgd", "adam"]},
        "training": {"epochs": 20, "early_stopping": {"patience": 3}},
        "pruner": {"name": "pareto", "front_loss": 0.1},
    }
)


# The study that records


def test_the_recording_spec_stops_nothing_and_keeps_the_rest() -> None:
    made = recording_spec(SEARCH, n_candidates=10, n_repeated=4, n_seeds=3, epochs=None)
    assert (made.name, made.trials, made.max_failures) == ("digits.recording", 18, 18)  # 10, and 4 twice more
    assert (made.sampler.name, made.pruner.name, made.training.early_stopping) == ("random", "none", None)
    objectives = made.parsed_objectives()
    assert [objective.measure.name for objective in objectives.values()] == ["f1_macro", "weight_bytes"]
    assert not any(objective.has_limit for objective in objectives.values())
    assert (made.training.epochs, made.data) == (20, SEARCH.data)
    assert made.parsed_space() == SEARCH.parsed_space()
    assert recording_spec(SEARCH, 10, 4, 3, epochs=7).training.epochs == 7


def make_study(folder: Path) -> OpenStudy:
    store = open_store(f"sqlite:///{folder / 'tunefront.db'}", is_writer=True)
    made = spec(3, max_failures=10)
    return studies.create(store, made.name, made.as_json(), DATASET, DIRECTIONS, METRICS)


def test_every_training_is_queued_once_however_often_that_is_done(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    for _ in range(2):
        enqueue_candidates(study, n_candidates=4, n_repeated=2, n_seeds=3)
    queued = study.optuna.get_trials()
    assert [(trial.user_attrs["candidate"], trial.user_attrs["seed"]) for trial in queued] == [
        (0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (0, 2), (1, 2),
    ]  # fmt: skip
    drawn = [trial.system_attrs["fixed_params"] for trial in queued]
    assert drawn[0] == drawn[4] == drawn[6]
    assert len({json.dumps(parameters) for parameters in drawn}) == 4


def test_more_candidates_are_added_to_those_queued(tmp_path: Path) -> None:
    def drawn(n_candidates: int, folder: Path) -> list[dict[str, Any]]:
        folder.mkdir(exist_ok=True)
        study = make_study(folder)
        enqueue_candidates(study, n_candidates, n_repeated=0, n_seeds=1)
        return [trial.system_attrs["fixed_params"] for trial in study.optuna.get_trials()]

    few, more = drawn(2, tmp_path / "a"), drawn(4, tmp_path / "a")
    assert few == more[:2]
    assert more == drawn(4, tmp_path / "b")  # whatever was queued before


# Writing and reading


def train_all(
    study: OpenStudy,
    outcomes: list[Outcome],
    suggest: Callable[[optuna.Trial], Any] | None = None,
) -> None:
    """Run what is queued: trial n reaches 0.n, 0.n1 and 0.n2."""
    suggest = suggest or StudySpec.from_json(study.record.spec).parsed_space().suggest
    for number, outcome in enumerate(outcomes):
        with study.store.exclusively():
            leased = queue.lease_next(study, 100, "anna", "cpu0")
        assert leased is not None
        lease, trial = leased
        suggest(trial)
        for index in range(3):
            validated = epoch(index + 1, number / 10 + index / 100)
            curves.append(study.store, lease, replace(validated, metrics={"accuracy": 0.5 + index / 10, "loss": 1.0}))
        measurements = {"accuracy": number / 10 + 0.02, "model_bytes": 1000.0 + number, "train_seconds": 0.75}
        values = list(measurements.values()) if outcome is Outcome.COMPLETE else None
        queue.finish(study, lease, outcome, values=values, measurements=measurements)


@pytest.fixture
def recorded_study(tmp_path: Path) -> OpenStudy:
    study = make_study(tmp_path)
    enqueue_candidates(study, n_candidates=4, n_repeated=1, n_seeds=2)
    train_all(study, [Outcome.COMPLETE, Outcome.COMPLETE, Outcome.FAILED, Outcome.COMPLETE])
    return study


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


# What is no table


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("table.csv", "a,b\n1,2\n", "this is no table that tunefront record made"),
        ("table.csv", "", "this is no table that tunefront record made"),
        ("table.csv", "# {}\na\n1\n", "this is no table that tunefront record made"),
        ("table.csv", '# {"format": 99}\na\n1\n', "has format 99, and this tunefront reads 1"),
        ("table.csv.gz", "not compressed", "cannot be read|this is no table"),
        ("table.csv", "# []\na\n1\n", "this is no table that tunefront record made"),
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(RecordingError, match=message) as raised:
        read_recording(path)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="none.csv: cannot be read .*tunefront record makes one"):
        read_recording(tmp_path / "none.csv")


def test_a_table_that_was_cut_off_at_the_end_of_a_line_is_named(recorded_study: OpenStudy, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_recording(recorded_study, path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(RecordingError, match="table.csv: was cut off: it has 2 of 3 trainings"):
        read_recording(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[:-3], "was cut off"),
        (lambda text: text + text.splitlines(keepends=True)[-1], "was cut off: it has 4 of 3 trainings"),
        (
            lambda text: text.replace('"n_trainings": 3', '"n_trainings": 4') + text.splitlines(keepends=True)[-1],
            "stands there twice with the same seed",
        ),
    ],
)
def test_a_table_that_was_spoilt_is_named(
    recorded_study: OpenStudy, tmp_path: Path, spoil: Callable[[str], str], message: str
) -> None:
    path = tmp_path / "table.csv"
    write_recording(recorded_study, path)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(RecordingError, match=message):
        read_recording(path)


def test_only_a_recording_may_be_written_over(recorded_study: OpenStudy, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    check_replaceable(path)
    write_recording(recorded_study, path)
    check_replaceable(path)
    path.write_text('name = "digits"\n')
    with pytest.raises(RecordingError, match="table.csv: there is such a file, it is no recording"):
        check_replaceable(path)


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_table_that_was_cut_off_is_named(recorded_study: OpenStudy, tmp_path: Path, cut: float) -> None:
    path = tmp_path / "table.csv.gz"
    write_recording(recorded_study, path)
    path.write_bytes(path.read_bytes()[: int(cut * path.stat().st_size)])
    with pytest.raises(RecordingError, match="this is no table"):
        read_recording(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.25 0.25 0.25", "0.25 0.25"),  # curves of different lengths
        ("0.25 0.25 0.25", "0.25 much 0.25"),
        ("accuracy_by_epoch", "accuracy_by_day"),
        ("candidate,", "number,"),
    ],
)
def test_a_table_that_was_damaged_is_named(recorded_study: OpenStudy, tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "table.csv"
    write_recording(recorded_study, path)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(RecordingError, match="this is no table"):
        read_recording(path)


# Seeds


def test_one_seed_each_is_the_one_asked_for_or_the_first() -> None:
    curve = [0.1, 0.2]
    found: Recording = recording(
        training(4, curve, seed=1), training(4, curve), training(2, curve), training(7, curve, seed=2)
    )
    assert [(trial.candidate, trial.seed) for trial in found.one_seed_each()] == [(2, 0), (4, 0), (7, 2)]
    assert [(trial.candidate, trial.seed) for trial in found.one_seed_each(1)] == [(2, 0), (4, 1), (7, 2)]


def test_a_recording_goes_on_from_its_searchs_file(tmp_path: Path) -> None:
    path = tmp_path / "search.toml"
    path.write_text('name = "digits"\ndata = { source = "digits" }\n[pruner]\nfront_loss = 0.1\n')
    recording = recording_spec(read_spec(path), n_candidates=4, n_repeated=0, n_seeds=1, epochs=5).as_json()
    recording["space"]["plain_cnn"]["filters"] = [4, 8]  # as a default was when it began
    lines: list[str] = []
    find = recorded_search({"digits.recording": recording}.get)
    again = recording_spec(read_spec(path, find, lines.append), n_candidates=4, n_repeated=0, n_seeds=1, epochs=None)
    assert differences(recording, again.as_json()) == []
    assert [line.split(":")[0] for line in lines] == ["space.plain_cnn.filters", "training.epochs"]
    assert find("other") is None


ROW = "candidate,seed,accuracy_by_epoch,train_seconds_by_epoch,validation_seconds_by_epoch\n{},0,0.5,1,1\n"


@pytest.mark.parametrize(
    ("changed", "candidate", "expected"),
    [
        ({}, "inf", "no table that tunefront record made"),
        ({"spec": []}, "0", "no table that tunefront record made"),
        ({"pruner": "none"}, "0", "no table that tunefront record made"),
        ({"training": "long"}, "0", "no table that tunefront record made"),
        ({"space": {"architecture": "vgg"}}, "0", "cannot read the spec in it (space.architecture: there is no"),
    ],
)
def test_a_table_that_others_made_is_refused_with_its_name(
    recorded_study: OpenStudy, tmp_path: Path, changed: dict[str, object], candidate: str, expected: str
) -> None:
    path, spec = tmp_path / "table.csv", recorded_study.record.spec
    header = {
        "format": 1,
        "spec": changed.get("spec", {**spec, **changed}),
        "dataset": {},
        "machines": [],
        "n_failed": 0,
    }
    path.write_text(f"# {json.dumps(header)}\n{ROW.format(candidate)}")
    with pytest.raises(RecordingError) as refused:
        read_recording(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert expected in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
