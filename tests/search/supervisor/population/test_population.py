"""Populations: turns, who goes on with whose weights, and a supervisor that dies in between.

Real processes, pipes, files and stores, no Keras. The "weights" of a stub are the numbers of the trials whose processes
trained its epochs, so that a chain of trainings is seen in them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.search.checkpointed_trials import EPOCHS, StubTraining
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor.outage_fixture import wait_until
from tests.search.supervisor.population.members import PLAN, RATE, RISES
from tests.search.supervisor_fixture import SupervisorFixture, is_running
from tunefront.search.checkpoints.checkpoint_file import opened_checkpoint
from tunefront.search.checkpoints.trial_folder import folder_of, newest_whole
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.population.inheritance import settle, take_over, turns_folder, turns_of
from tunefront.search.trial.resumption.identity import identity_of_candidate
from tunefront.spaces.stages.staged_candidate import staged_candidate
from tunefront.storage import queue
from tunefront.storage.population import stages, turns
from tunefront.storage.population.stages import Stage
from tunefront.storage.trials import TrialRecord

pytestmark = [pytest.mark.usefixtures("fork_server"), pytest.mark.timeout(120)]


def curve(trial: TrialRecord) -> list[float]:
    assert [epoch.epoch for epoch in trial.epochs] == list(range(1, EPOCHS + 1))
    return [epoch.accuracy for epoch in trial.epochs]


def trained(fixture: SupervisorFixture, number: int) -> list[int]:
    return [int(epoch) for epoch in (fixture.notes / f"{number}.epochs").read_text().split()]


def weights(fixture: SupervisorFixture, number: int) -> list[int]:
    """Return the weights in a trial's newest checkpoint."""
    folder = folder_of(fixture.out, number)
    header = newest_whole(folder)
    assert header is not None
    with opened_checkpoint(folder, header) as content:
        return [int(one) for one in content.array("weights")]


def test_members_take_turns_and_the_worst_goes_on_from_the_best(make_fixture: MakeFixture) -> None:
    fixture = make_fixture()
    assert fixture.run() is Ending.DONE
    found = fixture.trials()
    assert [trial.state for trial in found] == ["complete"] * 4  # exactly as many as the spec says
    # After two epochs 1 goes on from 2; after four, 3 from 2 (0.5), for whose curve the stubs' later epochs follow.
    assert curve(found[1]) == [*RISES[2][:2], *RISES[1][2:]]
    assert curve(found[3]) == [*RISES[2][:4], *RISES[3][4:]]
    assert curve(found[0]) == list(RISES[0])
    assert [trial.ancestors for trial in found] == [[], [2], [], [2]]
    lineages = [(fixture.notes / f"{number}.lineage").read_text() for number in range(4)]
    assert lineages == ["0 0 0 0 0 0", "2 2 1 1 1 1", "2 2 2 2 2 2", "2 2 2 2 3 3"]
    assert [stage.first_epoch for stage in found[3].stages] == [1, 5]
    # No epoch is trained twice, and the chain's seconds are those of all its epochs.
    assert [trained(fixture, number) for number in range(4)] == [[1, 2, 3, 4, 5, 6]] * 4
    assert {trial.measurements["train_seconds"] for trial in found} == {6 + 21 / 8}
    assert not list((fixture.out / "checkpoints").glob("*"))


def test_the_settings_of_the_better_member_go_over_perturbed_and_are_trained_with(make_fixture: MakeFixture) -> None:
    fixture = make_fixture()
    fixture.run()
    drawn = {trial.number: trial.params[RATE] for trial in fixture.study.optuna.get_trials()}
    first, second = fixture.trials()[1].stages
    assert first.parameters == {RATE: drawn[2]}
    near = [min(max(factor * drawn[2], 0.001), 0.1) for factor in (0.8, 1.2)]
    assert any(second.parameters[RATE] == pytest.approx(rate) for rate in near)
    rates = [float(rate) for rate in (fixture.notes / "1.rates").read_text().split()]
    # Before, it had trained two epochs with what it was sampled with.
    assert rates == pytest.approx([drawn[1]] * 2 + [second.parameters[RATE]] * 4)
    assert fixture.trials()[1].parameters[RATE] == drawn[2]  # with which the training of its weights began


def test_each_population_has_one_network_and_nobody_inherits_from_another_one(make_fixture: MakeFixture) -> None:
    plan = {number: StubTraining(accuracies=RISES[number % 4]) for number in range(8)}
    plan[6] = replace(plan[6], accuracies=(0.9,) * EPOCHS)
    fixture = make_fixture(plan, trials=8)
    assert fixture.run() is Ending.DONE
    found = fixture.trials()
    networks = [trial.parameters["plain_cnn.n_blocks"] for trial in found]
    assert len(set(networks[:4])) == len(set(networks[4:])) == 1
    assert networks[0] != networks[4]
    assert {number for trial in found[:4] for number in trial.ancestors} == {2}
    assert {number for trial in found[4:] for number in trial.ancestors} == {6}


