"""What commands take out of a storage, which whoever can write to it may have forged: code, paths, files, folders."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.reports.report_fixture import ReportFixture
from tests.storage.study_fixture import DIRECTIONS, METRICS, StudyFixture
from tests.tunefront.commands.conftest import Run
from tunefront.approvals import approve
from tunefront.storage import studies
from tunefront.storage.artifacts.study_artifacts import ADDRESS
from tunefront.storage.database import schema
from tunefront.storage.open_study import OpenStudy

SECRET = "a file of this user that no study has to do with"


@pytest.fixture
def forged(store_study: StudyFixture, tmp_path: Path) -> StudyFixture:
    """A study whose data, as the storage has it, are files that nobody has named on this machine."""
    (tmp_path / "secret").mkdir()
    data = {"source": "folder", "path": str(tmp_path / "secret")}
    spec = {**store_study.study.record.spec, "name": "forged", "data": data}
    fixture = StudyFixture(studies.create(store_study.store, "forged", spec, {}, DIRECTIONS, METRICS))
    fixture.finish(fixture.lease())
    return fixture


@pytest.mark.parametrize("arguments", [("confirm", "forged"), ("retrain", "forged", "0"), ("deploy", "forged")])
def test_data_that_the_storage_alone_names_are_not_read(
    run: Run, forged: StudyFixture, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    code, output, errors = run(*arguments)
    assert (code, output, len(errors.splitlines())) == (2, "", 1)
    assert f"study 'forged': data.path is {tmp_path / 'secret'}, which lies below no --data-root" in errors
    assert f"add --data-root {tmp_path / 'secret'}" in errors
    assert "data.path" not in run(*arguments, "--data-root", str(tmp_path))[2]
    approve([], [tmp_path / "secret"])
    assert "data.path" not in run(*arguments)[2]


def name_place(study: OpenStudy, place: Path) -> None:
    """Let the storage name a folder for artifacts."""
    study.optuna.set_user_attr(ADDRESS, str(place))


@pytest.mark.parametrize(
    "arguments", [("run", "study.toml"), ("submit", "study.toml"), ("confirm", "digits")], ids=" ".join
)
def test_a_folder_for_artifacts_that_the_storage_alone_names_is_not_written(
    run: Run, store_study: StudyFixture, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    place = tmp_path / "elsewhere"
    name_place(store_study.study, place)
    code, _, errors = run(*arguments)
    assert code == 2
    said = errors.splitlines()[-1]  # above it may stand that Keras is loaded
    assert f"{place} is a folder that only the storage names, and not this machine's user" in said
    assert f"name it: TUNEFRONT_ARTIFACTS={place}, or --artifacts" in said
    assert not place.exists()


def test_a_report_takes_no_model_from_a_folder_that_the_storage_alone_names(
    run: Run, study: ReportFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "elsewhere"
    name_place(study.study, place)
    row = {"study_id": study.study.study_id, "number": 0, "name": "models/trial-0.keras", "digest": "a" * 64}
    with study.store.engine.begin() as connection:
        connection.execute(schema.artifacts.insert().values(**row, n_bytes=9))
    code, output, errors = run("report", "digits", "--json")
    assert code == 0
    assert f"{place} is a folder that only the storage names" in output + errors
    monkeypatch.setenv("TUNEFRONT_ARTIFACTS", str(tmp_path / "mounted"))
    assert "only the storage names" not in "".join(map(str, run("report", "digits", "--json")))


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("models/../../stolen.keras", "a" * 64),
        ("models//etc/stolen.keras", "a" * 64),
        ("models/.hidden", "a" * 64),
        ("models/trial-0.keras", "../../../stolen"),
        ("models/trial-0.keras", "A" * 64),
    ],
)
def test_a_forged_file_leads_out_of_no_folder(
    run: Run, study: ReportFixture, tmp_path: Path, name: str, digest: str
) -> None:
    """A name with ``..`` would be written to anywhere, and such a digest removed from anywhere."""
    (tmp_path / "stolen").write_text(SECRET)
    name_place(study.study, tmp_path / "place")
    approve([], [tmp_path])
    row = {"study_id": study.study.study_id, "number": 0, "name": name, "digest": digest}
    with study.store.engine.begin() as connection:
        connection.execute(schema.artifacts.insert().values(**row, n_bytes=9))
    for command in (("report", "digits"), ("delete", "digits", "--yes")):
        code, _, errors = run(*command)
        assert (code, len(errors.splitlines())) == (2, 1)
        assert "which is none of tunefront's: somebody has written to its table of artifacts" in errors
    assert (tmp_path / "stolen").read_text() == SECRET


def test_a_forged_confirmation_leads_out_of_no_folder(run: Run, study: ReportFixture, tmp_path: Path) -> None:
    spec = {**study.study.record.spec, "name": "forged", "confirms": "../../home"}
    studies.create(study.store, "forged", spec, {}, ["maximize", "minimize", "minimize"], ["a", "b", "c"])
    code, _, errors = run("report", "forged")
    assert (code, len(errors.splitlines())) == (2, 1)
    assert "study forged: its spec in the storage has confirms = '../../home', which is no study's name" in errors


def test_select_exports_no_file_that_is_no_model(run: Run, study: ReportFixture, tmp_path: Path) -> None:
    (tmp_path / "id_rsa").write_text(SECRET)
    with study.store.engine.begin() as connection:
        connection.execute(sa.update(schema.attempts).values(model_path=str(tmp_path / "id_rsa")))
    code, _, errors = run("select", "digits", "--export", "out")
    assert code == 2
    assert "was not kept, so --export has nothing to copy" in errors
    assert not (tmp_path / "out").exists()
