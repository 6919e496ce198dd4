"""Files of trials that are brought to artifacts before the store is told, by supervisors with stub trials."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from tests.s3_server import S3Server
from tests.search.stub_trials import StubTrial
from tests.search.supervisor.outage_fixture import (
    WAITS,
    check_each_trained_once,
    lines_with,
    make,
    on_statement,
    run_together,
    spooled,
    wait_until,
)
from tests.search.supervisor.uploads.uploaded_files import away, log_digest, make_fixture, model_digest, sha256
from tests.search.supervisor.uploads.uploading_worker import run_uploading
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tests.silent_proxy import SilentProxy
from tests.small_disk import small_disk_at
from tunefront.search.supervisor.contact.delivery import deliver_left_results
from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.end_reason import Ending
from tunefront.search.supervisor.uploads.upload import upload
from tunefront.storage import queue
from tunefront.storage.artifacts import rows, study_artifacts
from tunefront.storage.artifacts.address import open_artifacts
from tunefront.storage.artifacts.artifact_store import ArtifactsAwayError
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.artifacts.model_files import bring_models
from tunefront.storage.database.waits import Waits
from tunefront.storage.outcomes import Outcome

pytestmark = pytest.mark.usefixtures("fork_server")


@pytest.mark.timeout(60)
def test_models_and_logs_lie_in_the_artifacts_before_a_result_is_told(tmp_path: Path) -> None:
    fixture = make_fixture(tmp_path, n_slots=2)
    place = FolderArtifacts(tmp_path / "artifacts")
    found: list[set[str]] = []
    with on_statement(fixture.store.engine, "INSERT INTO trial_values", lambda: found.append(set(place.digests()))):
        assert fixture.run() is Ending.DONE
    assert any({model_digest(number), log_digest(number)} <= found[0] for number in (0, 1))
    check_each_trained_once([fixture], 4)
    read = rows.read(fixture.study, ("models", "logs"))
    for number in range(4):
        digests = {file.name: file.digest for file in read[number]}
        card = (fixture.out / f"models/trial-{number}.json").read_text()
        assert digests == {
            f"models/trial-{number}.keras": model_digest(number),
            f"models/trial-{number}.json": sha256(card),
            f"logs/trial-{number}.log": log_digest(number),
        }
        assert set(digests.values()) <= set(place.digests())
    assert spooled(fixture) == []
    assert fixture.kept_models() == [f"trial-{number}.keras" for number in range(4)]
    assert sorted(line.split(":")[0] for line in lines_with(fixture, ": complete")) == [
        f"trial {number}" for number in range(4)
    ]


@pytest.mark.timeout(60)
def test_the_model_of_a_beaten_trial_leaves_the_artifacts(tmp_path: Path) -> None:
    better = StubTrial(accuracies=(0.8, 0.8, 0.9), model_bytes=500.0, train_seconds=0.5)
    fixture = make_fixture(tmp_path, {1: better}, trials=2)
    assert fixture.run() is Ending.DONE
    wait_until(lambda: model_digest(0) not in set(FolderArtifacts(tmp_path / "artifacts").digests()), 10)
    assert list(rows.read(fixture.study)) == [1]
    assert [bool(trial.model_path) for trial in fixture.trials()] == [False, True]
    left = set(FolderArtifacts(tmp_path / "artifacts").digests())
    assert left == rows.named(fixture.store) >= {model_digest(1), log_digest(0), log_digest(1)}


@pytest.mark.timeout(90)
def test_trainings_go_on_while_the_artifacts_are_away_and_results_follow(tmp_path: Path) -> None:
    plan = {number: StubTrial(pause_seconds=0.1) for number in range(4)}
    fixture = make_fixture(tmp_path, plan, n_slots=2)
    outage = away(tmp_path / "artifacts")
    state = "before"

    def go_away_and_come_back() -> bool:
        nonlocal state
        if state == "before" and list(fixture.notes.glob("*.pid")):
            outage.__enter__()
            state = "away"
        elif state == "away" and len(spooled(fixture)) == 4 * 3 and "; 4 results" in fixture.view.snapshots[-1].notice:
            assert fixture.states() == ["running"] * 4
            outage.__exit__(None, None, None)
            state = "back"
        return False

    assert fixture.run(go_away_and_come_back) is Ending.DONE
    check_each_trained_once([fixture], 4)
    assert {model_digest(number) for number in range(4)} <= set(FolderArtifacts(tmp_path / "artifacts").digests())
    (lost,) = lines_with(fixture, "results are kept until that is mended")
    assert lost.startswith(f"artifacts: {tmp_path / 'artifacts'} cannot be ")
    assert "Not a directory" in lost
    assert len(lines_with(fixture, "artifacts: they can be written again after")) == 1
    notices = {snapshot.notice for snapshot in fixture.view.snapshots}
    assert any(notice.endswith("; 4 results are kept meanwhile") for notice in notices)
    assert spooled(fixture) == []
    assert fixture.kept_models() == [f"trial-{number}.keras" for number in range(4)]


@pytest.mark.timeout(60)
def test_results_that_could_not_be_uploaded_are_delivered_by_the_next_supervisor(tmp_path: Path) -> None:
    fixture = make_fixture(tmp_path, trials=1)
    with away(tmp_path / "artifacts"):
        assert fixture.run(lambda: len(spooled(fixture)) == 3) is Ending.INTERRUPTED
        assert fixture.states() == ["running"]
        assert lines_with(fixture, "results wait in ") == [
            f"results wait in {fixture.out / 'spool'}: run the same command again when all can be reached"
        ]
        with pytest.raises(ArtifactsAwayError, match="Not a directory"):
            deliver_left_results(fixture.study, fixture.out, fixture.view.say, fixture.artifacts)
        assert len(spooled(fixture)) == 3
    deliver_left_results(fixture.study, fixture.out, fixture.view.say, fixture.artifacts)
    check_each_trained_once([fixture], 1)
    assert {model_digest(0), log_digest(0)} <= set(FolderArtifacts(tmp_path / "artifacts").digests())
    assert fixture.kept_models() == ["trial-0.keras"]


@pytest.mark.timeout(60)
def test_a_full_disk_of_the_artifacts_is_an_outage_too(tmp_path: Path) -> None:
    with small_disk_at(tmp_path / "small disk", "64k") as disk:
        artifacts = FolderArtifacts(disk.folder / "artifacts")
        artifacts.prepare()
        disk.fill()
        fixture = SupervisorFixture(tmp_path, make_spec(trials=2), {}, waits=WAITS, artifacts=artifacts)

        def make_room() -> bool:
            if len(spooled(fixture)) == 6:
                disk.empty()
            return False

        assert fixture.run(make_room) is Ending.DONE
        check_each_trained_once([fixture], 2)
    assert len(lines_with(fixture, "No space left on device. Trainings go on")) == 1


@pytest.mark.timeout(90)
@pytest.mark.parametrize("kind", ["folder", pytest.param("s3", marks=pytest.mark.server)])
def test_models_of_two_machines_lie_in_one_place(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    url, address = f"sqlite:///{tmp_path / 'tunefront.db'}", str(tmp_path / "artifacts")
    if kind == "s3":
        address = f"s3://{request.getfixturevalue('bucket')}/digits"
    plan = {number: StubTrial(pause_seconds=0.1) for number in range(6)}
    anna, bert = (make(tmp_path, name, url, plan, 6) for name in ("anna", "bert"))
    for machine in (anna, bert):
        machine.artifacts = study_artifacts.begin(machine.study, address)
    assert run_together(anna, bert) == [Ending.DONE, Ending.DONE]
    check_each_trained_once([anna, bert], 6)
    assert all(machine.kept_models() for machine in (anna, bert))
    for machine in (anna, bert):
        machine.out.rename(tmp_path / f"{machine.worker_id} is off")
    assert bring_models(anna.study, tmp_path / "third") == []
    models = {path.name: path.read_text() for path in (tmp_path / "third/models").glob("*.keras")}
    assert models == {f"trial-{number}.keras": f"model of trial {number}" for number in range(6)}


@pytest.mark.server
@pytest.mark.timeout(120)
def test_a_supervisor_that_is_killed_in_the_middle_of_an_upload_loses_nothing(
    tmp_path: Path, s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bucket falls silent, so that uploads wait for an answer; all trainings go on to their end meanwhile."""
    url, address = f"sqlite:///{tmp_path / 'tunefront.db'}", f"s3://{bucket}/digits"
    study_artifacts.begin(make(tmp_path, "made", url, {}, 3).study, address)
    (tmp_path / "paul").mkdir()
    with SilentProxy(s3_server.endpoint) as proxy:
        proxy.swallow()
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        waits = Waits(lease_seconds=60.0, away_seconds=0.3)
        worker = multiprocessing.get_context("spawn").Process(
            target=run_uploading, args=(str(tmp_path / "paul"), url, 3, waits, address)
        )
        worker.start()
        spool = tmp_path / "paul" / "results" / "spool"
        wait_until(lambda: len(list(spool.glob("*attempt-1.json"))) == 3, 60)
        worker.kill()
        worker.join()
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    assert not s3_server.client().list_objects_v2(Bucket=bucket, Prefix="digits/sha/").get("Contents")
    again = SupervisorFixture(
        tmp_path / "paul", make_spec(trials=3), {}, url=url, worker_id="paula", waits=WAITS,
        artifacts=open_artifacts(address),
    )  # fmt: skip
    assert again.states() == ["running"] * 3
    deliver_left_results(again.study, again.out, again.view.say, again.artifacts)
    assert again.run() is Ending.DONE
    check_each_trained_once([again], 3)
    assert len(lines_with(again, "is delivered")) == 3
    stored = s3_server.client().list_objects_v2(Bucket=bucket, Prefix="digits/sha/")["Contents"]
    assert {model_digest(number) for number in range(3)} <= {entry["Key"].rpartition("/")[2] for entry in stored}
    assert again.kept_models() == [f"trial-{number}.keras" for number in range(3)]