def test_no_more_are_replaced_than_the_quantile_and_the_replaced_hand_nothing_on(make_fixture: MakeFixture) -> None:
    # After two epochs 0 and 1 are the worst of eight, and 6 and 7 the best; later nothing changes but by inheritance.
    plan = {number: StubTraining(accuracies=(0.1, *[0.1 + 0.05 * number] * 3, *[0.9] * 2)) for number in range(8)}
    fixture = make_fixture(plan, trials=8, sampler={"population": 8}, training={"epochs": 4, "time_limit": 1e4})
    assert fixture.run() is Ending.DONE
    found = fixture.trials()
    assert [number for number in range(8) if found[number].ancestors] == [0, 1]
    for number in (0, 1):
        (donor,) = found[number].ancestors
        assert donor in (6, 7)
        assert (fixture.notes / f"{number}.lineage").read_text() == f"{donor} {donor} {number} {number}"


def test_a_member_whose_turn_is_over_goes_on_at_once_if_nobody_is_behind(make_fixture: MakeFixture) -> None:
    fixture = make_fixture(n_slots=4)
    assert fixture.run() is Ending.DONE
    assert fixture.counts().complete == 4
    assert [trial.number for trial in fixture.trials()] == [0, 1, 2, 3]


@pytest.mark.parametrize("stops_after", [(1,), (0, 3), (0, 0, 5)], ids=str)
def test_a_member_that_is_interrupted_goes_on_after_its_checkpoint(
    make_fixture: MakeFixture, stops_after: tuple[int, ...]
) -> None:
    first = make_fixture({**PLAN, 0: replace(PLAN[0], stops_after=stops_after)})
    assert first.run(lambda: is_noted(first, stops_after[-1])) is Ending.INTERRUPTED
    second = make_fixture()
    assert second.run() is Ending.DONE
    assert trained(second, 0) == [1, 2, 3, 4, 5, 6]
    assert [trial.ancestors for trial in second.trials()] == [[], [2], [], [2]]


def is_noted(fixture: SupervisorFixture, epoch: int, number: int = 0) -> bool:
    """Return whether the store knows that a running trial has a checkpoint after an epoch."""
    found = fixture.trials()
    return (
        len(found) > number
        and found[number].state == "running"
        and (found[number].parts[-1].checkpoint_epochs == epoch)
    )


# A supervisor that dies while a member inherits


def at_the_second_turn(make_fixture: MakeFixture) -> SupervisorFixture:
    """Return a study of which every member has trained two epochs, and none has gone on."""
    # The last one to end its turn goes on at once, because nobody is behind it. It hangs there.
    hanging = make_fixture({**PLAN, 3: replace(PLAN[3], stops_after=(2,))})
    assert hanging.run(lambda: is_noted(hanging, 2, 3)) is Ending.INTERRUPTED
    assert [(trial.state, len(trial.epochs)) for trial in hanging.trials()] == [("waiting", 2)] * 4
    return make_fixture()


def inherited_course(fixture: SupervisorFixture) -> list[Stage]:
    drawn = {trial.number: trial.params[RATE] for trial in fixture.study.optuna.get_trials()}
    return [Stage(1, {RATE: drawn[2]}), Stage(3, {RATE: 0.05}, weights_of=2)]


def take(fixture: SupervisorFixture, course: list[Stage]) -> None:
    donor = turns_folder(fixture.out, 0, 2)
    header = next(turns_of(donor, 2), None)
    assert header is not None
    parameters = fixture.study.optuna.get_trials()[1].params
    candidate = staged_candidate(fixture.spec.parsed_space(), parameters, stages.changes(course))
    take_over(donor, header, folder_of(fixture.out, 1), identity_of_candidate(candidate, 1), course)


def test_weights_that_were_copied_do_not_count_before_the_store_knows(make_fixture: MakeFixture) -> None:
    fixture = at_the_second_turn(make_fixture)
    take(fixture, inherited_course(fixture))  # and the supervisor dies
    assert weights(fixture, 1) == [1, 1]
    settle(folder_of(fixture.out, 1), fixture.trials()[1].stages)
    assert weights(fixture, 1) == [1, 1]
    assert not (folder_of(fixture.out, 1) / "taken").exists()
    assert fixture.run() is Ending.DONE
    assert trained(fixture, 1) == [1, 2, 3, 4, 5, 6]
    assert fixture.trials()[1].ancestors == [2]  # it is still the worst, and inherits as it would have


