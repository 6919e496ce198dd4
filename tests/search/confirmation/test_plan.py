"""Confirmations: what they queue, how they go on, and when they refuse. Stub trials, no Keras."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.search.confirmation.searched import confirm, plan, queued, search_fixture
from tests.search.stub_trials import StubTrial
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.confirmation.candidates_again import RemakingError, read_stored_spec, remake_candidates
from tunefront.search.confirmation.plan import plan_confirmation
from tunefront.search.confirmation.searches import NotASearchError
from tunefront.search.sampling.seeds import trial_seed
from tunefront.search.spec.derived import ConfirmationError
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.end_reason import Ending
from tunefront.storage import answers, studies
from tunefront.storage.answers import Answers
from tunefront.storage.open_study import StudyRecord
from tunefront.storage.population import stages
from tunefront.storage.population.stages import Stage

pytestmark = pytest.mark.usefixtures("fork_server")


def test_the_front_and_near_misses_are_queued_seed_by_seed_and_trained(search: SupervisorFixture) -> None:
    found = plan(search)
    assert [(finalist.number, finalist.is_on_front) for finalist in found.finalists] == [
        (0, True),
        (2, True),
        (1, False),
    ]
    assert (found.n_new, found.n_done, found.n_to_train) == (6, 0, 6)
    fixture = confirm(search, found)
    assert queued(fixture) == [(0, 0), (2, 0), (1, 0), (0, 1), (2, 1), (1, 1)]
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete"] * 6
    ends = [line for line in fixture.view.lines if line.startswith("trial 3: complete")]
    assert [line.partition("; ")[2] for line in ends] == ["training 2 of trial 0"]
    parameters = {trial.number: dict(trial.parameters) for trial in search.trials()}
    assert [dict(trial.parameters) for trial in fixture.trials()] == [
        parameters[number] for number, _ in queued(fixture)
    ]
    kept = answers.load(fixture.study, "test")
    assert kept == {number: Answers([0, 1], [0, number % 2]) for number in range(6)}
    assert answers.load(search.study, "test") == {}


def test_its_spec_is_the_searchs_without_choosing_stopping_and_limits(search: SupervisorFixture) -> None:
    spec = plan(search).spec
    assert (spec.name, spec.confirms, spec.trials) == ("digits.confirmation", "digits", 6)
    assert (spec.seed, spec.data, spec.training) == (search.spec.seed, search.spec.data, search.spec.training)
    assert spec.parsed_space() == search.spec.parsed_space()
    assert spec.pruner.name == "none"
    assert not any(objective.has_limit for objective in spec.parsed_objectives().values())
    assert StudySpec.from_json(spec.as_json()) == spec


def test_the_same_again_queues_nothing_and_more_seeds_what_is_missing(search: SupervisorFixture) -> None:
    fixture = confirm(search, plan(search))
    plan(search).enqueue(fixture.study)
    assert len(queued(fixture)) == 6
    again = plan(search)
    assert (again.n_new, again.n_to_train) == (0, 6)
    assert fixture.run() is Ending.DONE
    assert plan(search).n_to_train == 0
    more = plan(search, n_seeds=3)
    assert (more.n_new, more.n_done, more.n_to_train, more.spec.trials) == (3, 6, 3, 9)
    fewer = plan(search, n_seeds=2, n_near=0)
    assert (fewer.n_new, fewer.n_to_train, fewer.spec.trials) == (0, 0, 6)  # queued trainings stay
    fixture = confirm(search, more)
    assert fixture.run() is Ending.DONE
    assert queued(fixture)[6:] == [(0, 2), (2, 2), (1, 2)]
    assert fixture.states() == ["complete"] * 9


def test_it_goes_on_after_an_interruption(search: SupervisorFixture) -> None:
    fixture = confirm(search, plan(search))
    answers = iter([False] * 3)
    assert fixture.run(lambda: next(answers, True)) is Ending.INTERRUPTED
    assert "waiting" in fixture.states()
    assert confirm(search, plan(search)).run() is Ending.DONE
    assert fixture.states() == ["complete"] * 6


def test_a_new_front_of_a_longer_search_is_added(search: SupervisorFixture) -> None:
    confirm(search, plan(search)).run()
    longer = SupervisorFixture(
        search.folder, make_spec(**{**search.spec.as_json(), "trials": 5}), {4: StubTrial(accuracies=(0.99,) * 3)}
    )
    longer.study.optuna.enqueue_trial({"adam.learning_rate": 0.8})
    assert longer.run() is Ending.DONE
    found = plan(search)
    assert 4 in [finalist.number for finalist in found.finalists]
    fixture = confirm(search, found)
    assert fixture.run() is Ending.DONE
    assert (4, 1) in queued(fixture)
    assert set(queued(fixture)[:6]) == {(0, 0), (2, 0), (1, 0), (0, 1), (2, 1), (1, 1)}


def test_a_training_that_fails_counts_and_none_takes_its_place(search: SupervisorFixture) -> None:
    fixture = confirm(search, plan(search), t1=StubTrial("fail"), t4=StubTrial("exit silently"))
    assert fixture.run() is Ending.DONE
    assert fixture.states() == ["complete", "failed", "complete", "complete", "failed", "complete"]
    again = plan(search)
    assert (again.n_new, again.n_to_train) == (0, 0)
    assert confirm(search, again).run() is Ending.DONE
    assert len(fixture.trials()) == 6


def test_no_training_has_a_seed_of_the_search() -> None:
    of_search = {trial_seed(1, number) for number in range(1000)}
    of_confirmation = {trial_seed(1, number, is_confirmation=True) for number in range(1000)}
    assert len(of_search | of_confirmation) == 2000


def test_describe_tells_what_and_how_long(search: SupervisorFixture) -> None:
    text = plan(search).describe(n_slots=1)
    assert "confirming digits: 2 on the front (trials 0, 2), 1 near miss (trial 1)" in text
    assert "2 seeds each: 6 trainings to do, 0 are done; about" in text
    assert "still under way" not in text
    search.study.optuna.enqueue_trial({})
    assert "still under way" not in plan(search).describe(n_slots=1)  # it has all its trials, and takes no other
    longer = replace(search, spec=search.spec.model_copy(update={"trials": 5}))
    studies.update_spec(search.study, longer.spec.as_json())
    longer.record = (studies.find(search.store, "digits") or search.study).record
    assert "digits is still under way: its front may change" in plan(longer).describe(n_slots=1)


def test_a_study_without_a_front_cannot_be_confirmed(tmp_path: Path) -> None:
    limited = {"accuracy": {"measure": "accuracy", "at_least": 0.99}}
    fixture = SupervisorFixture(tmp_path, make_spec(trials=1, objectives=limited), {})
    with pytest.raises(ConfirmationError, match="has no complete trial yet"):
        plan(fixture)
    fixture.run()
    with pytest.raises(ConfirmationError, match="no complete trial of study 'digits' keeps the limits"):
        plan(fixture)


def test_a_confirmation_is_not_confirmed(search: SupervisorFixture) -> None:
    fixture = confirm(search, plan(search))
    message = (
        "digits.confirmation is the confirmation of digits, and 'tunefront confirm' takes the search: "
        "write 'tunefront confirm digits'"
    )
    with pytest.raises(NotASearchError, match=f"^{message}$"):
        plan_confirmation(fixture.study, 2)


@pytest.mark.parametrize("is_trained", [True, False])
def test_what_confirmed_a_deleted_search_of_that_name_is_refused(search: SupervisorFixture, is_trained: bool) -> None:
    fixture = confirm(search, plan(search))
    if is_trained:
        fixture.run()
    study = fixture.study.optuna
    study.enqueue_trial({"adam.learning_rate": 0.8}, user_attrs={"candidate": 0, "seed": 9})
    if is_trained:
        spec = {**fixture.spec.as_json(), "trials": 7}
        SupervisorFixture(fixture.folder, StudySpec.from_json(spec), {}, url=fixture.url).run()
    with pytest.raises(ConfirmationError, match="confirmed another search of the name 'digits'"):
        plan(search)


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    fixture = SupervisorFixture(tmp_path, make_spec(name="d" * 95, trials=1), {})
    fixture.run()
    with pytest.raises(ConfirmationError, match="is too long to have '.confirmation' added"):
        plan(fixture)


def test_a_file_cannot_open_the_test_split(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('name = "a"\nconfirms = "digits"\n[data]\nsource = "digits"\n')
    with pytest.raises(SpecError, match="study.toml: confirms: only 'tunefront confirm STUDY' sets this key"):
        read_spec(tmp_path / "study.toml")


OWN = """
class Mine:
    def suggest(self, trial):
        return {"units": trial.suggest_int("own.units", 1, HIGH)}

    def build(self, settings, input_shape, n_classes):
        raise NotImplementedError
