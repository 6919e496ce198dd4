"""The command `data`: what is prepared on this machine, and prepared images for others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import DIGITS
from tests.tunefront.commands.conftest import SPEC, Run
from tunefront.search.data.cache import prepare
from tunefront.search.data.cache_folder import cache_folder


def test_data_cache_lists_and_prunes(run: Run) -> None:
    assert run("data", "--cache") == (0, f"{cache_folder()}: nothing is prepared there\n", "")
    dataset = prepare(DIGITS, seed=1)
    code, printed, _ = run("data", "--cache")
    assert code == 0
    assert all(text in printed for text in (Path(dataset.folder).name, "1,797", "just now", "--prune 30"))
    assert run("data", "--cache", "--prune", "1")[1].startswith("removed 0 entries that nobody used for 1 day: 0 B\n")
    answer = json.loads(run("data", "--cache", "--prune", "0", "--json")[1])
    assert [entry["path"] for entry in answer["removed"]] == [dataset.folder]
    assert (answer["entries"], answer["kept"]) == ([], [])
    assert not Path(dataset.folder).exists()


@pytest.mark.slow
def test_data_writes_tfrecords_by_either_way_of_asking(run: Run, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(SPEC)
    code, printed, errors = run("data", "study.toml", "--tfrecords", "new", "--json")
    assert (code, json.loads(printed)["n_examples"]) == (0, 1797)
    code, printed, errors = run("data", "export", "study.toml", "--json")
    assert "data export is now written as: tunefront data study.toml --tfrecords results/digits/tfrecords" in errors
    assert json.loads(printed)["folder"] == "results/digits/tfrecords"
    written = [
        [path.read_bytes() for path in sorted(folder.glob("*.tfrecord*"))]
        for folder in (tmp_path / "new", tmp_path / "results" / "digits" / "tfrecords")
    ]
    assert written[0] == written[1]
    assert len(written[0]) == 3
