"""The conditions of a study's measurements: equal machines are counted together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.reports.report_fixture import MACHINE, ReportFixture
from tunefront.reports.selection.options import find_options
from tunefront.reports.selection.selection import choose
from tunefront.reports.selection.sentences import describe_certainty
from tunefront.reports.sentences.conditions import describe_niced, describe_shared_gpus, machines
from tunefront.reports.sentences.notes import notes
from tunefront.storage import studies
from tunefront.storage.database import schema
from tunefront.storage.outcomes import Outcome


@pytest.mark.parametrize(
    ("other", "n_supervisors"),
    [
        ({}, [2]),
        ({"process_started_at": 1_700_000_100.5}, [2]),
        ({"host_name": "bert"}, [1, 1]),
        ({"n_cpus": 4}, [1, 1]),
    ],
)
def test_machines_that_are_alike_are_counted_together(
    tmp_path: Path, other: dict[str, Any], n_supervisors: list[int]
) -> None:
    fixture = ReportFixture.make(tmp_path)
    studies.register_worker(fixture.study, "digits-2", "boot", 2, {**MACHINE, **other})
    assert [machine.n_supervisors for machine in machines(fixture.results())] == n_supervisors


def test_trials_that_ran_behind_other_programs_are_counted(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 10, 1.0)
    assert describe_niced(fixture.results()) == ""
    studies.register_worker(fixture.study, "niced", "boot", 2, {**MACHINE, "niceness": 15})
    assert describe_niced(fixture.results()) == ""  # it has run nothing
    with fixture.study.store.engine.begin() as connection:
        connection.execute(schema.attempts.update().values(worker_id="niced"))
    fixture.complete(0.8, 5, 0.5)
    (said,) = (note for note in notes(fixture.results()) if "nice" in note)
    assert said.startswith("1 of 2 complete trials trained at nice 15, behind all other programs of the machine")


def test_trials_that_shared_their_gpu_are_told_from_the_others(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    assert describe_shared_gpus(fixture.results()) == ""
    fixture.complete(0.9, 10, 1.0, measurements={"slots_on_gpu": 4.0})
    fixture.end(fixture.lease(), Outcome.PRUNED, {"accuracy": 0.4}, curve=(0.4,))  # its times are on no front
    said = describe_shared_gpus(fixture.results())
    assert said == (
        "Each trial trained on a GPU that 4 slots share: times compare with one another, and are longer than alone."
    )
    fixture.complete(0.8, 20, 2.0)
    fixture.complete(0.7, 5, 0.5, measurements={"slots_on_gpu": 2.0})
    fixture.complete(0.6, 4, 0.4, measurements={"slots_on_gpu": 4.0})
    said = describe_shared_gpus(fixture.results())
    assert said == (
        "Trials did not share GPUs alike: 1 alone, 1 with 2 slots on its GPU and 2 with 4 slots on its GPU trained. "
        "The more share a GPU, the longer a training takes, so times compare only within such a group, and the front "
        "may rest on where a trial ran."
    )
    assert said in notes(fixture.results())
    options = find_options(fixture.results(), None)
    choice = choose(options, [], "balance")
    assert choice is not None
    assert said in describe_certainty(choice, "trains it again")


def test_the_memory_of_a_gpus_slots_is_a_fact_of_the_machine(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    shared = {"slots": ["gpu0.0", "gpu0.1"], "threads_per_slot": 4, "gpu_memory_per_slot": "7.25 GB"}
    studies.register_worker(fixture.study, "digits-2", "boot", 2, {**MACHINE, **shared})
    facts = [each.facts["slots"] for each in machines(fixture.results())]
    assert facts[1] == "2 (gpu0.0, gpu0.1), threads each: 4, GPU memory each: 7.25 GB"
    assert "GPU" not in facts[0]
