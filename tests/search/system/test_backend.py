"""What Keras is to compute with, where it cannot."""

from __future__ import annotations

import importlib.machinery
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tunefront.search.system.backend import BackendError, check_backend

ROOT = Path(__file__).parents[3]


def test_what_trains_here_may_be_named_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tensorflow", "jax", ""):
        monkeypatch.setenv("KERAS_BACKEND", name)
        check_backend()
    monkeypatch.delenv("KERAS_BACKEND")
    check_backend()


def test_what_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(sys, "meta_path", [importlib.machinery.PathFinder])
    with pytest.raises(
        BackendError, match=r"KERAS_BACKEND=jax: jax is not installed. .* pip install 'tunefront\[jax\]'"
    ):
        check_backend()


@pytest.mark.parametrize("arguments", [("run", "digits.toml"), ("pretrain", "digits.toml"), ("work", "--until-idle")])
def test_commands_that_train_refuse_an_unknown_one_in_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "digits.toml").write_text((ROOT / "examples" / "digits_transfer.toml").read_text())
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "jaxx"}
    command = [sys.executable, "-m", "tunefront", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "tunefront: KERAS_BACKEND=jaxx: Keras trains by nothing of this name. Did you mean 'jax'? Known: tensorflow, "
        "jax, torch"
    )
    assert "Traceback" not in done.stderr
