"""What a user approves by running or submitting a spec, and what a worker refuses without that."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.search.supervisor_fixture import make_spec
from tunefront.approvals import ApprovalsError, approve, read_approvals, state_folder
from tunefront.search.fleet.filled_in import check_filled_in
from tunefront.search.fleet.left_studies import LeftStudies
from tunefront.search.fleet.named_files import approve_written, code_references, find_code, named_paths
from tunefront.search.fleet.unfit import Trust, UnfitError
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import read_spec

CODE = "space = 1\n"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trust(*roots: Path, allows_own_code: bool = False) -> Trust:
    return Trust(roots, allows_own_code, read_approvals)


def test_what_a_spec_file_names_is_approved_in_a_file_of_the_user_alone(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(CODE)
    (tmp_path / "photos").mkdir()
    spec = tmp_path / "spec.toml"
    spec.write_text('name = "a"\nspace = "own.py:space"\n[data]\nsource = "folder"\npath = "photos"\n')
    assert approve_written(spec, "shared") == ""
    path = state_folder() / "approved.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {
        "code": {str(tmp_path / "own.py"): hashlib.sha256(CODE.encode()).hexdigest()},
        "paths": [str(tmp_path / "photos"), str(tmp_path / "shared")],
    }
    approve([], [tmp_path / "more"])  # what was approved before stays
    assert read_approvals().paths == {str(tmp_path / name) for name in ("photos", "shared", "more")}
    assert len(read_approvals().code) == 1


def test_what_a_spec_file_leaves_out_is_not_approved(tmp_path: Path) -> None:
    """A key that a file leaves out has the value that the store has, which anybody may have written."""
    spec = tmp_path / "spec.toml"
    spec.write_text('name = "a"\n[data]\nsource = "digits"\n')
    assert approve_written(spec) == ""
    assert not (state_folder() / "approved.json").exists()


def test_what_the_storage_fills_into_a_spec_that_leaves_it_out_needs_approval(tmp_path: Path) -> None:
    """Whoever can write to the storage could let `run` of a harmless file execute and read what it likes."""
    code, spec = tmp_path / "own.py", tmp_path / "spec.toml"
    code.write_text(CODE)
    spec.write_text('name = "digits"\n[data]\nsource = "table"\npath = "t.csv"\n')
    written = read_spec(spec)
    check_filled_in(spec, written)
    data = {"source": "table", "path": "t.csv", "images": str(tmp_path / "secret")}
    forged = make_spec(space=f"{code}:space", data=data).as_json()
    meant = read_spec(spec, lambda name: forged)
    assert (meant.space, meant.data.model_dump()["images"]) == (f"{code}:space", str(tmp_path / "secret"))
    with pytest.raises(SpecError) as caught:
        check_filled_in(spec, meant)
    assert f"the code of {code}:space, data.images = {tmp_path / 'secret'}. Nobody has named that" in str(caught.value)
    approve([code], [])
    with pytest.raises(SpecError, match="has: data.images = "):
        check_filled_in(spec, meant)
    approve([], [tmp_path / "secret"])
    check_filled_in(spec, meant)
    code.unlink()
    with pytest.raises(SpecError, match="has: the code of "):
        check_filled_in(spec, meant)


def test_code_is_approved_by_its_content(tmp_path: Path) -> None:
    code = tmp_path / "own.py"
    code.write_text(CODE)
    spec = make_spec(space=f"{code}:space")
    with pytest.raises(UnfitError, match="which was not approved on this machine: 'tunefront submit SPEC'"):
        trust().check_code(spec)
    approve([code], [])
    trust().check_code(spec)
    code.write_text(CODE + "import os\n")
    with pytest.raises(UnfitError, match="which has changed since you approved it"):
        trust().check_code(spec)
    trust(allows_own_code=True).check_code(spec)
    code.unlink()
    with pytest.raises(UnfitError, match="own.py cannot be read: No such file"):
        trust().check_code(spec)


def test_paths_are_read_below_roots_or_where_approved(tmp_path: Path) -> None:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "secret")

    def check(text: str, *roots: Path) -> None:
        trust(*roots).check_paths(named_paths({"data": {"source": "folder", "path": text}}))

    check("data/deep", tmp_path / "data")
    check(str(tmp_path / "data"), tmp_path / "data")
    for outside in ("secret", "data/../secret", "data/link", "database", str(tmp_path)):
        with pytest.raises(UnfitError, match="lies below no --data-root, and which nobody approved"):
            check(outside, tmp_path / "data")
    approve([], [tmp_path / "secret"])
    check("secret/photos")
    check("data/link")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"data": {"source": "table", "path": "/t.csv", "images": "/i"}}, {"data.path": "/t.csv", "data.images": "/i"}),
        ({"data": {"source": "digits"}, "space": {"mobilenet_v2": {"weights": "imagenet"}}}, {}),
        (
            {"space": {"mobilenet_v2": {"weights": ["none", "/w.weights.h5"]}}, "start": [{"x": {"weights": "/s.h5"}}]},
            {"space.mobilenet_v2.weights": "/w.weights.h5", "start.x.weights": "/s.h5"},
        ),
        (
            {"pretrain": {"weights": "/p.weights.h5", "data": {"path": "/d"}}, "space": "own.py:space"},
            {"pretrain.weights": "/p.weights.h5", "pretrain.data.path": "/d"},
        ),
    ],
)
def test_every_path_of_a_spec_is_found(spec: dict[str, Any], expected: dict[str, str]) -> None:
    assert {key: str(path) for key, path in named_paths(spec)} == expected


def test_code_of_spaces_and_of_data_is_found(tmp_path: Path) -> None:
    own = {"source": "own", "object": "loader:load"}
    assert code_references({"space": "a.py:b", "data": own, "pretrain": {"data": own}}) == [
        "a.py:b",
        *["loader:load"] * 2,
    ]
    assert code_references({"space": {}, "data": {"source": "folder", "path": "x", "object": "y"}}) == []
    (tmp_path / "package").mkdir()
    for name in ("loader.py", "package/__init__.py", "package/inner.py"):
        (tmp_path / name).write_text("raise RuntimeError('finding a file runs it')")
    assert find_code("loader:load") == tmp_path / "loader.py"
    assert find_code("package.inner:load") == tmp_path / "package" / "inner.py"
    assert find_code("package/inner.py:load") == tmp_path / "package" / "inner.py"
    assert find_code("os:system") == Path(os.__file__).resolve()  # approved by nobody
    assert [find_code(name) for name in ("nowhere:x", "sys:exit", "package.nothing:x", "no colon")] == [None] * 4


def test_approvals_that_others_may_have_written_are_not_trusted(tmp_path: Path) -> None:
    approve([], [tmp_path])
    path = state_folder() / "approved.json"
    path.chmod(0o620)
    with pytest.raises(ApprovalsError, match="others may have written it. Remove it"):
        read_approvals()
    path.chmod(0o600)
    path.write_text('{"code": []}')
    with pytest.raises(ApprovalsError, match="cannot be read"):
        read_approvals()
    spec = tmp_path / "spec.toml"
    spec.write_text('name = "a"\n[data]\nsource = "folder"\npath = "photos"\n')
    assert "will not take this study's files for approved" in approve_written(spec)


def test_a_left_study_is_told_once_for_each_reason_and_tried_again_after_a_while() -> None:
    seconds = 0.0
    said: list[tuple[str, str]] = []
    left = LeftStudies(lambda name, line: said.append((name, line)), lambda: seconds)
    left.add("photos", (1, 5.0), "its code was not approved", 15.0)
    left.add("other", (2, 5.0), "its data differ")
    assert ((1, 5.0) in left, (2, 5.0) in left, (1, 6.0) in left) == (True, True, False)
    seconds = 15.0
    assert ((1, 5.0) in left, (2, 5.0) in left) == (False, True)
    left.add("photos", (1, 5.0), "its code was not approved", 15.0)
    left.add("photos", (1, 5.0), "its code has changed", 15.0)
    assert said == [
        ("photos", "this machine leaves the study to others: its code was not approved"),
        ("other", "this machine leaves the study to others: its data differ"),
        ("photos", "this machine leaves the study to others: its code has changed"),
    ]
