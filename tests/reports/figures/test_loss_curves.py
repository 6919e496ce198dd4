"""The figure of losses: which trials, which lines, which values."""

from __future__ import annotations

from pathlib import Path

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.figures.loss_curves import loss_curves
from tunefront.storage import curves
from tunefront.storage.curves import Epoch
from tunefront.storage.outcomes import Outcome


def complete(fixture: ReportFixture, accuracy: float, losses: list[tuple[float, float]]) -> int:
    """Add a complete trial with these training and validation losses by epoch; the more accurate, the larger."""
    leased = fixture.lease({"optimizer.name": "adam", "adam.learning_rate": 0.01})
    for number, (training, validation) in enumerate(losses, start=1):
        metrics = {"loss": training, "val_loss": validation}
        curves.append(fixture.store, leased[0], Epoch(number, accuracy, 0.5, 0.1, metrics))
    measurements = {"accuracy": accuracy, "model_bytes": 1000 * accuracy, "train_seconds": accuracy}
    return fixture.end(leased, Outcome.COMPLETE, measurements)


def test_each_trial_of_the_front_has_its_two_losses_in_one_colour(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    small = complete(fixture, 0.8, [(2.0, 1.9), (1.0, 1.5)])
    large = complete(fixture, 0.9, [(1.5, 1.0), (0.25, 1.25), (0.125, 1.5)])
    fixture.complete(0.5, 10_000, 100.0)  # not on the front
    figure = loss_curves(fixture.results())
    drawn = [(trace.name, trace.line.dash, list(trace.x), list(trace.y)) for trace in figure.data]
    assert drawn == [
        (f"trial {large}", "solid", [1, 2, 3], [1.0, 1.25, 1.5]),
        (f"trial {large}", "dash", [1, 2, 3], [1.5, 0.25, 0.125]),
        (f"trial {small}", "solid", [1, 2], [1.9, 1.5]),
        (f"trial {small}", "dash", [1, 2], [2.0, 1.0]),
    ]
    colours = [trace.line.color for trace in figure.data]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert [trace.showlegend for trace in figure.data] == [True, False, True, False]


def test_the_most_accurate_are_drawn_when_they_are_many(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=12)
    for number in range(12):
        complete(fixture, 0.5 + number / 100, [(1.0, 1.0)])
    figure = loss_curves(fixture.results())
    assert len(figure.data) == 12
    assert figure.data[0].name == "trial 11"
    assert "6 most accurate" in figure.layout.title.text


def test_a_study_without_losses_has_no_such_figure(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    assert not loss_curves(fixture.results()).data
    fixture.complete(0.9, 10, 1.0, curve=())
    assert not loss_curves(fixture.results()).data
