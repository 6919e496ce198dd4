"""The frame of all epochs: exact columns and values, and equal to Keras's own history."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.tables.epochs import epochs_frame
from tunefront.storage import curves
from tunefront.storage.curves import Epoch
from tunefront.storage.outcomes import Outcome


def test_there_is_a_row_for_each_epoch_with_every_number_of_it(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.8, 10, 1.0, curve=())
    leased = fixture.lease({"optimizer.name": "adam", "adam.learning_rate": 0.01})
    first = {"loss": 2.0, "accuracy": 0.3, "val_loss": 1.5, "val_accuracy": 0.4, "val_auc": 0.6, "learning_rate": 0.01}
    second = {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.25, "val_accuracy": 0.45, "learning_rate": 0.005}
    for number, metrics in enumerate((first, second), start=1):
        curves.append(fixture.store, leased[0], Epoch(number, metrics["val_accuracy"], 0.5, 0.1, metrics))
    fixture.end(leased, Outcome.PRUNED, {"accuracy": 0.45})
    frame = epochs_frame(fixture.results())
    assert list(frame) == [
        *("trial", "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "val_auc"),
        *("train_seconds", "validation_seconds", "learning_rate"),
    ]
    assert frame.to_csv(index=False).splitlines()[1:] == [
        "1,1,2.0,0.3,1.5,0.4,0.6,0.5,0.1,0.01",
        "1,2,1.0,0.5,1.25,0.45,,0.5,0.1,0.005",
    ]


def test_a_study_without_epochs_has_the_columns_alone(tmp_path: Path) -> None:
    frame = epochs_frame(ReportFixture.make(tmp_path).results())
    assert len(frame) == 0
    assert isinstance(frame, pd.DataFrame)
    assert list(frame)[:5] == ["trial", "epoch", "loss", "accuracy", "val_loss"]
