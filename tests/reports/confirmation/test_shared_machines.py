"""Trainings that shared a machine, found by their times."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tunefront.reports.confirmation.shared_machines import is_shared
from tunefront.reports.study_results import StudyResults
from tunefront.storage.open_study import StudyRecord
from tunefront.storage.studies import WorkerRecord
from tunefront.storage.trials import TrialRecord

Span = tuple[str, float, float | None]  # worker, start, end

# anna and bert are two workers on one machine, and clara is on another.
HOSTS = {"anna": "here", "bert": "here", "clara": "there"}
WORKERS = [WorkerRecord(name, host, 1, {}, 0.0, 7.0) for name, host in HOSTS.items()]  # seen last at 7


def trials(spans: Sequence[Span]) -> list[TrialRecord]:
    return [
        TrialRecord(
            number, "running" if end is None else "complete", "", None, True, {}, {}, (), 1, worker, "", start, end, ""
        )
        for number, (worker, start, end) in enumerate(spans)
    ]


@pytest.mark.parametrize(
    ("trainings", "searched", "expected"),
    [
        ([], [], False),
        ([("anna", 0, 1), ("anna", 1, 2)], [], False),  # one after the other
        ([("anna", 0, 2), ("anna", 1, 3)], [], True),  # two slots of one worker
        ([("anna", 0, 2), ("bert", 1, 3)], [], True),  # two workers of one machine
        ([("anna", 0, 2), ("clara", 1, 3)], [], False),  # two machines
        ([("anna", 5, 6)], [("anna", 0, 2), ("bert", 1, 3)], False),  # trials of the search shared it, but earlier
        ([("anna", 5, 6)], [("bert", 0, 5.5)], True),  # the search still ran
        ([("anna", 5, 6)], [("bert", 5.5, None)], True),  # and still runs
        ([("anna", 6, 6.5)], [("bert", 5.5, None)], True),
        ([("anna", 8, 9)], [("bert", 5.5, None)], False),  # bert died at 7, and its trial was not swept yet
        ([("anna", 5, 6)], [("clara", 5.5, None)], False),
        ([("anna", 0, 9), ("anna", 9, 10)], [("clara", 0, 20)], False),
    ],
)
def test_trainings_share_when_something_else_ran_on_their_machine(
    trainings: list[Span], searched: list[Span], expected: bool
) -> None:
    search = StudyResults(StudyRecord(1, "a", {}, {}, 0.0), [], trials(searched), {}, frozenset())
    assert is_shared(trials(trainings), WORKERS, search) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("boot-1 pid:[2]", True),  # another container of the same machine
        ("boot-2 pid:[1]", False),
    ],
)
def test_containers_of_one_machine_share_it(host: str, expected: bool) -> None:
    workers = [WorkerRecord("anna", "boot-1 pid:[1]", 1, {}, 0.0, 9.0), WorkerRecord("bert", host, 1, {}, 0.0, 9.0)]
    search = StudyResults(StudyRecord(1, "a", {}, {}, 0.0), [], [], {}, frozenset())
    assert is_shared(trials([("anna", 0, 2), ("bert", 1, 3)]), workers, search) is expected