"""


def test_a_space_that_has_changed_is_refused(tmp_path: Path, search: SupervisorFixture) -> None:
    space, own = search.spec.parsed_space(), dict(search.trials()[0].parameters)
    remake_candidates(search.record, space, {0: own})
    for parameters in ({**own, "adam.learning_rate": 0.15}, {}, {**own, "adam.beta": 1.0}):
        with pytest.raises(RemakingError, match="trial 0 of study 'digits' cannot be made again.*has changed"):
            remake_candidates(search.record, space, {0: parameters})


def test_own_code_that_is_not_here_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "own_space_for_confirming.py"
    file.write_text(OWN.replace("HIGH", "8"))
    spec = make_spec(space=f"{file}:Mine").as_json()
    record = StudyRecord(1, "digits", {**spec, "space": f"{tmp_path / 'gone.py'}:Mine"}, {}, 0.0)
    space = read_stored_spec(record).parsed_space()  # this runs no code
    with pytest.raises(RemakingError, match=r"code of its own that cannot be used here \(.*there is no file"):
        remake_candidates(record, space, {})
    remake_candidates(record, read_stored_spec(StudyRecord(1, "digits", spec, {}, 0.0)).parsed_space(), {})


COURSE = [Stage(1, {"adam.learning_rate": 0.3}), Stage(3, {"adam.learning_rate": 0.2}, weights_of=1)]


def test_settings_that_changed_in_the_search_change_in_each_training_too(tmp_path: Path) -> None:
    fixture = search_fixture(tmp_path)
    drawn = {"adam.learning_rate": 0.1}
    fixture.study.optuna.enqueue_trial(drawn, user_attrs={stages.KEY: stages.as_json(COURSE)})
    fixture.study.optuna.enqueue_trial(drawn)  # the same parameters, but they stay
    assert fixture.run() is Ending.DONE
    found = plan(fixture)
    assert {finalist.number: len(finalist.stages) for finalist in found.finalists} == {0: 2, 1: 0, 2: 0}
    confirmation = confirm(fixture, found)
    assert confirmation.run() is Ending.DONE
    trained = {trial.number: trial for trial in confirmation.trials()}
    attributes = [trial.user_attrs for trial in confirmation.study.optuna.get_trials(deepcopy=False)]
    again = [trained[number] for number, found in enumerate(attributes) if found["candidate"] == 0]
    assert [list(one.stages) for one in again] == [stages.replayed(COURSE)] * 2
    assert [one.parameters["adam.learning_rate"] for one in again] == [0.3, 0.3]
    assert plan(fixture).n_new == 0  # and it is known again
