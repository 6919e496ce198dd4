"""The help of each command on a terminal of 80 columns."""

from __future__ import annotations

import pytest

from tests.tunefront.commands.conftest import Run
from tunefront.commands.app import COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_cuts_nothing_on_80_columns(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, output, errors = run(command, "--help")
    assert (code, errors) == (0, "")
    assert f"tunefront {command}" in output
    assert "…" not in output
    assert max(map(len, output.splitlines())) <= 80
