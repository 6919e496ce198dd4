"""The option --artifacts, and the commands that find a study's artifacts without it."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest

from tests.reports.report_fixture import ReportFixture
from tests.tunefront.commands.conftest import Run
from tunefront.approvals import approve
from tunefront.storage import studies
from tunefront.storage.artifacts import rows, spooled, study_artifacts
from tunefront.storage.artifacts.artifact_store import digest_of
from tunefront.storage.artifacts.folder import FolderArtifacts
from tunefront.storage.artifacts.rows import Artifact
from tunefront.storage.attempts import Lease
from tunefront.storage.database import schema
from tunefront.study import load_study

SPEC = Path(__file__).parents[3] / "examples" / "digits.toml"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("s3://AKIAKEY:very-secret@models/x", "an address holds no credentials"),
        ("gs://models/x", "GCSArtifactStore"),
        ("s3://Models", "names no bucket"),
        ("file", "file: this is a file. Name a folder"),
    ],
)
@pytest.mark.parametrize("way", ["option", "variable"])
def test_artifacts_that_cannot_be_used_exit_2_with_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, says: str, way: str
) -> None:
    (tmp_path / "file").write_text("no folder")
    if way == "variable":
        monkeypatch.setenv("TUNEFRONT_ARTIFACTS", address)
    code, out, err = run("run", str(SPEC), *(["--artifacts", address] if way == "option" else []))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert says in err
    assert "secret" not in err
    assert "AKIAKEY" not in err
    assert {path.name for path in tmp_path.iterdir()} - {"state"} == {"file"}  # what this user approved is no study


@pytest.fixture
def far_study(study: ReportFixture, tmp_path: Path) -> ReportFixture:
    """The study whose trial 0 has a model, which lies in artifacts alone: another machine has trained it."""
    model, place = tmp_path / "trial-0.keras", FolderArtifacts(tmp_path / "artifacts")
    names = {"models/trial-0.keras": model, "models/trial-0.json": model.with_suffix(".json")}
    files = []
    for name, path in names.items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        place.write(digest, path)
        files.append(Artifact(name, digest, path.stat().st_size))
        path.unlink()
    with study.store.engine.begin() as connection:
        for file in files:
            row = {"study_id": study.study.study_id, "number": 0, "name": file.name, "digest": file.digest}
            connection.execute(schema.artifacts.insert().values(**row, n_bytes=file.n_bytes))
    study_artifacts.begin(study.study, place.address)
    approve([], [tmp_path])  # as `run` does with what a person names
    return study


def test_report_shows_the_models_of_all_machines(run: Run, tmp_path: Path, far_study: ReportFixture) -> None:
    code, out, err = run("report", "digits", "--out", "third")
    assert (code, err) == (0, "")
    assert (tmp_path / "third/models/trial-0.keras").read_bytes() == b"a model"
    assert 'href="models/trial-0.keras"' in (tmp_path / "third/report.html").read_text()
    assert "kept elsewhere" not in out


def test_report_is_written_without_models_that_cannot_be_fetched(
    run: Run, tmp_path: Path, far_study: ReportFixture
) -> None:
    (tmp_path / "artifacts").rename(tmp_path / "away")
    code, out, _ = run("report", "digits")
    assert code == 0
    assert f"models that are not on this machine are not here: {tmp_path / 'artifacts'} cannot be read: " in out
    assert (tmp_path / "results/digits/report.html").is_file()


def test_report_is_written_without_the_package_that_fetches(
    run: Run, tmp_path: Path, far_study: ReportFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.setenv("TUNEFRONT_ARTIFACTS", "s3://models/team")
    code, out, _ = run("report", "digits")
    assert code == 0
    assert "--artifacts s3://models/team needs boto3: pip install 'tunefront[s3]'" in out
    assert (tmp_path / "results/digits/report.html").is_file()


def test_select_fetches_the_model_that_it_takes_and_exports_it(
    run: Run, tmp_path: Path, far_study: ReportFixture
) -> None:
    code, out, err = run("select", "digits", "--at-least", "accuracy=90%", "--export", "exported", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["model"] == str(tmp_path / "results/digits/models/trial-0.keras")
    assert (tmp_path / "exported/trial-0.keras").read_bytes() == b"a model"
    assert (tmp_path / "exported/trial-0.json").read_text() == "{}"


def test_a_changed_model_is_named_by_select_and_not_exported(
    run: Run, tmp_path: Path, far_study: ReportFixture
) -> None:
    digest = hashlib.sha256(b"a model").hexdigest()
    (tmp_path / f"artifacts/sha/{digest[:2]}/{digest}").write_bytes(b"a modem")
    code, _, err = run("select", "digits", "--at-least", "accuracy=90%", "--export", "exported")
    assert code == 2
    assert f"trial-0.keras in {tmp_path / 'artifacts'} (sha/{digest[:2]}/{digest}) has changed" in err
    assert not (tmp_path / "exported").exists()


def test_a_study_in_python_fetches_the_model_that_it_selects(
    run: Run, tmp_path: Path, far_study: ReportFixture
) -> None:
    found = load_study("digits", storage=f"sqlite:///{tmp_path / 'tunefront.db'}").select(prefer="accuracy")
    assert found.path == str(tmp_path / "results/digits/models/trial-0.keras")
    assert Path(found.path).read_bytes() == b"a model"


def test_the_folder_of_artifacts_may_be_mounted_elsewhere_here(
    run: Run, tmp_path: Path, far_study: ReportFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "artifacts").rename(tmp_path / "mounted here")
    monkeypatch.setenv("TUNEFRONT_ARTIFACTS", "mounted here")
    assert run("report", "digits")[0] == 0
    assert (tmp_path / "results/digits/models/trial-0.keras").read_bytes() == b"a model"


def test_delete_says_what_goes_from_the_artifacts(run: Run, tmp_path: Path, far_study: ReportFixture) -> None:
    """The search's, and those of its confirmation in another place; results that the storage was never told of too."""
    search = far_study.study
    spec = {**search.record.spec, "name": "digits.confirmation", "confirms": "digits"}
    confirmation = studies.create(far_study.store, "digits.confirmation", spec, {}, ["maximize"], ["accuracy"])
    places = [FolderArtifacts(tmp_path / name) for name in ("artifacts", "others")]
    study_artifacts.begin(confirmation, places[1].address)
    left, log = tmp_path / "left", tmp_path / "log"
    for path, place in ((left, places[0]), (log, places[1])):
        path.write_text(path.name)
        place.write(digest_of(path), path)
    row = {"study_id": confirmation.study_id, "number": 0, "name": "logs/trial-0.log", "n_bytes": 3}
    with far_study.store.engine.begin() as connection:
        connection.execute(schema.artifacts.insert().values(**row, digest=digest_of(log)))
        connection.execute(schema.workers.update().values(seen_at=0.0))  # nobody works on it any more
    spooled.put(places[0], search.record, "a result", [Artifact("logs/trial-9.log", digest_of(left), 4)])
    code, out, _ = run("delete", "digits", "--yes")
    assert code == 0
    assert f"This removes 2 files in {tmp_path / 'artifacts'} (9 B), as far as no other study has the same" in out
    assert f"This removes 1 file in {tmp_path / 'others'} (3 B), as far as no other study has the same" in out
    assert [path.name for path in tmp_path.glob("artifacts/**/*") if path.is_file()] == ["README.txt"]
    assert [path.name for path in tmp_path.glob("others/**/*") if path.is_file()] == ["README.txt"]


def test_an_attempt_that_ended_registers_no_files(far_study: ReportFixture) -> None:
    lease = Lease(far_study.study.study_id, 0, 1, "anna")
    assert rows.register(far_study.store, lease, [], ("models",)) is None
