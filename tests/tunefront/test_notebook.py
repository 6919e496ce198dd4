"""Studies in notebooks: the example is executed by a real kernel, and Ctrl-C returns the study so far."""

from __future__ import annotations

import getpass
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import IPython
import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbformat import NotebookNode

from tests.notebook_run import NOTEBOOK, publishable, run_notebook
from tunefront.notebook import in_notebook

FOLDERS = re.compile(r"/(?:home|root|tmp|usr|opt|work|mnt|var|Users|private)/|[A-Z]:\\\\")


@pytest.fixture
def kernel_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a kernel, which leaves nothing in the user's home."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "jupyter"))
    return tmp_path


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(cell: NotebookNode) -> str:
    """Return what a cell shows as text."""
    return "".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def test_the_committed_notebook_was_executed_and_tells_nothing_of_where() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert [cell.execution_count for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))
    assert all(cell.outputs for cell in code_cells(notebook))
    shown = json.dumps([cell.outputs for cell in code_cells(notebook)])
    pictures = re.findall(r'"image/png": "([^"]+)"', shown)
    assert len(pictures) == 1
    without_pictures = shown.replace(pictures[0], "")
    assert not FOLDERS.search(without_pictures)
    for name in {socket.gethostname(), socket.gethostname().split(".")[0], getpass.getuser()} - {"localhost"}:
        assert not re.search(rf"\b{re.escape(name)}\b", without_pictures), name
    assert publishable(nbformat.read(NOTEBOOK, as_version=4)) == notebook


@pytest.mark.slow
def test_the_notebook_runs(kernel_folder: Path) -> None:
    notebook = run_notebook(kernel_folder)
    searched, front, curves, picture, chosen, used, compared, candidate = code_cells(notebook)
    # However many trials there are, one output shows them, another one names the report, and the third is the table.
    outputs = [output for output in searched.outputs if output.get("name") != "stderr"]
    assert [output.output_type for output in outputs] == ["display_data", "stream", "execute_result"]
    assert "trial 7: complete: " in outputs[0].data["text/plain"]
    assert "<b>small-networks: " in outputs[2].data["text/html"]
    assert not [output for output in searched.outputs if output.get("name") == "stderr"]
    assert "accuracy" in texts(front)
    assert len(re.findall(r"^[1-5] ", texts(curves), re.MULTILINE)) == 5
    assert picture.outputs[0].data["image/png"].startswith("iVBOR")  # PNG in base64
    memory = re.search(r"^Take trial \d+: accuracy [\d.]+ (?:± [\d.]+ )?%, memory ([\d.]+) kB\.", texts(chosen))
    assert memory is not None
    assert float(memory[1]) <= 100
    assert re.search(r"^It is a \d, with a probability of \d+%\.", texts(used), re.MULTILINE)
    assert "dense-networks" in (kernel_folder / "results" / "dense-networks" / "study.json").read_text()
    assert "on_common_front" in texts(compared)
    assert "'learning_rate'" in texts(candidate)


INTERRUPTED = """
import tunefront

study = tunefront.run({
    "name": "long",
    "trials": 500,
    "data": {"source": "digits"},
    "space": {"plain_cnn": {"n_blocks": 1, "filters": 4, "dense_units": 0}, "batch_size": 256, "augmentation": "none"},
    "training": {"epochs": 1},
}, slots=1)
"""


@pytest.fixture
def kernel(kernel_folder: Path) -> Iterator[tuple[Any, Any]]:
    """A running kernel in an empty folder, and a client of it."""
    manager, client = start_new_kernel(cwd=str(kernel_folder))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_an_interrupted_cell_returns_the_study_so_far(kernel: tuple[Any, Any], kernel_folder: Path) -> None:
    manager, client = kernel
    asked = client.execute(INTERRUPTED)
    printed, is_interrupted = "", False
    while True:
        message = client.get_iopub_msg(timeout=120)
        content = message["content"]
        if message["parent_header"].get("msg_id") != asked:
            continue
        if message["msg_type"] == "stream":
            printed += content["text"]
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            break
        if not is_interrupted and "trial 0: complete" in content.get("data", {}).get("text/plain", ""):
            manager.interrupt_kernel()
            is_interrupted = True
    assert client.get_shell_msg(timeout=60)["content"]["status"] == "ok"  # no KeyboardInterrupt
    assert "Interrupted; every finished trial is kept." in printed
    assert (kernel_folder / "results" / "long" / "report.html").exists()
    found: list[str] = []
    client.execute_interactive(
        "print(study.name, 1 <= (study.trials()['state'] == 'complete').sum() < 500)",
        output_hook=lambda message: found.append(message["content"].get("text", "")),
    )
    assert "".join(found).strip() == "long True"


def test_a_script_is_no_notebook() -> None:
    assert IPython.get_ipython() is None
    assert not in_notebook()
