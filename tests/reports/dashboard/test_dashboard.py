"""The front in optuna-dashboard, and its server."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.dashboard.dashboard import serve
from tunefront.reports.dashboard.server import DashboardError
from tunefront.reports.dashboard.truth import FIGURE_ID
from tunefront.storage.database.connection import open_store

_SERVE = """
import sys
from tunefront.reports.dashboard.dashboard import serve
from tunefront.storage.database.connection import open_store
serve(open_store(sys.argv[1], is_writer=True), port=int(sys.argv[2]), pause_seconds=0.5)
"""


@pytest.mark.filterwarnings("error")
def test_a_store_that_only_reads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is_writer=True"):
        serve(open_store(ReportFixture.make(tmp_path).store.url))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "", "example.org"])
def test_serving_others_is_refused_unless_allowed(tmp_path: Path, host: str) -> None:
    with pytest.raises(DashboardError, match=r"has no authentication.*--allow-remote"):
        serve(ReportFixture.make(tmp_path).store, host=host)


def test_a_port_in_use_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DashboardError, match=rf"port {port} is in use.*choose another --port"):
            serve(ReportFixture.make(tmp_path).store, port=port)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[ReportFixture, str, subprocess.Popen[str]]]:
    """A study whose dashboard runs in a process of its own, its address, and the process."""
    limited = {"measure": "model_bytes", "at_least": None, "at_most": 100}
    fixture = ReportFixture.make(tmp_path, {**THREE, "memory": limited})
    fixture.complete(0.9, 10, 5.0)
    fixture.complete(0.99, 200, 1.0)  # breaks the limit
    # The system chooses the port: one that was free a moment ago may be another test's by now.
    arguments = [sys.executable, "-c", _SERVE, fixture.store.url, "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[1]
            yield fixture, url, process
        finally:
            process.kill()


def _get(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _detail(fixture: ReportFixture, url: str) -> dict[str, Any]:
    """Return what optuna-dashboard is told of the study."""
    found: dict[str, Any] = json.loads(_get(f"{url}api/studies/{fixture.record.study_id}")[1])
    return found


def _n_on_front(detail: dict[str, Any]) -> int:
    (figure,) = detail["plotly_graph_objects"]
    assert figure["id"] == FIGURE_ID
    traces = json.loads(figure["graph_object"])["data"]
    return sum(len(trace["customdata"]) for trace in traces if trace.get("meta") == "front")


@pytest.mark.server
def test_optuna_dashboard_is_told_the_truth_and_nothing_is_written(
    served: tuple[ReportFixture, str, subprocess.Popen[str]],
) -> None:
    fixture, url, process = served
    before = _stored(fixture)
    status, body = _get(f"{url}api/studies")
    assert status == 200
    assert [study["study_name"] for study in json.loads(body)["study_summaries"]] == ["digits"]
    assert _n_on_front(_detail(fixture, url)) == 1
    assert _stored(fixture) == before

    fixture.complete(0.95, 20, 5.0)
    before = _stored(fixture)
    deadline = time.monotonic() + 90
    while len((study := _detail(fixture, url))["trials"]) < 3 or _n_on_front(study) < 2:  # it reads every two seconds
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [trial["constraints"] for trial in study["trials"]] == [[-90.0], [100.0], [-80.0]]
    assert [trial["number"] for trial in study["best_trials"]] == [0, 2]
    told = [{each["key"]: each["value"] for each in trial["user_attrs"]} for trial in study["trials"]]
    assert [attributes["on front"] for attributes in told] == ["yes", "no", "yes"]
    assert [float(attributes["model_bytes"]) for attributes in told] == [10.0, 200.0, 20.0]
    note = study["note"]["body"]
    # The better one is worth twice the memory: 5 points are more than 288 images may have by chance (2.6 points).
    assert "**Take trial 2: accuracy 95.00 ± 2.6 %, memory 20 B, training time 5 s.**" in note
    assert f"(/study/{fixture.record.study_id}/)" in note
    assert [line.split("|")[1].strip() for line in note.splitlines() if "%" in line and line.startswith("|")] == [
        "2",
        "0",
    ]
    assert _stored(fixture) == before

    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        for path in ("", "studies", f"study/{fixture.record.study_id}/", "version", "api/studies"):
            status, body = _get(f"{url}{path}", **headers)
            assert status == 403
            assert "digits" not in body
    assert _get(f"{url}api/studies", Host="localhost:9000", Origin="http://localhost:9000")[0] == 200

    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=90)
    assert process.returncode == 0
    assert printed == ""  # no warning, no traceback, no line for every request


def _stored(fixture: ReportFixture) -> tuple[Any, ...]:
    """Return all attributes of the study and its trials that the store has."""
    storage, study_id = open_store(fixture.store.url).optuna, fixture.record.study_id
    trials = [(trial.user_attrs, trial.system_attrs) for trial in storage.get_all_trials(study_id)]
    return storage.get_study_system_attrs(study_id), storage.get_study_user_attrs(study_id), trials


@pytest.mark.server
def test_a_note_of_a_person_stays_below_ours(served: tuple[ReportFixture, str, subprocess.Popen[str]]) -> None:
    fixture, url, _ = served
    address = f"{url}api/studies/{fixture.record.study_id}"
    shown = _detail(fixture, url)["note"]
    assert shown["version"] == 0
    written = {"body": shown["body"] + "\nmine, and *kept*", "version": 1}
    request = urllib.request.Request(
        f"{address}/note", json.dumps(written).encode(), {"Content-Type": "application/json"}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 204
    fixture.complete(0.99, 9, 1.0)
    deadline = time.monotonic() + 90
    while "Take trial 2" not in (note := _detail(fixture, url)["note"]["body"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert note.rstrip().endswith("mine, and *kept*")
    assert (note.count("mine, and"), note.count("**Take trial")) == (1, 1)
