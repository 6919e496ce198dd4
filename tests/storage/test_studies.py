from __future__ import annotations

import optuna
import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from tests.storage.study_fixture import DATASET, DIRECTIONS, METRICS, SPEC, VALUES, StudyFixture, epoch
from tunefront.storage import curves, studies
from tunefront.storage.database import schema
from tunefront.storage.database.locks import StoreError
from tunefront.storage.outcomes import Outcome


def test_create_saves_spec_and_dataset(fixture: StudyFixture) -> None:
    found = studies.find(fixture.store, "digits")
    assert found is not None
    assert (found.name, found.record.spec, found.record.dataset) == ("digits", SPEC, DATASET)
    assert found.study_id == fixture.record.study_id
    assert found.record.created_at > 1.7e9


def test_create_returns_the_study_when_another_worker_made_it(fixture: StudyFixture) -> None:
    again = studies.create(fixture.store, "digits", {"other": 1}, {}, DIRECTIONS, METRICS)
    assert again == fixture.study


def test_find_gives_none_when_there_is_no_such_study(fixture: StudyFixture) -> None:
    assert studies.find(fixture.store, "Digits") is None


def test_list_all_is_oldest_first_and_leaves_plain_optuna_studies_out(fixture: StudyFixture) -> None:
    optuna.create_study(study_name="plain", storage=fixture.store.optuna)
    studies.create(fixture.store, "another", {**SPEC, "name": "another"}, DATASET, DIRECTIONS, METRICS)
    assert [study.name for study in studies.list_all(fixture.store)] == ["digits", "another"]


def test_create_adopts_an_empty_optuna_study_of_the_same_directions(fixture: StudyFixture) -> None:
    optuna.create_study(study_name="half made", storage=fixture.store.optuna, directions=list(DIRECTIONS))
    assert (
        studies.create(fixture.store, "half made", {**SPEC, "name": "half made"}, DATASET, DIRECTIONS, METRICS).name
        == "half made"
    )


@pytest.mark.parametrize("has_trials", [False, True])
def test_create_refuses_when_an_optuna_study_has_that_name(fixture: StudyFixture, has_trials: bool) -> None:
    directions = list(DIRECTIONS) if has_trials else ["minimize"]
    plain = optuna.create_study(study_name="taken", storage=fixture.store.optuna, directions=directions)
    if has_trials:
        plain.ask()
    with pytest.raises(StoreError, match="'taken'.*another name") as caught:
        studies.create(fixture.store, "taken", SPEC, DATASET, DIRECTIONS, METRICS)
    assert "--storage" in str(caught.value)
    assert studies.find(fixture.store, "taken") is None


def test_update_spec_changes_only_that_study(fixture: StudyFixture) -> None:
    other = studies.create(fixture.store, "other", {**SPEC, "name": "other"}, DATASET, DIRECTIONS, METRICS)
    studies.update_spec(fixture.study, {**SPEC, "trials": 99})
    assert [study.record.spec["trials"] for study in studies.list_all(fixture.store)] == [99, SPEC["trials"]]
    assert studies.find(fixture.store, "other") == other


def test_list_workers_is_oldest_first(fixture: StudyFixture) -> None:
    other = studies.create(fixture.store, "other", {**SPEC, "name": "other"}, DATASET, DIRECTIONS, METRICS)
    studies.register_worker(fixture.study, "anna", "host1", 11, {"n_cpus": 2})
    studies.register_worker(fixture.study, "bert", "host2", 12, {"n_cpus": 4})
    studies.register_worker(other, "carl", "host3", 13, {})
    workers = studies.list_workers(fixture.study)
    assert [(worker.worker_id, worker.host, worker.pid) for worker in workers] == [
        ("anna", "host1", 11),
        ("bert", "host2", 12),
    ]
    assert workers[0].machine == {"n_cpus": 2}


# Studies deleted through Optuna, whose numbers SQLite uses again


def test_a_study_is_gone_when_it_was_deleted_through_optuna(fixture: StudyFixture) -> None:
    optuna.delete_study(study_name="digits", storage=fixture.store.optuna)
    assert studies.find(fixture.store, "digits") is None
    assert studies.list_all(fixture.store) == []


def test_a_study_starts_empty_when_one_of_its_name_was_deleted(fixture: StudyFixture) -> None:
    leased = fixture.lease()
    curves.append(fixture.store, leased[0], epoch(1))
    fixture.finish(leased)
    fixture.finish(fixture.lease(), Outcome.REFUSED)
    fixture.lease()
    studies.register_worker(fixture.study, "anna", "host", 1, {})
    optuna.delete_study(study_name="digits", storage=fixture.store.optuna)

    new = StudyFixture(studies.create(fixture.store, "digits", {**SPEC, "seed": 2}, DATASET, DIRECTIONS, METRICS))
    assert new.record.spec["seed"] == 2
    assert new.trials() == []
    assert studies.list_workers(new.study) == []
    assert new.counts().refused == 0
    assert new.sweep() == []
    lease, trial = new.lease()
    assert (lease.number, lease.attempt) == (0, 1)
    assert new.trials()[0].epochs == []
    assert new.finish((lease, trial))


def test_a_plain_optuna_study_is_not_ours_when_it_got_the_number_of_a_deleted_one(fixture: StudyFixture) -> None:
    optuna.delete_study(study_name="digits", storage=fixture.store.optuna)
    optuna.create_study(study_name="plain", storage=fixture.store.optuna)
    assert studies.find(fixture.store, "plain") is None
    assert studies.list_all(fixture.store) == []


