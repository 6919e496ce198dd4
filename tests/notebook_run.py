"""The example notebook: executed in a folder of its own, and written anew with its outputs by ``make notebook``."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).parents[1] / "examples" / "choose_a_model.ipynb"


def run_notebook(folder: Path) -> NotebookNode:
    """Execute a copy of the notebook in `folder`, and return it with its outputs.

    Raises:
        RuntimeError: If a cell fails.
    """
    from nbmake.nb_run import NotebookRun

    copy = folder / NOTEBOOK.name
    shutil.copy(NOTEBOOK, copy)
    result = NotebookRun(copy, default_timeout=250).execute()
    if result.error is not None:
        raise RuntimeError(f"cell {result.error.failing_cell_index}: {result.error.trace}")
    return result.nb


def publishable(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without what differs between machines and days.

    That is the times of execution, versions, and what libraries print on standard error: they name paths and processes.
    """
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


def main() -> None:
    """Execute the notebook, and write it with its outputs."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    with tempfile.TemporaryDirectory() as name:
        nbformat.write(publishable(run_notebook(Path(name))), NOTEBOOK)
    sys.stdout.write(f"wrote {NOTEBOOK.relative_to(Path.cwd())}: look at it before you commit it\n")


if __name__ == "__main__":
    main()
