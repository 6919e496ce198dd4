"""A worker of several studies: by priority, then fairly, and it leaves to others what it cannot work on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.search.fleet.fleet_fixture import DATASET, FleetFixture, check_exact
from tunefront.storage import studies
from tunefront.storage.attempts import Attempt
from tunefront.storage.control import study_control
from tunefront.storage.control.processes import list_processes
from tunefront.storage.database import schema
from tunefront.storage.open_study import OpenStudy

pytestmark = pytest.mark.usefixtures("fork_server")


@pytest.fixture
def fixture(tmp_path: Path) -> FleetFixture:
    return FleetFixture(tmp_path)


def most_at_once(attempts: list[Attempt]) -> int:
    """Return the largest number of attempts that ran at one time."""
    return max(sum(a.started_at <= b.started_at < (a.ended_at or 0.0) for a in attempts) for b in attempts)


def test_studies_run_by_priority_and_each_ends_exact(fixture: FleetFixture) -> None:
    low = fixture.submit("low", 1, priority=-1)
    high = fixture.submit("high", 2, priority=5)
    middle = fixture.submit("middle", 1)
    assert fixture.work() == []
    check_exact(fixture, [(low, 1), (high, 2), (middle, 1)])
    starts = sorted((each.started_at, study.name) for study in (low, high, middle) for each in fixture.attempts(study))
    assert [name for _, name in starts] == ["high", "high", "middle", "low"]
    assert fixture.view.lines_with("the study is over") == [
        f"{name}: the study is over: done" for name in ("high", "middle", "low")
    ]
    assert (fixture.folder / "results" / "middle" / "logs" / "trial-0.log").exists()
    # One process, a row as a worker of each study, and all rows name the process.
    (process,) = list_processes(fixture.store)
    with fixture.store.engine.connect() as connection:
        rows = connection.execute(sa.select(schema.workers.c.process_id, schema.workers.c.study_id)).all()
    assert sorted(rows) == [(process.process_id, study.study_id) for study in (low, high, middle)]
    assert process.ended_at is not None


def test_studies_of_one_priority_share_the_slots(fixture: FleetFixture) -> None:
    """Of two slots each study gets one, as long as both have trials; of trials elsewhere the store tells."""
    fixture.pause_seconds = 0.3
    first, second = fixture.submit("first", 4), fixture.submit("second", 4)
    assert fixture.work(n_slots=2) == []
    check_exact(fixture, [(first, 4), (second, 4)])
    attempts = {study.name: fixture.attempts(study) for study in (first, second)}
    # The second is begun when its data are prepared. From then on the slots alternate, as long as both have trials.
    begun = attempts["second"][0].started_at
    last = max(each.started_at for each in attempts["first"])
    for name, runs in attempts.items():
        together = [each for each in runs if begun <= each.started_at <= last]
        assert len(together) < 2 or most_at_once(together) == 1, name


def test_a_study_alone_gets_all_slots_and_a_paused_one_none(fixture: FleetFixture) -> None:
    paused, alone = fixture.submit("paused", 2, priority=9), fixture.submit("alone", 3)
    study_control.pause(paused, "anna@north")
    fixture.pause_seconds = 100.0
    assert fixture.work(3, lambda: len(fixture.attempts(alone)) == 3) == ["paused", "alone"]
    assert [each.ending for each in fixture.attempts(alone)] == ["returned"] * 3  # all three ran together
    fixture.pause_seconds = 0.0
    assert fixture.work(3) == ["paused"]
    check_exact(fixture, [(alone, 3)])
    assert fixture.attempts(paused) == []


def test_only_one_study_is_worked_on_if_a_person_says_so(fixture: FleetFixture) -> None:
    other, wanted = fixture.submit("other", 1, priority=9), fixture.submit("wanted", 1)
    assert fixture.work(only="wanted") == []
    check_exact(fixture, [(wanted, 1)])
    assert fixture.attempts(other) == []


def test_a_drained_worker_gives_back_what_runs_and_the_next_one_goes_on(fixture: FleetFixture) -> None:
    fixture.pause_seconds = 100.0
    first, second = fixture.submit("first", 1), fixture.submit("second", 1)

    def have_both_begun() -> bool:
        return all(fixture.attempts(study) for study in (first, second))

    assert fixture.work(2, have_both_begun) == ["first", "second"]
    assert [each.ending for study in (first, second) for each in fixture.attempts(study)] == ["returned"] * 2
    assert not fixture.is_over(first)
    fixture.pause_seconds = 0.0
    assert fixture.work(2) == []
    check_exact(fixture, [(first, 1), (second, 1)])


def test_a_study_that_was_deleted_while_it_ran_is_left(fixture: FleetFixture) -> None:
    fixture.pause_seconds = 0.2
    doomed, other = fixture.submit("doomed", 50, priority=3), fixture.submit("other", 1)

    def delete_it() -> bool:
        if studies.find(fixture.store, "doomed") is not None and fixture.attempts(doomed):
            import optuna

            optuna.delete_study(study_name="doomed", storage=fixture.store.optuna)
        return False

    assert fixture.work(1, delete_it) == []
    check_exact(fixture, [(other, 1)])
    assert len(fixture.view.lines_with("doomed: this machine leaves the study to others: the study 'doomed' was")) == 1


def rewrite_spec(study: OpenStudy, **changes: object) -> None:
    """Write a study's spec as another version of tunefront would, or somebody who forges it."""
    with study.store.engine.begin() as connection:
        spec = json.dumps({**study.record.spec, **changes})
        connection.execute(schema.studies.update().where(schema.studies.c.study_id == study.study_id).values(spec=spec))


