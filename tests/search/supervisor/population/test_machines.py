"""A population on two machines, whose results folders are their own: by way of the artifacts, and without.

Real processes, pipes, files and stores, no Keras. The "weights" of a stub are the numbers of the trials whose processes
trained its epochs, so that a chain of trainings is seen in them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.search.checkpointed_trials import EPOCHS, StubTraining, follow_with_checkpoints
from tests.search.supervisor.outage_fixture import WAITS, lines_with, meanwhile, run_together, wait_until
from tests.search.supervisor.population.members import PLAN, RATE, RISES, population_spec
from tests.search.supervisor.uploads.uploaded_files import away
from tests.search.supervisor_fixture import SupervisorFixture
from tunefront.reports.sentences.stages import describe_apart
from tunefront.reports.study_results import load_results
from tunefront.search.checkpoints.study_checkpoints import StudyCheckpoints
from tunefront.search.checkpoints.trial_folder import folder_of
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.population.inheritance import take_over, turns_folder, turns_of
from tunefront.search.supervisor.population.member_files import MemberFiles
from tunefront.search.supervisor.uploads.far_files import FarFiles
from tunefront.search.trial.resumption.identity import identity_of_candidate
from tunefront.spaces.stages.staged_candidate import staged_candidate
from tunefront.storage import studies
from tunefront.storage.artifacts import rows
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.database.waits import Waits
from tunefront.storage.population import stages, turns
from tunefront.storage.population.stages import Stage

pytestmark = [pytest.mark.usefixtures("fork_server"), pytest.mark.timeout(120)]

SLOW = {number: replace(stub, pause_seconds=0.1) for number, stub in PLAN.items()}
HANGS_AT_TWO = {**PLAN, 3: replace(PLAN[3], stops_after=(2,))}


def machine(
    folder: Path, name: str, url: str = "", plan: Mapping[int, StubTraining] = PLAN, waits: Waits = WAITS
) -> SupervisorFixture:
    """Make a supervisor with a results folder of its own; it has artifacts if the folder `folder` has any."""
    (folder / name).mkdir(exist_ok=True)
    place = folder / "artifacts"
    url = url or f"sqlite:///{folder / 'tunefront.db'}"
    made = SupervisorFixture(
        folder / name, population_spec(), plan, url, worker_id=name, waits=waits, trains=follow_with_checkpoints,
        artifacts=FolderArtifacts(place) if place.exists() else None,
    )  # fmt: skip
    if made.artifacts is not None:
        made.artifacts.prepare()
    studies.register_worker(made.study, name, f"host of {name}", 1, {"keras": "3.8"})
    return made


def trained(fixture: SupervisorFixture, number: int) -> list[int]:
    """Return the epochs of a trial that a machine has trained."""
    notes = fixture.notes / f"{number}.epochs"
    return [int(epoch) for epoch in notes.read_text().split()] if notes.exists() else []


def lineage(number: int, *machines: SupervisorFixture) -> list[int]:
    """Return whose processes trained the epochs of a trial's last weights, as the machine that ended it noted them."""
    (found,) = (path for one in machines if (path := one.notes / f"{number}.lineage").exists())
    return [int(each) for each in found.read_text().split()]


def check_one_population(*machines: SupervisorFixture) -> None:
    """Check that there are exactly the trials, each with the curve, stages and ancestors of its weights."""
    found = machines[0].trials()
    assert [trial.state for trial in found] == ["complete"] * 4
    for trial in found:
        chain = lineage(trial.number, *machines)
        assert [epoch.epoch for epoch in trial.epochs] == list(range(1, EPOCHS + 1))
        assert [epoch.accuracy for epoch in trial.epochs] == [RISES[each][place] for place, each in enumerate(chain)]
        assert trial.ancestors[-1:] == [chain[stage.first_epoch - 2] for stage in trial.stages[-1:]]
        assert trial.measurements["train_seconds"] == 6 + 21 / 8  # of the whole chain: each epoch counts once


def check_artifacts(fixture: SupervisorFixture) -> None:
    """Check that of checkpoints nothing is left there, when all have ended, and that rows and files agree."""
    assert rows.read(fixture.study, (rows.CHECKPOINTS, rows.TURNS)) == {}
    present = set(FolderArtifacts(fixture.folder.parent / "artifacts").digests())
    assert present == rows.named(fixture.store)


