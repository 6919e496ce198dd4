"""A current folder whose files have the names of modules that tunefront and Python import."""

from __future__ import annotations

from pathlib import Path

_FILES = ("objectives", "terminal", "random", "numpy", "json", "socket", "multiprocessing")
_FOLDERS = ("storage", "search", "spaces", "reports", "keras")
_CODE = "open({ran!r}, 'a').write({name!r} + ' ')\nraise SystemExit('the wrong module {name}')\n"


def fill(folder: Path) -> Path:
    """Put such modules into `folder`; the file that is returned comes to be when one of them is run."""
    ran = folder / "ran.txt"
    for name in _FILES:
        (folder / f"{name}.py").write_text(_CODE.format(ran=str(ran), name=name))
    for name in _FOLDERS:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(_CODE.format(ran=str(ran), name=name))
    return ran
