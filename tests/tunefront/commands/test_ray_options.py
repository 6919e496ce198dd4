"""The options of `run --ray`: mistakes are told before a cluster is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tunefront.commands.conftest import SPEC, Run


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--gpus-per-worker", "1"), "add --ray auto, or leave them out"),
        (("--allow-own-code",), "add --ray auto, or leave them out"),
        (("--ray", "auto", "--gpus-per-worker", "1.5"), "--gpus-per-worker 1.5: give a whole number, or a fraction"),
        (("--ray", "auto", "--slots-per-gpu", "2"), "--gpus-per-worker 0.5 lets two share one"),
        (("--ray", "auto", "--storage", "postgresql+psycopg://u:hunter2@h/d"), "have no password in it"),
        (("--ray", "127.0.0.1:1"), "--ray 127.0.0.1:1: nobody answers there"),
        (("--ray", "ray://127.0.0.1:1"), "run this command on one of its machines"),
    ],
)
def test_a_mistake_is_told_at_once(run: Run, tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    pytest.importorskip("ray", reason="needs tunefront[ray]")
    (tmp_path / "digits.toml").write_text(SPEC)
    code, output, errors = run("run", "digits.toml", *arguments)
    assert code == 2
    assert expected in errors
    assert "hunter2" not in output + errors
    assert not (tmp_path / "tunefront.db").exists()
