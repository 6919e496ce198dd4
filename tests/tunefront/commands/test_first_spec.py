"""The command `new`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple[int, str, str]]


def test_a_first_spec_is_written_and_never_over_another_one(run: Run, tmp_path: Path) -> None:
    code, output, _ = run("new", "digits", "--for", "phone")
    assert code == 0
    assert "wrote digits.toml\nnext: tunefront data digits.toml\n      tunefront run digits.toml" in output
    before = (tmp_path / "digits.toml").read_text()
    assert 'source = "digits"' in before
    code, _, errors = run("new", "digits")
    assert code == 2
    assert "digits.toml is there already" in errors
    assert (tmp_path / "digits.toml").read_text() == before
