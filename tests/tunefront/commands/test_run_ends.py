"""How a run ends: interrupted, with too many failures, or without its storage; each names the command that goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from tests.storage.study_fixture import StudyFixture
from tests.tunefront.commands.conftest import SPEC, Run
from tunefront.commands import study
from tunefront.search.supervisor.end_reason import Ending


@pytest.mark.parametrize("ending", [Ending.INTERRUPTED, Ending.TOO_MANY_FAILURES])
def test_the_command_that_goes_on_can_be_copied(
    run: Run, store_study: StudyFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: Ending
) -> None:
    (tmp_path / "the [new] study.toml").write_text(SPEC)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(study, "run_here", lambda *_: (ending, Console()))
    monkeypatch.setattr(study, "publish_run", lambda *_: None)
    code, output, _ = run("run", "the [new] study.toml", "--trials", "4", "--out", "results/somewhere else")
    assert code == (130 if ending is Ending.INTERRUPTED else 1)
    assert "\n  tunefront run 'the [new] study.toml' --trials 4 --out 'results/somewhere else'\n" in output


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_while_the_storage_is_away_ends_as_ever(
    run: Run, store_study: StudyFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    def run_until_ctrl_c(*_: object) -> tuple[Ending, Console]:
        (tmp_path / "tunefront.db").rename(tmp_path / "away.db")
        return Ending.INTERRUPTED, Console(stderr=as_json)

    monkeypatch.setattr(study, "run_here", run_until_ctrl_c)
    code, output, errors = run("run", "study.toml", *(["--json"] if as_json else []))
    said = errors if as_json else output
    assert code == 130
    assert "the storage is away, so there is no report now: 'tunefront report digits' writes it later\n" in said
    assert "\n  tunefront run study.toml" in said
    assert (output == "", errors == "") == (as_json, not as_json)


def test_a_storage_that_is_gone_when_a_run_ends_by_itself_is_a_mistake(
    run: Run, store_study: StudyFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_to_the_end(*_: object) -> tuple[Ending, Console]:
        (tmp_path / "tunefront.db").rename(tmp_path / "away.db")
        return Ending.DONE, Console()

    monkeypatch.setattr(study, "run_here", run_to_the_end)
    code, _, errors = run("run", "study.toml")
    assert (code, "there is no such file" in errors) == (2, True)
