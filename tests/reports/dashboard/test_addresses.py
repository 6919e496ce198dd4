"""The dashboard's own addresses, asked as a server asks them, over studies in a real store."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

import pytest

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.dashboard.addresses import Addresses
from tunefront.reports.dashboard.live_page import NOT_MADE, LivePages
from tunefront.reports.dashboard.readings import Readings
from tunefront.storage import folder_owner, studies
from tunefront.storage.database.connection import open_store

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

EVIL = "<img src=x onerror=alert(1)>"


def _behind(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer as optuna-dashboard might: the path, and of its pages HTML."""
    is_page = environ["PATH_INFO"].startswith("/dashboard")
    body = b"<html><body><p>theirs</p></body></html>" if is_page else environ["PATH_INFO"].encode()
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body))), ("ETag", "one")])
    return [body]


class Site:
    """The addresses of a store, and a clock that stands until it is set."""

    def __init__(self, fixture: ReportFixture) -> None:
        self.now = 0.0
        self.readings = Readings(open_store(fixture.store.url), 5.0, lambda: self.now)
        self.pages = LivePages(self.readings, 5.0, lambda: self.now)
        self.application = Addresses(self.readings, self.pages, _behind)

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": method, **headers}
        setup_testing_defaults(environ)
        started: list[Any] = []
        body = b"".join(self.application(environ, lambda *given: started.append(given) or (lambda _: None)))  # type: ignore[arg-type, func-returns-value, return-value]
        status, given = started[0][:2]
        return int(status.split()[0]), body.decode(errors="replace"), dict(given)

    def page(self, study_id: int = 1, *, is_new: str = NOT_MADE) -> tuple[str, dict[str, str]]:
        """Return the page of a study and its headers, once it is made and has another version than `is_new`."""
        deadline = time.monotonic() + 90
        while json.loads(self.ask(f"/study/{study_id}/version")[1])["version"] in (NOT_MADE, is_new):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        status, body, headers = self.ask(f"/study/{study_id}/")
        assert status == 200
        return body, headers

    def version(self) -> str:
        found: str = json.loads(self.ask("/study/1/version")[1])["version"]
        return found


@pytest.fixture
def fixture(tmp_path: Path) -> ReportFixture:
    made = ReportFixture.make(tmp_path)
    made.complete(0.9, 100, 5.0)
    made.complete(0.8, 10, 1.0)
    return made


def test_the_only_search_is_at_the_root_and_several_are_listed(fixture: ReportFixture, tmp_path: Path) -> None:
    site = Site(fixture)
    confirmation = {**fixture.record.spec, "name": "digits.confirmation", "confirms": "digits"}
    studies.create(
        fixture.store, "digits.confirmation", confirmation, {}, ["maximize", "minimize", "minimize"], ["a"] * 3
    )
    assert site.ask("/")[0] == 302
    assert site.ask("/")[2]["Location"] == site.ask("/study/1")[2]["Location"] == "/study/1/"
    listed = site.ask("/studies")[1]
    assert re.search(
        r'<a href="/study/1/"><b>digits</b></a>: 2 of 4 trials\s*<ul><li>confirmed by <a href="/study/2/">', listed
    )

    before = json.loads(site.ask("/version")[1])
    ReportFixture.make(tmp_path, name=EVIL)
    status, listed, headers = site.ask("/")
    assert status == 200
    assert "&lt;img src=x onerror=alert(1)&gt;" in listed
    assert EVIL not in listed
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert json.loads(site.ask("/version")[1]) != before
    assert site.ask("/study/7/")[0] == 404


