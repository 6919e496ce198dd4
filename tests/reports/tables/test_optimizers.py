"""The table of optimizers, by hand."""

from __future__ import annotations

from pathlib import Path

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.tables.optimizers import OptimizerRow, optimizer_rows, optimizers_markdown
from tunefront.storage import curves
from tunefront.storage.curves import Epoch
from tunefront.storage.outcomes import Outcome


def add(fixture: ReportFixture, optimizer: str, accuracies: list[float], outcome: Outcome = Outcome.COMPLETE) -> int:
    """Add a trial with these accuracies by epoch; its losses are 1 minus them."""
    leased = fixture.lease({"optimizer.name": optimizer})
    for number, accuracy in enumerate(accuracies, start=1):
        curves.append(fixture.store, leased[0], Epoch(number, accuracy, 0.5, 0.1, {"val_loss": 1 - accuracy}))
    measurements = {"accuracy": max(accuracies), "model_bytes": 10.0, "train_seconds": 1.0}
    return fixture.end(leased, outcome, measurements)


def test_each_optimizer_is_its_best_trial_at_some_epochs(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=5)
    add(fixture, "sgd", [0.1, 0.2])
    add(fixture, "sgd", [0.25, 0.3, 0.4, 0.5, 0.6])
    add(fixture, "adam", [0.5, 0.6, 0.75])
    add(fixture, "adam", [0.9, 0.95], Outcome.PRUNED)  # it is not complete
    rows = optimizer_rows(fixture.results())
    assert rows == [
        OptimizerRow("adam", 1, 2, {1: (0.5, 0.5), 5: (None, None)}),
        OptimizerRow("sgd", 2, 1, {1: (0.25, 0.75), 5: (0.6, 0.4)}),
    ]
    assert optimizers_markdown(fixture.results()).splitlines()[4:] == [
        "| optimizer | trials | best trial | epoch 1 | epoch 5 |",
        "| --- | --- | --- | --- | --- |",
        "| adam | 1 | 2 | 50.0 %, 0.5 |  |",
        "| sgd | 2 | 1 | 25.0 %, 0.75 | 60.0 %, 0.4 |",
    ]


def test_one_optimizer_needs_no_table(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    add(fixture, "adam", [0.5])
    add(fixture, "sgd", [0.5], Outcome.FAILED)
    assert optimizer_rows(fixture.results()) == []
    assert optimizers_markdown(fixture.results()) == ""