def checkpoint_of(fixture: SupervisorFixture, number: int) -> int:
    """Return the epoch of a trial's newest checkpoint that the store has been told of."""
    found = fixture.trials()
    return found[number].parts[-1].checkpoint_epochs if len(found) > number and found[number].parts else 0


def train_first_turn(anna: SupervisorFixture) -> None:
    """Let a machine train every member up to the end of its first turn, and then be switched off."""
    assert anna.run(lambda: checkpoint_of(anna, 3) == 2) is Ending.INTERRUPTED
    assert [(trial.state, len(trial.epochs)) for trial in anna.trials()] == [("waiting", 2)] * 4
    anna.out.rename(anna.folder / "switched off")


def check_who_can_go_on(anna: SupervisorFixture) -> None:
    """Check that of other machines those may train anna's members which could use their checkpoints."""
    found = anna.study.optuna.get_trials(deepcopy=False)
    kind = anna.trials()[0].parts[-1].machine
    for name, keras, compares_times, own_kind, expected in (
        ("carl", "3.9", False, kind, False),
        ("dora", "3.8", False, "another kind", True),
        ("emil", "3.8", True, "another kind", False),
        ("fred", "3.8", True, kind, True),
    ):
        studies.register_worker(anna.study, name, f"host of {name}", 1, {"keras": keras})
        checkpoints = StudyCheckpoints(anna.folder / name, compares_times, lambda number: [])
        far = FarFiles(anna.study, drop=lambda digests: None)
        far.can_be_had = True
        files = MemberFiles(checkpoints, far, 4, {own_kind})
        members = turns.read_members(anna.study, found, name)
        assert [files.is_within_reach(member) for member in members] == [expected] * 4


