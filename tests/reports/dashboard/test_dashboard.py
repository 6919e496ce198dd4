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

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.reports.dashboard.dashboard import FIGURE_ID, publish_front, serve
from tunefront.reports.dashboard.server import DashboardError
from tunefront.storage.database.connection import open_store
from tunefront.storage.open_study import OpenStudy

_SERVE = """
import sys
from tunefront.reports.dashboard.dashboard import serve
from tunefront.storage.database.connection import open_store
serve(open_store(sys.argv[1], is_writer=True), port=int(sys.argv[2]), refresh_seconds=0.2)
"""


def _published(fixture: ReportFixture) -> dict[str, object]:
    """Return the study's figures by the keys they are stored under, assembled as the dashboard does."""
    attributes = fixture.store.optuna.get_study_system_attrs(fixture.record.study_id)
    pieces: dict[str, dict[int, str]] = {}
    for name, value in attributes.items():
        if name.startswith("dashboard:plot_data:"):
            figure_id, number = name.removeprefix("dashboard:plot_data:").rsplit(":", 1)
            pieces.setdefault(figure_id, {})[int(number)] = value
    return {
        figure_id: json.loads("".join(texts[number] for number in sorted(texts))) for figure_id, texts in pieces.items()
    }


def _n_on_front(fixture: ReportFixture) -> int:
    try:
        figure = _published(fixture)[FIGURE_ID]
    except json.JSONDecodeError:  # it is being written, piece by piece
        return 0
    return sum(len(trace["customdata"]) for trace in figure["data"] if trace.get("meta") == "front")  # type: ignore[index]


def test_published_front_replaces_the_one_before(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    publish_front(fixture.study)
    fixture.complete(0.9, 10, 5.0)
    fixture.complete(0.8, 5, 5.0)
    publish_front(fixture.study)
    assert list(_published(fixture)) == [FIGURE_ID]
    assert _n_on_front(fixture) == 2


@pytest.mark.filterwarnings("error")
def test_nothing_is_published_into_a_store_that_only_reads(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    reader = open_store(fixture.store.url)
    with pytest.raises(ValueError, match="is_writer=True"):
        publish_front(OpenStudy(reader, fixture.record))
    with pytest.raises(ValueError, match="is_writer=True"):
        serve(reader)


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
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.server
def test_dashboard_shows_studies_and_keeps_the_front_up_to_date(
    served: tuple[ReportFixture, str, subprocess.Popen[str]],
) -> None:
    fixture, url, process = served
    status, body = _get(f"{url}api/studies")
    assert status == 200
    assert [study["study_name"] for study in json.loads(body)["study_summaries"]] == ["digits"]
    assert _n_on_front(fixture) == 1  # published before the first request

    fixture.complete(0.95, 20, 5.0)
    deadline = time.monotonic() + 20
    while _n_on_front(fixture) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _n_on_front(fixture) == 2
    study = json.loads(_get(f"{url}api/studies/{fixture.record.study_id}")[1])
    assert [figure["id"] for figure in study["plotly_graph_objects"]] == [FIGURE_ID]
    assert [trial["constraints"] for trial in study["trials"]] == [[-90.0], [100.0], [-80.0]]
    assert [trial["number"] for trial in study["best_trials"]] == [0, 2]

    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        status, body = _get(f"{url}api/studies", **headers)
        assert status == 403
        assert "digits" not in body
    assert _get(f"{url}api/studies", Host="localhost:9000", Origin="http://localhost:9000")[0] == 200

    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=20)
    assert process.returncode == 0
    assert printed == ""  # no warning, no traceback, no line for every request
