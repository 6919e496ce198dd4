"""A current folder whose files have the names of modules that tunefront and Python import."""

from __future__ import annotations

from pathlib import Path

_FILES = ("objectives", "terminal", "random", "numpy", "json", "socket", "multiprocessing")
_FOLDERS = ("storage", "search", "spaces", "reports", "keras")
_CODE = "open({ran!r}, 'a').write({name!r} + ' ')\nraise SystemExit('the wrong module {name}')\n"


def fill(folder: Path) -> Path:
    """Write such modules into `folder`; the returned file is made when one of them runs."""
    ran = folder / "ran.txt"
    for name in _FILES:
        (folder / f"{name}.py").write_text(_CODE.format(ran=str(ran), name=name))
    for name in _FOLDERS:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(_CODE.format(ran=str(ran), name=name))
    return ran