# Checkpoints


def test_a_file_that_cannot_be_brought_is_named_and_the_others_are_brought(tmp_path: Path) -> None:
    """No repetition would mend it, and results that come later do not wait for it."""
    fixture = make_fixture(tmp_path)
    with fixture.study.exclusively():
        leased = queue.lease_next(fixture.study, 4, "anna", "cpu0")
    assert leased is not None
    secret, link, model = tmp_path / "secret", tmp_path / "trial-0.log", tmp_path / "trial-0.keras"
    secret.write_text("not of this study")
    link.symlink_to(secret)
    model.write_text("model of trial 0")
    files = {"models/trial-0.keras": model, "models/trial-0.json": tmp_path / "gone", "logs/trial-0.log": link}
    artifacts = FolderArtifacts(tmp_path / "artifacts")
    problems = upload(fixture.store, artifacts, TrialResult(leased[0], Outcome.COMPLETE), files)
    assert problems[0] == f"{tmp_path / 'gone'} is not brought to the artifacts: No such file or directory"
    assert problems[1].startswith(f"{link} is not brought to the artifacts: ")
    assert "link" in problems[1]
    assert len(problems) == 2
    assert [file.name for file in rows.read(fixture.study, ("models", "logs"))[0]] == ["models/trial-0.keras"]
    assert set(artifacts.digests()) == {model_digest(0)}