# Studies deleted by tunefront, with everything that belongs to them


def rows_of(fixture: StudyFixture, study_id: int) -> dict[str, int]:
    """Count the rows of each of our and Optuna's tables that name the study or one of its trials."""
    tables = sa.MetaData()
    tables.reflect(fixture.store.engine)
    counts = {}
    with fixture.store.engine.connect() as connection:
        trial_ids = sa.select(tables.tables["trials"].c.trial_id).where(tables.tables["trials"].c.study_id == study_id)
        for name, table in tables.tables.items():
            if "study_id" in table.c:
                is_its = table.c.study_id == study_id
            elif "trial_id" in table.c:
                is_its = table.c.trial_id.in_(trial_ids)
            else:
                continue
            counts[name] = connection.execute(sa.select(sa.func.count()).select_from(table).where(is_its)).scalar_one()
    return {name: count for name, count in counts.items() if count}


def fill_study(fixture: StudyFixture, worker: str) -> StudyFixture:
    """Fill a study with a complete and a refused trial, a curve, a worker that ended, and a constraint."""
    studies.register_worker(fixture.study, worker, "host", 1, {"host_name": "here"})
    leased = fixture.lease(worker)
    curves.append(fixture.store, leased[0], epoch(1))
    fixture.finish(leased, violations=[-1.0])
    fixture.finish(fixture.lease(worker), Outcome.REFUSED)
    return fixture


def test_delete_leaves_no_row_of_the_study_and_every_row_of_others(fixture: StudyFixture) -> None:
    fill_study(fixture, "anna")
    other = fill_study(StudyFixture.on(fixture.store, "other"), "bert")
    before = rows_of(other, other.record.study_id)
    assert rows_of(fixture, fixture.record.study_id).keys() == before.keys()
    assert {"tunefront_epochs", "tunefront_attempts", "trials", "trial_values", "studies"} <= before.keys()
    studies.delete(fixture.store, [fixture.study], ended_workers=["anna"])
    assert [study.name for study in studies.list_all(fixture.store)] == ["other"]
    assert optuna.get_all_study_names(fixture.store.optuna) == ["other"]
    assert rows_of(fixture, fixture.record.study_id) == {}
    assert rows_of(other, other.record.study_id) == before
    with fixture.store.engine.connect() as connection:  # no row about a trial may outlive its trial
        orphans = "SELECT count(*) FROM trial_params WHERE trial_id NOT IN (SELECT trial_id FROM trials)"
        assert connection.execute(sa.text(orphans)).scalar_one() == 0


def test_delete_refuses_while_a_lease_is_valid(fixture: StudyFixture) -> None:
    studies.register_worker(fixture.study, "anna", "host", 4711, {"host_name": "far away"})
    fixture.lease("anna")
    with pytest.raises(
        StoreError, match="'digits' is being worked on, by process 4711 on far away: end that"
    ) as caught:
        studies.delete(fixture.store, [fixture.study])
    assert "after 60 s" in str(caught.value)
    assert studies.find(fixture.store, "digits") == fixture.study


def test_delete_refuses_while_a_worker_was_seen_a_moment_ago(fixture: StudyFixture) -> None:
    other = studies.create(fixture.store, "other", {**SPEC, "name": "other"}, DATASET, DIRECTIONS, METRICS)
    studies.register_worker(other, "anna", "host", 4711, {})
    with pytest.raises(StoreError, match="'other' is being worked on, by process 4711 on host"):
        studies.delete(fixture.store, [fixture.study, other])
    assert len(studies.list_all(fixture.store)) == 2  # nothing was deleted
    studies.delete(fixture.store, [fixture.study, other], ended_workers=["anna"])
    assert studies.list_all(fixture.store) == []


def test_delete_takes_a_worker_that_was_not_seen_for_a_lease_as_lost(fixture: StudyFixture) -> None:
    studies.register_worker(fixture.study, "anna", "host", 4711, {})
    fixture.lease("anna")
    fixture.expire("anna")
    with fixture.store.engine.begin() as connection:
        connection.execute(schema.workers.update().values(seen_at=schema.workers.c.seen_at - 61))
    studies.delete(fixture.store, [fixture.study])
    assert studies.list_all(fixture.store) == []


def test_delete_does_nothing_when_the_study_is_gone_already(fixture: StudyFixture) -> None:
    optuna.delete_study(study_name="digits", storage=fixture.store.optuna)
    plain = optuna.create_study(
        study_name="plain", storage=fixture.store.optuna
    )  # gets our study's old number on SQLite
    studies.delete(fixture.store, [fixture.study])
    assert optuna.get_all_study_names(fixture.store.optuna) == [plain.study_name]


def test_optuna_goes_on_with_the_study(fixture: StudyFixture) -> None:
    # A trial that Optuna ran itself is like any other: it is counted and listed, and has no curve.
    study = optuna.load_study(study_name="digits", storage=fixture.store.optuna)
    study.tell(study.ask(), VALUES)
    study.tell(study.ask(), state=TrialState.FAIL)
    assert [(trial.state, trial.values, trial.n_attempts) for trial in fixture.trials()] == [
        ("complete", VALUES, 0),
        ("failed", None, 0),
    ]
    assert (fixture.counts().complete, fixture.counts().failed) == (1, 1)
