"""Data frames and CSV: exact columns and hand-worked values."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.objectives.measures import Axis
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.frames import front_frame, trials_frame

FIRST = [
    "trial", "state", "reason", "accuracy", "memory_bytes", "time_seconds", "on_front", "epochs",
    "no_better_than_guessing",
]  # fmt: skip


def test_columns_are_these_exactly(results: StudyResults) -> None:
    measurements = [
        "model_bytes", "train_seconds", "latency_seconds",  # as an objective may use them
        "best_epoch", "load_average", "other_slots_busy", "zebra_index",  # by name
    ]  # fmt: skip
    parameters = ["adam.learning_rate", "cnn.batch_norm", "cnn.filters", "optimizer.name", "sgd.learning_rate"]
    assert list(trials_frame(results)) == FIRST + measurements + parameters


def test_csv_has_a_row_for_every_trial(results: StudyResults) -> None:
    rows = trials_frame(results).to_csv(index=False).splitlines()
    # adam's learning rate, batch_norm, filters, optimizer, and no learning rate of sgd's
    assert rows[1] == "0,complete,,0.9,1000,2.0,True,3,False,1000,2.0,0.004,2,0.5,1.0,1.5,0.01,True,8,adam,"
    assert rows[7] == "6,refused,model_bytes 9 kB breaks its limit,,9000,,False,0,,9000,,,,,,,0.01,True,8,adam,"
    assert rows[11] == "10,waiting,,,,,False,0,,,,,,,,,,,,,"
    assert ",0.3,900,0.7,False,2,True," in rows[6]  # pruned, and 1/3 is guessing
    assert len(rows) == 12


def test_whole_numbers_stay_whole_when_some_trials_lack_them(results: StudyResults) -> None:
    frame = trials_frame(results)
    assert frame["memory_bytes"].dtype == "Int64"
    assert frame.loc[0, "cnn.filters"] == 8
    assert isinstance(frame.loc[0, "cnn.filters"], int)
    assert frame.loc[8, "cnn.filters"] is None


def test_front_is_sorted_and_without_empty_columns(results: StudyResults) -> None:
    frame = front_frame(results)
    assert list(frame["trial"]) == [8, 0, 1, 2]
    assert frame["on_front"].all()
    assert list(frame)[:9] == FIRST  # the empty column "reason" is there too
    assert set(trials_frame(results)) - set(frame) == set()
    assert frame["accuracy"].tolist() == [0.95, 0.9, 0.9, 0.8]


def test_front_leaves_out_what_none_of_its_trials_has(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 10, 1.0, parameters={"optimizer.name": "adam", "adam.learning_rate": 0.1})
    fixture.complete(0.8, 20, 2.0, parameters={"optimizer.name": "sgd", "sgd.learning_rate": 0.1})
    found = fixture.results()
    assert set(trials_frame(found)) - set(front_frame(found)) == {"sgd.learning_rate"}


@pytest.mark.parametrize("axes", [(), ("memory", "time"), ("accuracy",)])
def test_columns_begin_alike_when_there_is_nothing_or_axes_are_left_out(tmp_path: Path, axes: tuple[Axis, ...]) -> None:
    fixture = ReportFixture.make(tmp_path, {axis: THREE[axis] for axis in axes} or THREE)
    if axes:
        fixture.complete(0.9, 10, 1.0, parameters={})
    for frame in (trials_frame(fixture.results()), front_frame(fixture.results())):
        assert list(frame)[:9] == FIRST
        assert len(frame) == (1 if axes else 0)


def test_the_plain_accuracy_has_a_column_when_the_objective_is_another_score(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {**THREE, "accuracy": {"measure": "f1_macro"}})
    fixture.complete(0.97, 10, 1.0, measurements={"f1_macro": 0.55, "recall": 0.6}, parameters={})
    frame = front_frame(fixture.results())
    assert list(frame) == [*FIRST, "plain_accuracy", "f1_macro", "recall", "model_bytes", "train_seconds"]
    assert frame.loc[0, ["accuracy", "f1_macro", "plain_accuracy", "recall"]].tolist() == [0.55, 0.55, 0.97, 0.6]


def test_a_parameter_with_the_name_of_another_column_overwrites_nothing(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    parameters = {"epochs": 5, "model_bytes": 1, "accuracy": 0.1, "parameter.epochs": 6, "units": 7}
    fixture.complete(0.9, 1000, 2.0, parameters=parameters)
    found = trials_frame(fixture.results()).iloc[0]
    assert found[["accuracy", "memory_bytes", "epochs", "model_bytes"]].tolist() == [0.9, 1000, 3, 1000]
    assert found["units"] == 7
    assert {name: found[f"parameter.{name}"] for name in parameters if name != "units"} == {
        "epochs": 5, "model_bytes": 1, "accuracy": 0.1, "parameter.epochs": 6,
    }  # fmt: skip


def test_front_goes_through_json_and_csv(results: StudyResults) -> None:
    frame = front_frame(results)
    records = json.loads(frame.to_json(orient="records"))
    assert records[0]["adam.learning_rate"] is None
    assert records[1]["memory_bytes"] == 1000
    again = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    assert again["accuracy"].tolist() == frame["accuracy"].tolist()
