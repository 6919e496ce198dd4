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


def test_a_table_says_what_its_target_is(run: Run, tmp_path: Path) -> None:
    rows = [f"{n * n},{n}.5" for n in range(12)]
    (tmp_path / "prices.csv").write_text("\n".join(["area,price", *rows]))
    code, output, _ = run("new", "prices.csv")
    assert code == 0
    assert "12 rows, each with a number to predict\nthe numbers to predict are in the column 'price'" in output
    code, output, _ = run("new", "prices.csv", "--label-column", "area", "--out", "other.toml")
    assert (code, output.splitlines()[:2]) == (0, ["12 rows, each with a number to predict", "wrote other.toml"])
