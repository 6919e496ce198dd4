"""Notebooks: whether this is one, and what is different there."""

from __future__ import annotations

import sys
import warnings


def in_notebook() -> bool:
    """Return whether this is the kernel of a notebook; a script is none, and neither is IPython in a terminal."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def quiet_imports() -> None:
    """Import Optuna without the warning of its progress bars, which nobody draws; do nothing outside a notebook."""
    if in_notebook():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="IProgress not found")  # of tqdm, where there are no ipywidgets
            import optuna  # noqa: F401