def test_a_store_that_goes_away_is_told_and_comes_back(
    fixture: ReportFixture, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(fixture)
    site.page()
    file, aside = tmp_path / "tunefront.db", tmp_path / "aside.db"
    site.readings.reconnect()  # an open connection would keep the file
    fixture.store.optuna.remove_session()
    fixture.store.engine.dispose()
    file.rename(aside)
    for _ in range(2):
        for path in ("/studies", "/study/1/"):
            status, body, headers = site.ask(path)
            assert status == 503
            assert "The storage cannot be read. This page asks again by itself." in body
            assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert site.ask("/study/1/version")[0] == site.ask("/version")[0] == 503
    assert [record.message.partition(" (")[0] for record in caplog.records] == ["the storage cannot be read"]
    aside.replace(file)
    assert site.ask("/study/1/")[0] == 200
    assert "digits" in site.ask("/studies")[1]


def test_an_empty_store_says_how_to_begin(tmp_path: Path) -> None:
    made = ReportFixture.make(tmp_path)
    studies.delete(made.store, [made.study], ["digits-1"])
    assert "tunefront run examples/digits.toml" in Site(made).ask("/")[1]


def test_a_page_is_served_with_the_files_own_policy_and_may_ask_its_server_alone(fixture: ReportFixture) -> None:
    body, headers = Site(fixture).page()
    policy = headers["Content-Security-Policy"]
    nonces = set(re.findall(r'nonce="([^"]*)"', body))
    assert len(nonces) == 1
    assert policy.startswith(f"default-src 'none'; script-src 'nonce-{nonces.pop()}'; style-src 'unsafe-inline'")
    assert policy.endswith("connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    assert "http-equiv" not in body  # the policy of the file would forbid to ask for the version
    assert "<script>" not in body.replace("\\u003cscript>", "")
    assert body.count("<script>alert") == 0
    assert 'href="/dashboard/studies/1"' in body


def test_a_page_is_made_again_only_if_the_study_has_changed_and_not_at_once(fixture: ReportFixture) -> None:
    site = Site(fixture)
    first, _ = site.page()
    assert "2 models on the front" in first
    site.now = 100.0
    site.version()  # asks the store, and finds nothing new
    deadline = time.monotonic() + 90
    while site.pages.is_at_work and time.monotonic() < deadline:
        time.sleep(0.01)
    assert site.ask("/study/1/")[1] == first  # the very same page, with its nonce
    fixture.complete(0.95, 200, 9.0)
    site.now = 104.9
    assert site.ask("/study/1/")[1] == first
    version = site.version()
    site.now = 1000.0
    second, _ = site.page(is_new=version)
    assert "3 models on the front" in second


def test_tables_are_made_now_and_files_come_from_the_results_folder_alone(
    fixture: ReportFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "digits"
    for name in ("models/trial-0.keras", "logs/trial-0.log", "deployed/trial-0.json", "models/page.html", "secret"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"this is {name}")
    (folder / "trials.csv").write_text("of an earlier report")
    (folder / "models" / "out").symlink_to(tmp_path)
    (folder / "models" / "trial-1.keras").symlink_to(folder / "secret")
    nobody = Site(fixture)
    assert nobody.ask("/study/1/logs/trial-0.log")[0] == 404  # the folder does not say whose it is
    folder_owner.claim(folder, fixture.record)

    site = Site(fixture)
    status, body, headers = site.ask("/study/1/trials.csv")
    assert (status, len(body.splitlines()), headers["Content-Type"]) == (200, 3, "text/csv; charset=utf-8")
    for name, kind in (
        ("models/trial-0.keras", "application/octet-stream"),
        ("logs/trial-0.log", "text/plain; charset=utf-8"),
        ("deployed/trial-0.json", "application/json; charset=utf-8"),
        ("models/page.html", "application/octet-stream"),
    ):
        status, body, headers = site.ask(f"/study/1/{name}")
        assert (status, body, headers["Content-Type"]) == (200, f"this is {name}", kind)
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert headers["X-Content-Type-Options"] == "nosniff"
    for name in ("secret", "models", "models/../secret", "models/out/tunefront.db", "models/trial-1.keras", "../secret",
                 "models/\0", "study.json", "models//etc/passwd"):  # fmt: skip
        assert site.ask(f"/study/1/{name}")[0] == 404, name


def test_everything_else_is_optuna_dashboards_with_a_way_back(fixture: ReportFixture) -> None:
    site = Site(fixture)
    assert site.ask("/api/studies")[1] == "/api/studies"
    for path in ("/dashboard", "/dashboard/studies/1/note"):
        _, body, headers = site.ask(path)
        assert body.startswith('<html><body><p>theirs</p><a href="/study"')
        assert int(headers["Content-Length"]) == len(body)
        assert "ETag" not in headers
    for referer, target in (
        ("http://127.0.0.1:8080/dashboard/studies/1/note", "/study/1/"),
        ("http://127.0.0.1:8080/dashboard", "/"),
        ("http://evil.example/dashboard/studies/1//evil.example", "/study/1/"),
        ("", "/"),
    ):
        assert site.ask("/study", HTTP_REFERER=referer)[2]["Location"] == target
    status, body, headers = site.ask("/studies", "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, "", str(len(site.ask("/studies")[1])))
    assert site.ask("/study/1/", "POST")[0] == 405
    assert site.ask("/studies", "DELETE")[0] == 405