def test_a_spec_of_another_version_is_left_to_others_and_stays_as_it_is(fixture: FleetFixture) -> None:
    newer, known = fixture.submit("newer", 2, priority=5), fixture.submit("known", 1)
    rewrite_spec(newer, quantum={"qubits": 3})
    before = studies.find(fixture.store, "newer")
    assert fixture.work() == ["newer"]
    check_exact(fixture, [(known, 1)])
    told = fixture.view.lines_with("newer:")
    assert len(told) == 1
    assert "this tunefront cannot read its spec (quantum: " in told[0]
    assert "use the version that submitted it" in told[0]
    after = studies.find(fixture.store, "newer")
    assert before is not None
    assert after is not None
    assert (after.record, fixture.attempts(newer), fixture.is_over(newer)) == (before.record, [], False)


def test_a_machine_with_other_data_says_what_differs(tmp_path: Path) -> None:
    digests = {"images": "a", "labels": "other", "splits": "c"}
    here = {**DATASET, "fingerprint": "1" * 16, "n_train": 9, "n_test": 6, "digests": digests}
    fixture = FleetFixture(tmp_path, dataset=here)
    study = fixture.submit("photos", 2)
    assert fixture.work() == ["photos"]
    assert fixture.view.lines_with("photos") == [
        "photos: this machine leaves the study to others: its data are not those of this machine. What differs: the "
        "labels (training has 9 here and 10 there, test has 6 here and 5 there). Put the data that the study began "
        "with where its spec says"
    ]
    assert fixture.attempts(study) == []


def test_code_and_paths_of_a_forged_spec_are_left_alone(fixture: FleetFixture, tmp_path: Path) -> None:
    """Whoever can write to the store can write any spec; nothing of it is run or read, and others go on."""
    code = tmp_path / "evil.py"
    code.write_text(f"open({str(tmp_path / 'was run')!r}, 'w')")
    space, data, known = fixture.submit("space", 1), fixture.submit("data", 1), fixture.submit("known", 1)
    rewrite_spec(space, space=f"{code}:space")
    rewrite_spec(data, data={"source": "folder", "path": str(tmp_path)})
    assert fixture.work() == ["space", "data"]
    check_exact(fixture, [(known, 1)])
    assert not (tmp_path / "was run").exists()
    (told,) = fixture.view.lines_with("space: this machine")
    assert f"it runs the code of {code}, which was not approved on this machine" in told
    (told,) = fixture.view.lines_with("data: this machine")
    assert f"data.path is {tmp_path}, which lies below no --data-root" in told
    assert fixture.attempts(space) == fixture.attempts(data) == []
