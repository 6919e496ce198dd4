"""What people wish of studies, processes and trials reaches workers, on every kind of database."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from tests.storage.study_fixture import StudyFixture
from tunefront.storage import queue, studies
from tunefront.storage.control import cancellation, processes, study_control
from tunefront.storage.control.wishes import StudyWish, Wish, wishes_for
from tunefront.storage.database import schema
from tunefront.storage.database.locks import StoreError
from tunefront.storage.outcomes import Outcome

ANNA = "anna@north"


def wish_for(fixture: StudyFixture) -> Wish:
    return wishes_for(fixture.store, "none", [fixture.study.study_id]).studies[fixture.study.study_id]


def test_a_study_is_paused_stopped_and_opened_again(fixture: StudyFixture) -> None:
    study = fixture.study
    assert wish_for(fixture) == Wish(StudyWish.OPEN, "")
    study_control.pause(study, ANNA)
    assert wish_for(fixture) == Wish(StudyWish.PAUSED, ANNA)
    study_control.pause(study, "bert@south", now=True)
    assert wish_for(fixture) == Wish(StudyWish.PAUSED_NOW, "bert@south")
    study_control.stop(study, ANNA)
    assert wish_for(fixture) == Wish(StudyWish.STOPPED, ANNA)
    found = study_control.read(study)
    now = studies.database_time(fixture.store)
    assert found.wished_at is not None
    assert now - 60 < found.wished_at <= now
    study_control.resume(study, ANNA)
    assert wish_for(fixture) == Wish(StudyWish.OPEN, ANNA)


def test_only_submitted_studies_that_are_open_and_not_over_are_taken_by_priority_then_age(
    fixture: StudyFixture,
) -> None:
    made = {name: StudyFixture.on(fixture.store, name).study for name in ("old", "urgent", "young", "own", "rest")}
    for name in ("old", "urgent", "young", "rest"):
        study_control.submit(made[name])
    study_control.set_priority(made["urgent"], 5)
    study_control.set_priority(made["rest"], -1)
    assert [each.name for each in study_control.open_studies(fixture.store)] == ["urgent", "old", "young", "rest"]
    study_control.pause(made["old"], ANNA)
    study_control.note_over(made["young"])
    assert [each.name for each in study_control.open_studies(fixture.store)] == ["urgent", "rest"]
    study_control.resume(made["old"], ANNA)
    study_control.note_over(made["rest"])
    study_control.resume(made["rest"], ANNA)  # over or not is found out anew
    study_control.submit(made["young"])  # with more trials, say
    assert [(each.name, each.priority) for each in study_control.open_studies(fixture.store)] == [
        ("urgent", 5),
        ("old", 0),
        ("young", 0),
        ("rest", -1),
    ]
    assert not study_control.read(made["own"]).is_open  # its own command alone takes it


def test_running_trials_are_counted_by_study_without_those_whose_lease_ran_out(fixture: StudyFixture) -> None:
    other = StudyFixture.on(fixture.store, "other")
    for made in (fixture, other):
        study_control.submit(made.study)
    fixture.lease("anna")
    fixture.lease("anna", slot="cpu1")
    other.lease("bert")
    assert [each.n_running for each in study_control.open_studies(fixture.store)] == [2, 1]
    fixture.expire("bert")
    assert [each.n_running for each in study_control.open_studies(fixture.store)] == [2, 0]


def test_a_look_is_one_query_and_an_order_of_studies_too_however_many_trials_there_are(fixture: StudyFixture) -> None:
    process = processes.register_process(fixture.store, "p", "boot", "north", 7, ["cpu"])
    for _ in range(3):
        fixture.finish(fixture.lease())
    statements: list[str] = []

    @sa.event.listens_for(fixture.store.engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    wishes_for(fixture.store, process, [fixture.study.study_id])
    study_control.open_studies(fixture.store)
    sa.event.remove(fixture.store.engine, "before_cursor_execute", note)
    assert len(statements) == 3  # the second asks for the tables' version first
    assert not any(table in " ".join(statements) for table in ("tunefront_attempts", " trials", "tunefront_epochs"))


def test_a_study_that_the_dashboard_deleted_is_not_taken(fixture: StudyFixture) -> None:
    study_control.submit(fixture.study)
    fixture.store.optuna.delete_study(fixture.study.study_id)
    assert study_control.open_studies(fixture.store) == []


def test_a_worker_is_told_by_its_name_to_end(fixture: StudyFixture) -> None:
    store = fixture.store
    assert processes.register_process(store, "one", "boot", "north", 7, ["cpu", "cpu"]) == "north-7"
    # Two containers may have one host's name, and process numbers of their own.
    assert processes.register_process(store, "two", "boot 2", "north", 7, ["A100"]) == "north-7-2"
    assert processes.register_process(store, "three", "boot", "south", 8, ["A100"], name="night shift") == "night shift"
    assert {each.name: each.devices for each in processes.running_processes(store)} == {
        "north-7": ("cpu", "cpu"),
        "north-7-2": ("A100",),
        "night shift": ("A100",),
    }
    with pytest.raises(StoreError, match="no worker named 'north' runs. These run: night shift, north-7, north-7-2"):
        processes.drain_worker(store, "north", ANNA)
    assert processes.drain_worker(store, "north-7-2", ANNA).process_id == "two"
    assert [wishes_for(store, each, []).drained_by for each in ("one", "two", "three")] == ["", ANNA, ""]
    processes.note_ended(store, "two")
    with pytest.raises(StoreError, match="no worker named 'north-7-2' runs. These run: night shift, north-7$"):
        processes.drain_worker(store, "north-7-2", ANNA)
    assert processes.register_process(store, "four", "boot 2", "north", 7, ["A100"]) == "north-7-2"
    assert wishes_for(store, "four", []).drained_by == ""


def test_a_process_is_seen_when_it_renews_its_leases_and_when_it_says_so(fixture: StudyFixture) -> None:
    store = fixture.store
    processes.register_process(store, "", "boot", "north", 7, ["cpu"])  # "" is who has opened this store
    with store.engine.begin() as connection:
        connection.execute(schema.processes.update().values(seen_at=0.0))
    assert processes.running_processes(store) == []
    queue.renew(store, "anna")
    assert [each.name for each in processes.running_processes(store)] == ["north-7"]
    with store.engine.begin() as connection:
        connection.execute(schema.processes.update().values(seen_at=0.0))
    processes.note_alive(store, "")
    assert [each.name for each in processes.running_processes(store)] == ["north-7"]


def test_an_older_tunefront_that_still_runs_writes_rows_without_what_it_does_not_know(fixture: StudyFixture) -> None:
    row = {"study_id": fixture.study.study_id, "worker_id": "old", "host": "boot", "pid": 7, "machine": "{}"}
    names = ", ".join([*row, "started_at", "seen_at"])
    with fixture.store.engine.begin() as connection:
        values = ", ".join(f":{name}" for name in row)
        connection.execute(sa.text(f"INSERT INTO tunefront_workers ({names}) VALUES ({values}, 1.0, 1.0)"), row)
        connection.execute(
            sa.text(
                "INSERT INTO tunefront_studies (study_id, name, spec, dataset, created_at) "
                "VALUES (77, 'theirs', '{}', '{}', 1.0)"
            )
        )
        is_theirs = schema.studies.c.study_id == 77
        found = connection.execute(sa.select(schema.studies.c.priority, schema.studies.c.wish).where(is_theirs))
        assert found.one() == (0, "open")
        assert connection.execute(sa.select(schema.workers.c.process_id)).scalar_one() == ""
    assert [worker.worker_id for worker in studies.list_workers(fixture.study)] == ["old"]


def test_a_waiting_trial_is_cancelled_at_once(fixture: StudyFixture) -> None:
    fixture.study.optuna.enqueue_trial({})
    fixture.study.optuna.enqueue_trial({})
    assert cancellation.cancel(fixture.study, 0, ANNA)
    found = fixture.trials()[0]
    assert (found.state, found.reason, found.n_attempts) == ("cancelled", "cancelled by anna@north", 0)
    assert fixture.study.optuna.get_trials()[0].state == TrialState.FAIL
    counts = fixture.counts()
    assert (counts.cancelled, counts.failed, counts.waiting) == (1, 0, 1)
    assert fixture.lease()[0].number == 1  # the cancelled one is not done again


def test_a_member_of_a_population_is_cancelled_between_its_turns(fixture: StudyFixture) -> None:
    for _ in range(2):
        fixture.finish(fixture.lease(), Outcome.PAUSED)
    assert cancellation.cancel(fixture.study, 0, ANNA)
    found = fixture.trials()[0]
    assert (found.state, found.n_attempts, found.is_paused) == ("cancelled", 1, False)  # two turns are one training


def test_a_running_trial_is_cancelled_by_its_worker(fixture: StudyFixture) -> None:
    leased = fixture.lease()
    assert not cancellation.cancel(fixture.study, 0, ANNA)
    assert not cancellation.cancel(fixture.study, 0, "bert@south")  # once more changes who
    study_id = fixture.study.study_id
    wished = wishes_for(fixture.store, "none", [study_id]).cancelled[study_id]
    assert wished == {0: "bert@south"}
    assert cancellation.carry_out(fixture.study, wished, running=[0]) == []
    assert fixture.finish(leased, Outcome.CANCELLED, reason=cancellation.describe_cancelled(wished[0]))
    found = fixture.trials()[0]
    assert (found.state, found.reason, found.n_attempts) == ("cancelled", "cancelled by bert@south", 1)
    assert fixture.counts().cancelled == 1
    assert cancellation.carry_out(fixture.study, wished) == []  # forgets the wish
    assert wishes_for(fixture.store, "none", [study_id]).cancelled == {}


def test_a_trial_that_lost_its_worker_while_it_was_cancelled_ends_when_it_is_back_in_the_queue(
    fixture: StudyFixture,
) -> None:
    fixture.lease("anna")
    cancellation.cancel(fixture.study, 0, ANNA)
    wished = {0: ANNA}
    assert cancellation.carry_out(fixture.study, wished) == []  # its worker may still read it
    assert fixture.sweep("anna") == [0]
    assert cancellation.carry_out(fixture.study, wished) == [0]
    found = fixture.trials()[0]
    assert (found.state, found.reason, found.n_attempts) == ("cancelled", "cancelled by anna@north", 1)
    study_id = fixture.study.study_id
    assert wishes_for(fixture.store, "none", [study_id]).cancelled == {}


def test_only_a_trial_that_has_not_ended_is_cancelled(fixture: StudyFixture) -> None:
    with pytest.raises(StoreError, match="study 'digits' has no trial 0: it has no trials yet"):
        cancellation.cancel(fixture.study, 0, ANNA)
    fixture.finish(fixture.lease())
    with pytest.raises(StoreError, match="trial 0 of study 'digits' has ended already"):
        cancellation.cancel(fixture.study, 0, ANNA)
    for number in (-1, 1):
        with pytest.raises(StoreError, match=f"study 'digits' has no trial {number}: its trials are 0 to 0"):
            cancellation.cancel(fixture.study, number, ANNA)