def test_weights_that_the_store_knows_of_count_when_the_supervisor_dies_before_they_are_in_place(
    make_fixture: MakeFixture,
) -> None:
    fixture = at_the_second_turn(make_fixture)
    course = inherited_course(fixture)
    take(fixture, course)
    turns.inherit(fixture.study, 1, 2, 2, course)  # and the supervisor dies
    assert weights(fixture, 1) == [1, 1]
    assert fixture.run() is Ending.DONE
    found = fixture.trials()[1]
    assert (list(found.stages), curve(found)) == (course, [*RISES[2][:2], *RISES[1][2:]])
    rates = [float(rate) for rate in (fixture.notes / "1.rates").read_text().split()]
    assert rates[2:] == [0.05] * 4
    assert trained(fixture, 1) == [1, 2, 3, 4, 5, 6]


def test_settling_that_was_cut_off_goes_on(make_fixture: MakeFixture) -> None:
    fixture = at_the_second_turn(make_fixture)
    course, folder = inherited_course(fixture), folder_of(fixture.out, 1)
    take(fixture, course)
    (moved,) = (folder / "taken").glob("*.npz")
    moved.replace(folder / moved.name)  # and the supervisor dies, with the old checkpoints still there
    settle(folder, course)
    assert weights(fixture, 1) == [2, 2]
    assert [path.name for path in folder.glob("*.npz")] == [moved.name]
    settle(folder, course)
    assert weights(fixture, 1) == [2, 2]


def test_inherited_weights_that_are_lost_are_taken_over_again(make_fixture: MakeFixture) -> None:
    fixture = at_the_second_turn(make_fixture)
    course = inherited_course(fixture)
    turns.inherit(fixture.study, 1, 2, 2, course)  # its own checkpoint, of the weights before, is still there
    assert fixture.run() is Ending.DONE
    found = fixture.trials()[1]
    assert (list(found.stages), trained(fixture, 1)) == (course, [1, 2, 3, 4, 5, 6])
    assert (fixture.notes / "1.lineage").read_text() == "2 2 1 1 1 1"


def test_inherited_weights_that_the_donor_has_lost_too_make_the_member_train_the_same_settings_itself(
    make_fixture: MakeFixture,
) -> None:
    fixture = at_the_second_turn(make_fixture)
    course = inherited_course(fixture)
    take(fixture, course)
    turns.inherit(fixture.study, 1, 2, 2, course)
    for folder in (folder_of(fixture.out, 1), turns_folder(fixture.out, 0, 2)):
        for path in folder.rglob("*.npz"):
            path.unlink()
    assert fixture.run() is Ending.DONE
    found = fixture.trials()[1]
    assert trained(fixture, 1) == [1, 2, 1, 2, 3, 4, 5, 6]
    assert found.ancestors == []
    assert stages.changes(found.stages) == stages.changes(course)
    rates = [float(rate) for rate in (fixture.notes / "1.rates").read_text().split()]
    assert rates[2:] == pytest.approx([course[0].parameters[RATE]] * 2 + [0.05] * 4)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_supervisors_that_are_killed_anywhere_lose_and_double_nothing(
    make_fixture: MakeFixture, tmp_path: Path
) -> None:
    slow = {number: replace(stub, pause_seconds=0.05) for number, stub in PLAN.items()}
    fixture = make_fixture(slow)
    lines = (
        "from tests.search.checkpointed_trials import *",
        "from tests.search.supervisor_fixture import SupervisorFixture",
        "from tunefront.search.spec.study_spec import StudySpec",
        "from pathlib import Path",
        f"spec = StudySpec.from_json({fixture.spec.as_json()!r})",
        f"plan = {slow!r}",
        f"SupervisorFixture(Path({str(tmp_path)!r}), spec, plan, trains=follow_with_checkpoints).run()",
    )
    random = np.random.default_rng(5)
    for _ in range(3):
        n_before = n_trained(fixture)
        supervisor = subprocess.Popen([sys.executable, "-c", "\n".join(lines)])
        try:
            wanted = n_before + int(random.integers(3, 7))
            wait_until(lambda: n_trained(fixture) >= wanted or supervisor.poll() is not None)  # noqa: B023
            time.sleep(random.uniform(0, 0.2))  # somewhere in what follows
        finally:
            supervisor.kill()
            supervisor.wait()
        pids = [int(path.stem.split("-")[1]) for path in fixture.notes.glob("*.pid")]
        wait_until(lambda: not any(is_running(pid) for pid in pids))  # noqa: B023
        queue.sweep(fixture.study, ["anna"])
    assert make_fixture().run() is Ending.DONE
    found = fixture.trials()
    assert [trial.state for trial in found] == ["complete"] * 4
    for trial in found:
        lineage = [int(number) for number in (fixture.notes / f"{trial.number}.lineage").read_text().split()]
        # Weights and curve are of the same chain, and the stages name it.
        assert curve(trial) == [RISES[number][epoch] for epoch, number in enumerate(lineage)]
        assert trial.ancestors[-1:] == [lineage[stage.first_epoch - 2] for stage in trial.stages[-1:]]


def n_trained(fixture: SupervisorFixture) -> int:
    return sum(len(path.read_text().split()) for path in fixture.notes.glob("*.epochs"))
