"""The command `new`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

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


@pytest.mark.parametrize(
    ("name", "expected"), [(b"caf\xc3\xa9", ""), (b"caf\xe9", "is no UTF-8")], ids=["UTF-8", "Latin-1"]
)
def test_a_spec_is_utf_8_or_not_written(run: Run, tmp_path: Path, name: bytes, expected: str) -> None:
    folder = os.fsdecode(name)
    for place in ("a/0", "a/1", "a/2", "b/0", "b/1", "b/2"):
        path = tmp_path / folder / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9), (int(place[2]), ord(place[0]), 0)).save(path)
    code, _, errors = run("new", folder, "--out", "x.toml")
    written = tmp_path / "x.toml"
    assert (code, written.exists()) == ((2, False) if expected else (0, True))
    assert expected in errors
    if not expected:
        assert folder in written.read_bytes().decode("utf-8")
