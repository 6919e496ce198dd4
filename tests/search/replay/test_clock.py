from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.search.recorded import recording, training
from tunefront.search.replay import PlayedTrial, play
from tunefront.search.replay.recorded_table import RecordedTable, make_table


class InOrder:
    """A chooser of candidates 0, 1, 2, ..., which keeps what it was told."""

    def __init__(self) -> None:
        self.started = -1
        self.ended: list[tuple[int, bool]] = []

    def next(self) -> int:
        self.started += 1
        return self.started

    def end(self, candidate: int, is_complete: bool) -> None:
        self.ended.append((candidate, is_complete))


class Stops:
    """A rule that stops each candidate after a given epoch, and notes every call."""

    def __init__(self, asked_after: Sequence[int], **stops: int) -> None:
        self.asked_after = asked_after
        self._stops = {int(name[1:]): epoch for name, epoch in stops.items()}
        self.heard: list[str] = []

    def start(self, candidate: int) -> None:
        self.heard.append(f"start {candidate}")

    def goes_on(self, candidate: int, epoch: int) -> bool:
        self.heard.append(f"{candidate} at {epoch}")
        return self._stops.get(candidate) != epoch

    def end(self, candidate: int, is_complete: bool) -> None:
        self.heard.append(f"end {candidate} {'complete' if is_complete else 'stopped'}")


def three() -> RecordedTable:
    """Return a table of three candidates with epochs of 1 s, 2 s and 4 s; the first one compiles for half a second."""
    curve = [0.1, 0.2, 0.3]
    return make_table(
        recording(
            training(0, curve, epoch_seconds=1.0, compile_seconds=0.5),
            training(1, curve, epoch_seconds=2.0),
            training(2, curve, epoch_seconds=4.0),
        )
    )


def test_play_takes_the_time_of_all_epochs_when_nothing_is_stopped() -> None:
    played = play(three(), InOrder(), Stops(()), n_workers=2, n_trials=3)
    assert played == [  # the first worker is free after 3.5 s, and then trains 12 s
        PlayedTrial(0, 3, 3.5, True),
        PlayedTrial(1, 3, 6.0, True),
        PlayedTrial(2, 3, 15.5, True),
    ]


@pytest.mark.parametrize(("n_workers", "makespan"), [(1, 21.5), (2, 15.5), (3, 12.0), (4, 12.0)])
def test_play_ends_sooner_when_there_are_more_workers(n_workers: int, makespan: float) -> None:
    assert max(trial.ended_at for trial in play(three(), InOrder(), Stops(()), n_workers, 3)) == makespan


def test_play_gives_a_stopped_trials_worker_the_next_candidate() -> None:
    chooser, rule = InOrder(), Stops((1, 2), c1=1)
    played = play(three(), chooser, rule, n_workers=2, n_trials=3)
    assert played == [
        PlayedTrial(1, 1, 2.0, False),
        PlayedTrial(0, 3, 3.5, True),
        PlayedTrial(2, 3, 14.0, True),
    ]
    assert chooser.ended == [(1, False), (0, True), (2, True)]


def test_play_asks_in_the_order_of_simulated_time() -> None:
    rule = Stops((1, 2), c1=1, c2=2)
    play(three(), InOrder(), rule, n_workers=2, n_trials=3)
    assert rule.heard == [
        "start 0", "start 1",
        "0 at 1",  # 1.5 s
        "1 at 1", "end 1 stopped", "start 2",  # 2 s
        "0 at 2",  # 2.5 s
        "end 0 complete",  # 3.5 s
        "2 at 1",  # 6 s
        "2 at 2", "end 2 stopped",  # 10 s
    ]  # fmt: skip


def test_play_goes_by_the_order_of_starts_when_times_are_the_same() -> None:
    curve = [0.1, 0.2]
    table = make_table(recording(*(training(number, curve) for number in range(3))))
    rule = Stops((1,))
    play(table, InOrder(), rule, n_workers=3, n_trials=3)
    assert rule.heard[3:] == [
        "0 at 1", "1 at 1", "2 at 1", "end 0 complete", "end 1 complete", "end 2 complete",
    ]  # fmt: skip


def test_play_never_asks_after_the_last_epoch() -> None:
    rule = Stops((1, 2, 3, 4), c0=3)
    played = play(three(), InOrder(), rule, n_workers=1, n_trials=1)
    assert played == [PlayedTrial(0, 3, 3.5, True)]
    assert rule.heard == ["start 0", "0 at 1", "0 at 2", "end 0 complete"]


def test_play_ends_after_so_many_trials() -> None:
    assert len(play(three(), InOrder(), Stops(()), n_workers=2, n_trials=2)) == 2