def test_an_heir_goes_on_from_weights_of_another_machine(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    anna = machine(tmp_path, "anna", plan=HANGS_AT_TWO)
    train_first_turn(anna)
    check_who_can_go_on(anna)
    bert = machine(tmp_path, "bert")
    assert bert.run() is Ending.DONE
    check_one_population(bert)
    # The same as on one machine: after two epochs 1 goes on from 2, and after four 3 does.
    assert [lineage(number, bert) for number in range(4)] == [
        [0] * 6, [2, 2, 1, 1, 1, 1], [2] * 6, [2, 2, 2, 2, 3, 3],
    ]  # fmt: skip
    assert [trained(anna, number) for number in range(4)] == [[1, 2]] * 4
    assert [trained(bert, number) for number in range(4)] == [[3, 4, 5, 6]] * 4  # nothing is trained again
    assert lines_with(bert, "not used") == []
    check_artifacts(bert)


@pytest.mark.parametrize("has_moved", [False, True], ids=["before", "after"])
def test_an_inheritance_that_a_dead_machine_began_is_ended_by_another(tmp_path: Path, has_moved: bool) -> None:
    """The store knows of it, and the files are where nobody sees them."""
    (tmp_path / "artifacts").mkdir()
    anna = machine(tmp_path, "anna", plan=HANGS_AT_TWO)
    train_first_turn(anna)
    drawn = {trial.number: trial.params for trial in anna.study.optuna.get_trials()}
    course = [Stage(1, {RATE: drawn[2][RATE]}), Stage(3, {RATE: 0.05}, weights_of=2)]
    assert rows.read(anna.study, (rows.CHECKPOINTS,))[1]
    turns.inherit(anna.study, 1, 2, 2, course)
    assert 1 not in rows.read(anna.study, (rows.CHECKPOINTS,))  # those of the weights that it had before
    bert = machine(tmp_path, "bert")
    if has_moved:  # and what it had taken over lies on this machine, beside an older checkpoint of its own
        bert.out.mkdir()
        own = next((anna.folder / "switched off/checkpoints/trial-1").glob("*.npz"))
        folder_of(bert.out, 1).mkdir(parents=True)
        (folder_of(bert.out, 1) / own.name).write_bytes(own.read_bytes())
        donor = turns_folder(anna.folder / "switched off", 0, 2)
        candidate = staged_candidate(bert.spec.parsed_space(), drawn[1], stages.changes(course))
        header = next(turns_of(donor, 2))
        take_over(donor, header, folder_of(bert.out, 1), identity_of_candidate(candidate, 1), course)
    assert bert.run() is Ending.DONE
    check_one_population(bert)
    assert list(bert.trials()[1].stages) == course
    assert (lineage(1, bert), trained(bert, 1)) == ([2, 2, 1, 1, 1, 1], [3, 4, 5, 6])
    check_artifacts(bert)


@contextlib.contextmanager
def database(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the URL of an empty database."""
    if kind == "sqlite":
        yield ""
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield url


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.server)])
def test_two_machines_train_one_population(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    (tmp_path / "artifacts").mkdir()
    with database(kind, tmp_path, request) as url:
        anna, bert = (machine(tmp_path, name, url, SLOW) for name in ("anna", "bert"))
        assert run_together(anna, bert) == [Ending.DONE, Ending.DONE]
        check_one_population(anna, bert)
        for number in range(4):
            assert sorted(trained(anna, number) + trained(bert, number)) == [1, 2, 3, 4, 5, 6]
        assert lines_with(anna, "not used") + lines_with(bert, "not used") == []
        check_artifacts(anna)


def run_anna(folder: str, url: str) -> None:
    machine(Path(folder), "anna", url, SLOW).run()


def test_a_machine_that_dies_costs_the_population_nothing_that_was_uploaded(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    bert = machine(tmp_path, "bert", plan=SLOW)
    worker = multiprocessing.get_context("spawn").Process(target=run_anna, args=(str(tmp_path), bert.url))
    worker.start()
    try:
        wait_until(lambda: sum(len(trial.epochs) == 2 for trial in bert.trials()) >= 3)
    finally:
        worker.kill()
        worker.join()
    (tmp_path / "anna/results").rename(tmp_path / "anna/switched off")
    left = bert.trials()
    kept = [len(trial.epochs) if trial.state == "waiting" else trial.parts[-1].resumed_epochs for trial in left]
    assert bert.run() is Ending.DONE
    check_one_population(bert)
    for trial, n_epochs in zip(left, kept, strict=True):  # a turn that was under way is trained again, or a part of it
        first = trained(bert, trial.number)[0]
        assert first == n_epochs + 1 if trial.state == "waiting" else first > n_epochs
    assert sum(kept) >= 4
    assert sum(len(trained(bert, number)) for number in range(4)) <= 4 * EPOCHS - sum(kept)
    check_artifacts(bert)


def test_members_take_their_turns_here_while_the_artifacts_are_away(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    anna = machine(tmp_path, "anna")
    outage = away(tmp_path / "artifacts")
    state = "before"

    def go_away_and_come_back() -> bool:
        nonlocal state
        if state == "before" and trained(anna, 0):
            outage.__enter__()
            state = "away"
        elif state == "away" and len(list((anna.out / "spool").glob("*.keras"))) == 4:  # all have ended
            outage.__exit__(None, None, None)
            state = "back"
        return False

    assert anna.run(go_away_and_come_back) is Ending.DONE
    check_one_population(anna)
    assert [trial.ancestors for trial in anna.trials()] == [[], [2], [], [2]]
    assert [trained(anna, number) for number in range(4)] == [[1, 2, 3, 4, 5, 6]] * 4
    check_artifacts(anna)


def test_without_artifacts_members_stay_on_their_machine_and_it_is_said(tmp_path: Path) -> None:
    anna = machine(tmp_path, "anna", plan={**PLAN, 0: replace(PLAN[0], stops_after=(1,))})
    bert = machine(tmp_path, "bert", waits=replace(WAITS, lease_seconds=4.0))
    assert describe_apart(load_results(anna.study)) == ""
    endings = []
    # Anna's one member hangs until bert has ended all others, which he trains meanwhile.
    with meanwhile(lambda: endings.append(anna.run(lambda: anna.counts().complete == 3))):
        wait_until(lambda: checkpoint_of(anna, 0) == 1)
        assert bert.run() is Ending.DONE
    assert endings == [Ending.INTERRUPTED]
    check_one_population(bert)
    assert [trained(bert, number) for number in range(4)] == [[1, 2, 3, 4, 5, 6]] * 4  # anna was away in the end
    assert trained(anna, 0) == [1]
    assert len(lines_with(bert, "With --artifacts, a place that all machines reach")) == 1
    assert "inherited only from members of its own machine" in describe_apart(load_results(anna.study))
