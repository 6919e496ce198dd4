"""The simulated clock of a replay, whose workers look trainings up."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tunefront.search.replay.recorded_table import RecordedTable


class Rule(Protocol):
    """A stopping rule, made anew for each repeat, because it may remember what it saw."""

    @property
    def asked_after(self) -> Sequence[int]:
        """The epochs after which it is asked, in order, without the last one."""

    def start(self, candidate: int) -> None:
        """Note that a trial of this candidate has begun."""

    def goes_on(self, candidate: int, epoch: int) -> bool:
        """Judge a trial by what it and every other trial have shown by now."""

    def end(self, candidate: int, is_complete: bool) -> None:
        """The trial is complete, or was stopped."""


class Chooser(Protocol):
    """A chooser of the next candidate, made anew for each repeat."""

    def next(self) -> int:
        """Return a candidate that was not tried yet; it is called at most once for each candidate."""

    def end(self, candidate: int, is_complete: bool) -> None:
        """The trial is complete, or was stopped."""


@dataclass(frozen=True)
class PlayedTrial:
    """A trial of a replay.

    Attributes:
        ended_at: Simulated seconds since the search began.
    """

    candidate: int
    epochs: int
    ended_at: float
    is_complete: bool


def play(table: RecordedTable, chooser: Chooser, rule: Rule, n_workers: int, n_trials: int) -> list[PlayedTrial]:
    """Run `n_trials` on `n_workers` workers; return the trials in the order of their ends.

    A worker that becomes free takes the next candidate at once. Events at the same simulated second happen in the
    order in which their trials began. Starting processes and judging take no time.
    """
    stops = [*(epoch for epoch in rule.asked_after if epoch < table.epochs), table.epochs]
    events: list[tuple[float, int, int, int, float]] = []  # time, trial, candidate, number of the stop, trial's start
    n_started = 0

    def start(now: float) -> None:
        nonlocal n_started
        if n_started < n_trials:
            candidate = chooser.next()
            rule.start(candidate)
            heapq.heappush(events, (now + table.end_seconds[candidate, stops[0] - 1], n_started, candidate, 0, now))
            n_started += 1

    for _ in range(n_workers):
        start(0.0)
    played = []
    while events:
        now, number, candidate, stop, started_at = heapq.heappop(events)
        is_complete = stops[stop] == table.epochs
        if not is_complete and rule.goes_on(candidate, stops[stop]):
            ends_at = started_at + table.end_seconds[candidate, stops[stop + 1] - 1]
            heapq.heappush(events, (ends_at, number, candidate, stop + 1, started_at))
            continue
        rule.end(candidate, is_complete)
        chooser.end(candidate, is_complete)
        played.append(PlayedTrial(candidate, stops[stop], float(now), is_complete))
        start(now)
    return played
