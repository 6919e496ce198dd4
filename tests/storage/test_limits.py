"""Other limits for finished trials, on SQLite and PostgreSQL: each number below is worked out by hand."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from tests.storage.death import Death
from tests.storage.study_fixture import StudyFixture, with_limits
from tunefront.storage import limits, refused_candidates, studies
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

OLD = {"accuracy": {"at_least": 0.5}, "time": {"at_most": 10.0}}


def measured(accuracy: float, model_bytes: float = 1000.0, train_seconds: float = 5.0) -> dict[str, float]:
    return {"accuracy": accuracy, "model_bytes": model_bytes, "train_seconds": train_seconds}


@pytest.fixture
def limited(fixture: StudyFixture) -> StudyFixture:
    """Five finished trials under OLD.

    ======  ========  ========  ======  ================================================
    number  state     accuracy  time    what was stored
    ======  ========  ========  ======  ================================================
    0       complete  0.7       5       keeps both limits
    1       complete  0.4       5       breaks the first
    2       pruned    -         -       best possible accuracy 0.45
    3       pruned    -         -       at least 12 s; an older tunefront stored it
    4       complete  0.6       5       no list, told by a person
    ======  ========  ========  ======  ================================================
    """
    studies.update_spec(fixture.study, with_limits(fixture, **OLD))
    fixture.finish(fixture.lease(), measurements=measured(0.7), violations=[-0.2, -5.0])
    reason = "accuracy 40.00 % breaks its limit of at least 50.00 %"
    fixture.finish(fixture.lease(), measurements=measured(0.4), violations=[0.1, -5.0], reason=reason)
    fixture.finish(fixture.lease(), Outcome.PRUNED, measurements=measured(0.3), violations=[0.05, 0.0])
    leased = fixture.lease()
    leased[1].set_constraint("train_seconds", 2.0)
    fixture.finish(leased, Outcome.PRUNED, measurements=measured(0.3))
    leased = fixture.lease()
    fixture.study.optuna.tell(leased[0].number, [0.6, 1000.0, 5.0])
    fixture.sweep("anna")
    return fixture


def change(fixture: StudyFixture, **new: dict[str, float]) -> list[int]:
    with fixture.store.exclusively():
        return limits.change(study_of(fixture), with_limits(fixture, **new))


def study_of(fixture: StudyFixture) -> OpenStudy:
    study = studies.find(fixture.store, "digits")
    assert study is not None
    return study


def stored(fixture: StudyFixture) -> list[Any]:
    """Return the constraints of each trial as Optuna reads them, with a storage of its own."""
    study = optuna.load_study(study_name="digits", storage=fixture.store.url)
    found = [trial.system_attrs for trial in study.trials]
    study._storage.remove_session()
    assert not [key for attributes in found for key in attributes if key.startswith("constraints:")]
    return [attributes.get("constraints") for attributes in found]


def rounded(lists: list[Any]) -> list[Any]:
    return [[round(number, 9) for number in each] for each in lists]


def test_tighter_limits(limited: StudyFixture) -> None:
    assert change(limited, accuracy={"at_least": 0.65}, time={"at_most": 4.0}) == []
    # The prediction for trial 2 was 0.45, and for trial 3 12 s; their other violations stay unknown.
    expected = [[-0.05, 1.0], [0.25, 1.0], [0.2, 0.0], [0.0, 8.0], [0.05, 1.0]]
    assert rounded(stored(limited)) == expected
    assert [trial.is_feasible for trial in limited.trials()] == [False] * 5
    reasons = [trial.reason for trial in limited.trials()]
    assert reasons[0] == "train_seconds 5 s breaks its limit of at most 4 s"
    assert reasons[1] == "accuracy 40.00 % breaks its limit of at least 65.00 %"
    assert reasons[4] == "accuracy 60.00 % breaks its limit of at least 65.00 %"


def test_relaxed_limits(limited: StudyFixture) -> None:
    assert change(limited, accuracy={"at_least": 0.4}, time={"at_most": 20.0}) == [2, 3]
    assert rounded(stored(limited)) == [[-0.3, -15.0], [0.0, -15.0], [-0.05, 0.0], [0.0, -8.0], [-0.2, -15.0]]
    assert [trial.is_feasible for trial in limited.trials()] == [True] * 5
    assert [trial.reason for trial in limited.trials()] == [""] * 5
    assert [trial.state for trial in limited.trials()] == ["complete", "complete", "pruned", "pruned", "complete"]


def test_there_and_back_is_as_it_was(limited: StudyFixture) -> None:
    change(limited, **OLD)  # brings the stored violations of all trials into the present form
    before = rounded(stored(limited))
    reasons = [trial.reason for trial in limited.trials()]
    assert before == [[-0.2, -5.0], [0.1, -5.0], [0.05, 0.0], [0.0, 2.0], [-0.1, -5.0]]
    change(limited, accuracy={"at_least": 0.3}, time={"at_most": 1.0})
    change(limited, **OLD)
    assert rounded(stored(limited)) == before
    assert [trial.reason for trial in limited.trials()] == reasons


@pytest.mark.parametrize(
    "between",
    [{}, {"time": {"at_most": 10.0}}, {"accuracy": {"at_least": 0.9}}, {"memory": {"at_most": 800.0}}],
    ids=["no limit", "one is gone", "the other is gone and one tighter", "another one"],
)
def test_a_limit_that_is_taken_out_and_put_back_is_as_it_was(
    limited: StudyFixture, between: dict[str, dict[str, float]]
) -> None:
    change(limited, **OLD)
    before, reasons = rounded(stored(limited)), [trial.reason for trial in limited.trials()]
    change(limited, **between)
    change(limited, **OLD)
    assert rounded(stored(limited)) == before
    assert [trial.reason for trial in limited.trials()] == reasons
    assert change(limited, accuracy={"at_least": 0.45}, time={"at_most": 10.0}) == [2]  # its best end was 0.45
    assert rounded(stored(limited))[2] == [0.0, 0.0]


def test_no_limits_at_all_leave_no_key(limited: StudyFixture) -> None:
    assert change(limited) == [2, 3]
    assert stored(limited) == [None] * 5
    assert all(trial.is_feasible for trial in limited.trials())


def test_a_limit_where_there_was_none(limited: StudyFixture) -> None:
    assert change(limited, memory={"at_most": 800.0}) == []
    assert stored(limited) == [[200.0]] * 5  # known for stopped trials too, because the built model tells it
    assert limited.trials()[0].reason == "model_bytes 1 kB breaks its limit of at most 800 B"


def test_whatever_else_is_said_of_a_trial_stays(fixture: StudyFixture) -> None:
    reason = "complete, but its model was not kept: disk full"
    fixture.finish(fixture.lease(), measurements=measured(0.4), reason=reason)
    change(fixture, accuracy={"at_least": 0.5})
    assert [(trial.reason, trial.is_feasible) for trial in fixture.trials()] == [(reason, False)]


def test_the_spec_and_a_note_come_with_it(limited: StudyFixture) -> None:
    change(limited, accuracy={"at_least": 0.65})
    change(limited)
    assert study_of(limited).record.spec == with_limits(limited)
    notes = study_of(limited).optuna.user_attrs[limits.CHANGES]
    assert notes == [
        {
            "n_finished": 5,
            "before": "accuracy at least 50.00 %, train_seconds at most 10 s",
            "after": "accuracy at least 65.00 %",
        },
        {"n_finished": 5, "before": "accuracy at least 65.00 %", "after": "none"},
    ]


def test_it_changes_all_or_nothing_when_its_process_dies(limited: StudyFixture) -> None:
    change(limited, **OLD)
    before = (stored(limited), study_of(limited).record.spec, [trial.reason for trial in limited.trials()])
    new = {"accuracy": {"at_least": 0.65}}
    death = Death(limited, is_real=False, only_at_commits=False)
    for n_steps in range(100):
        died = death.at_step(n_steps, lambda fixture: change(fixture, **new))
        if not died:
            break
        found = (stored(limited), study_of(limited).record.spec, [trial.reason for trial in limited.trials()])
        if found[1] != before[1]:
            break  # all statements are committed, and the rest only reads
        assert found == before, died
    assert study_of(limited).record.spec == with_limits(limited, **new)
    assert rounded(stored(limited)) == [[-0.05], [0.25], [0.2], [0.0], [0.05]]
    assert n_steps > 10


def test_other_studies_keep_what_they_have(limited: StudyFixture) -> None:
    other = StudyFixture.make(limited.store.url, name="other")
    other.finish(other.lease(), Outcome.PRUNED, violations=[0.7])
    change(limited)
    assert [trial.is_feasible for trial in other.trials()] == [False]
    other.store.optuna.remove_session()
    other.store.engine.dispose()


# Refused candidates


def refuse(fixture: StudyFixture, model_bytes: float) -> int:
    lease, trial = fixture.lease()
    trial.suggest_float("adam.learning_rate", 0.0, 1.0)
    measurements = {"model_bytes": model_bytes}
    fixture.finish((lease, trial), Outcome.REFUSED, measurements=measurements, violations=[model_bytes - 1000.0])
    return lease.number


def queue_again(fixture: StudyFixture) -> dict[int, int]:
    with fixture.store.exclusively():
        return refused_candidates.queue_again(study_of(fixture))


def test_refused_candidates_are_queued_once_more_when_the_limit_lets_them(fixture: StudyFixture) -> None:
    studies.update_spec(fixture.study, with_limits(fixture, memory={"at_most": 1000.0}))
    assert [refuse(fixture, size) for size in (1500.0, 3000.0, 1200.0)] == [0, 1, 2]
    fixture.finish(fixture.lease())
    assert queue_again(fixture) == {}
    assert change(fixture, memory={"at_most": 2000.0}) == []  # a refused trial does not count as stopped
    assert queue_again(fixture) == {0: 4, 2: 5}
    assert queue_again(fixture) == {}
    records = fixture.trials()
    assert [record.state for record in records] == ["refused"] * 3 + ["complete"] + ["waiting"] * 2
    assert [record.queued_again_as for record in records] == [4, None, 5, None, None, None]
    lease, trial = fixture.lease()
    assert trial.suggest_float("adam.learning_rate", 0.0, 1.0) == records[0].parameters["adam.learning_rate"]
    assert (lease.number, stored(fixture)[:3]) == (4, [[-500.0], [1000.0], [-800.0]])


def test_a_candidate_is_queued_again_when_it_was_refused_under_its_new_number(fixture: StudyFixture) -> None:
    studies.update_spec(fixture.study, with_limits(fixture, memory={"at_most": 1000.0}))
    refuse(fixture, 1500.0)
    change(fixture, memory={"at_most": 2000.0})
    assert queue_again(fixture) == {0: 1}
    change(fixture, memory={"at_most": 1000.0})
    assert refuse(fixture, 1500.0) == 1
    change(fixture)
    assert queue_again(fixture) == {1: 2}
