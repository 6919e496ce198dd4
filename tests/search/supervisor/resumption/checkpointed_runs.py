"""What became of stub trainings: their curves, checkpoints and trained epochs, and what lies in the folder."""

from __future__ import annotations

from tests.search.checkpointed_trials import EPOCHS
from tests.search.supervisor_fixture import SupervisorFixture

UNTIMED = {"time": False}  # else the seconds of training are an objective
WHOLE = [(epoch, epoch / 10) for epoch in range(1, EPOCHS + 1)]
TRAIN_SECONDS = 6 + 21 / 8  # of six epochs: 1 + epoch / 8 each


def has_checkpoint(fixture: SupervisorFixture, epoch: int, number: int = 0) -> bool:
    """Return whether the trial's process has written it and the store has been told."""
    return any(trial.parts[-1].checkpoint_epochs == epoch for trial in fixture.trials()[number:][:1] if trial.parts)


def curve(fixture: SupervisorFixture, number: int = 0) -> list[tuple[int, float]]:
    return [(epoch.epoch, epoch.accuracy) for epoch in fixture.trials()[number].epochs]


def trained(fixture: SupervisorFixture, number: int = 0) -> list[int]:
    """Return the epochs that the trial's processes trained, in order."""
    return [int(epoch) for epoch in (fixture.notes / f"{number}.epochs").read_text().split()]


def left(fixture: SupervisorFixture) -> list[str]:
    return sorted(path.name for path in (fixture.out / "checkpoints").glob("*"))
