"""Members that cannot use the weights that they inherited: what the store says of them is what they trained."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.search.checkpointed_trials import EPOCHS
from tests.search.supervisor.choice_fixture import MakeFixture
from tests.search.supervisor.population.members import PLAN, RISES
from tests.search.supervisor_fixture import SupervisorFixture
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.population.inheritance import turns_folder

pytestmark = [pytest.mark.usefixtures("fork_server"), pytest.mark.timeout(60)]


def lineage(fixture: SupervisorFixture, number: int) -> list[int]:
    """Return the trials whose processes trained the epochs of a trial's weights."""
    return [int(one) for one in (fixture.notes / f"{number}.lineage").read_text().split()]


def curve(fixture: SupervisorFixture, number: int) -> tuple[float, ...]:
    return tuple(epoch.accuracy for epoch in fixture.trials()[number].epochs)


def train_two_epochs(make_fixture: MakeFixture, **changes: Any) -> None:
    """Train every member up to the end of its first turn."""
    hanging = make_fixture({**PLAN, 3: replace(PLAN[3], stops_after=(2,))}, **changes)

    def has_written() -> bool:
        found = hanging.trials()
        return len(found) == 4 and bool(found[3].parts) and found[3].parts[-1].checkpoint_epochs == 2

    assert hanging.run(has_written) is Ending.INTERRUPTED


def test_a_member_whose_process_does_not_take_the_weights_inherits_none(make_fixture: MakeFixture) -> None:
    """As with another version of Keras: it begins anew with the settings that went over."""
    fixture = make_fixture({**PLAN, 1: replace(PLAN[1], may_resume=False)})
    assert fixture.run() is Ending.DONE
    assert lineage(fixture, 1) == [1] * EPOCHS
    trial = fixture.trials()[1]
    assert (trial.ancestors, curve(fixture, 1)) == ([], RISES[1])
    assert [stage.first_epoch for stage in trial.stages][:2] == [1, 3]  # the settings stay, and it trained with them
    rates = [float(rate) for rate in (fixture.notes / "1.rates").read_text().split()]
    assert rates[-EPOCHS:][0] == trial.stages[0].parameters["adam.learning_rate"]


def test_a_member_that_inherits_on_another_kind_of_machine_where_times_are_compared_inherits_none(
    make_fixture: MakeFixture,
) -> None:
    changes = {"objectives": {"time": "train_seconds"}}
    train_two_epochs(make_fixture, **changes)
    fixture = make_fixture(n_threads=2, **changes)
    assert fixture.run() is Ending.DONE
    for number, trial in enumerate(fixture.trials()):
        expected = tuple(RISES[one][epoch] for epoch, one in enumerate(lineage(fixture, number)))
        assert curve(fixture, number) == expected
        inherited = {stage.weights_of for stage in trial.stages} - {None}
        assert inherited == set(lineage(fixture, number)) - {number}


def test_a_turn_that_was_not_kept_because_the_supervisor_died_is_kept_when_it_is_wanted(
    make_fixture: MakeFixture,
) -> None:
    train_two_epochs(make_fixture)
    fixture = make_fixture()
    shutil.rmtree(turns_folder(fixture.out, 0, 2))
    assert fixture.run() is Ending.DONE
    assert lineage(fixture, 1) == [2, 2, 1, 1, 1, 1]
    assert fixture.trials()[1].ancestors == [2]


OWN = """
class Own:
    def suggest(self, trial):
        rate = trial.suggest_float("learning_rate", 0.001, 0.1)
        if {condition}:
            {what}
        return {{"learning_rate": rate}}

    def build(self, settings, input_shape, n_outputs):
        raise NotImplementedError
"""
L2 = 'trial.suggest_float("l2", 0.0, 0.001)'


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ("rate > 0.07", L2),  # which the best one has, trial 2, and the worst one has not
        ("0.05 < rate < 0.07", L2),  # the other way round
        ("rate > 0.09", "raise ValueError('no such rate')"),  # trial 2 has 0.084, which is raised
    ],
)
def test_settings_that_an_own_space_does_not_have_do_not_go_over(
    make_fixture: MakeFixture, tmp_path: Path, condition: str, what: str
) -> None:
    """The worst member goes on as it is."""
    (tmp_path / "own.py").write_text(OWN.format(condition=condition, what=what))
    fixture = make_fixture(space=f"{tmp_path / 'own.py'}:Own")
    assert fixture.run() is Ending.DONE
    assert [trial.state for trial in fixture.trials()] == ["complete"] * 4
    assert lineage(fixture, 1) == [1] * EPOCHS
    assert fixture.trials()[1].stages == []
