"""The dashboard's addresses: pages and files of tunefront, and behind all others optuna-dashboard."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tunefront.reports.dashboard.files import served_file
from tunefront.reports.dashboard.live_page import NOT_MADE, LivePage, LivePages, small_page
from tunefront.reports.dashboard.readings import Readings
from tunefront.reports.dashboard.way_back import with_way_back
from tunefront.storage.database.patience import is_of_database
from tunefront.storage.open_study import OpenStudy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_STUDY = re.compile(r"/study/(\d{1,18})(/.*)?")
_CAME_FROM = re.compile(r"\w+://[^/]+/dashboard/studies/(\d{1,18})\b.*")
_OWN = ("/", "/studies", "/version", "/study")
_HTML = "text/html; charset=utf-8"
_AWAY = "The storage cannot be read. This page asks again by itself."

_log = logging.getLogger(__name__)


class Addresses:
    """A WSGI application: the list of studies at ``/``, or the page of the only one, and each page at ``/study/N/``.

    Args:
        dashboard: The application that answers to all other addresses.
    """

    def __init__(self, readings: Readings, pages: LivePages, dashboard: WSGIApplication) -> None:
        self._readings = readings
        self._pages = pages
        self._dashboard = dashboard
        self._is_away = False  # whether the store could not be read the last time

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        path = environ.get("PATH_INFO", "") or "/"
        of_study = _STUDY.fullmatch(path)
        if path.startswith("/dashboard"):
            return with_way_back(self._dashboard, environ, start_response)
        if not of_study and path not in _OWN:
            return self._dashboard(environ, start_response)
        answer = _Answer(start_response, has_body=environ["REQUEST_METHOD"] != "HEAD")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return answer.text(HTTPStatus.METHOD_NOT_ALLOWED, "This address can only be read.")
        try:
            if of_study:
                answered = self._answer_study(answer, int(of_study.group(1)), of_study.group(2))
            else:
                answered = self._answer_own(answer, path, environ.get("HTTP_REFERER", ""))
        except Exception as error:
            if not is_of_database(error):
                raise
            return self._answer_without_store(answer, path, error)
        self._is_away = False
        return answered

    def _answer_own(self, answer: _Answer, path: str, referer: str) -> Iterable[bytes]:
        if path == "/study":  # the way back: optuna-dashboard's page of a study leads to ours of that study
            came_from = _CAME_FROM.fullmatch(referer)
            return answer.redirect(f"/study/{came_from.group(1)}/" if came_from else "/")
        found = self._readings.studies()
        searches = [study for study in found if not study.record.spec.get("confirms")]
        if path == "/" and len(searches) == 1:
            return answer.redirect(f"/study/{searches[0].study_id}/")
        page = self._list(found)
        return answer.json({"version": page.version}) if path == "/version" else answer.page(page)

    def _answer_study(self, answer: _Answer, study_id: int, rest: str | None) -> Iterable[bytes]:
        study = self._readings.find(study_id)
        if study is None:
            return answer.text(HTTPStatus.NOT_FOUND, "There is no such study. All studies are at /studies")
        if rest is None:
            return answer.redirect(f"/study/{study_id}/")
        if rest in ("/", "/report.html"):
            return answer.page(self._pages.latest(study))
        if rest == "/version":
            return answer.json({"version": self._pages.latest(study).version})
        file = served_file(self._readings.latest(study), rest.removeprefix("/"))
        if file is None:
            return answer.text(HTTPStatus.NOT_FOUND, "There is no such file of this study on this machine.")
        return answer.send(HTTPStatus.OK, file.content, file.headers)

    def _answer_without_store(self, answer: _Answer, path: str, error: Exception) -> Iterable[bytes]:
        """Answer while the store cannot be read: a page that asks again by itself, or a status that pages know."""
        if not self._is_away:  # once for each outage, however often browsers ask
            _log.warning(
                "the storage cannot be read (%s); pages stay as they were, and ask again", type(error).__name__
            )
        self._is_away = True
        self._readings.reconnect()
        if path.endswith("/version"):
            return answer.text(HTTPStatus.SERVICE_UNAVAILABLE, "The storage cannot be read.")
        page = small_page("waiting.html.j2", NOT_MADE, name="tunefront", said=_AWAY, error="")
        return answer.page(page, HTTPStatus.SERVICE_UNAVAILABLE)

    def _list(self, found: list[OpenStudy]) -> LivePage:
        """Return a page with all searches, each with its confirmation below it; what lost its search stands alone."""
        searches = {study.name for study in found}
        entries: dict[str, dict[str, Any]] = {}
        for study in found:
            entry = {
                "study_id": study.study_id,
                "name": study.name,
                "progress": self._readings.describe_progress(study),
                "confirmation": None,
            }
            search = study.record.spec.get("confirms")
            if search in searches and search in entries:
                entries[search]["confirmation"] = entry
            else:
                entries[study.name] = entry
        listed = list(entries.values())
        version = hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]
        return small_page("studies.html.j2", version, studies=listed)


class _Answer:
    """The answer to one request; one that asked for the head alone gets no body."""

    def __init__(self, start_response: StartResponse, *, has_body: bool) -> None:
        self._start_response = start_response
        self._has_body = has_body

    def page(self, page: LivePage, status: HTTPStatus = HTTPStatus.OK) -> Iterable[bytes]:
        headers = [("Content-Type", _HTML), ("Content-Security-Policy", page.policy)]
        return self.send(status, page.html.encode(), headers)

    def json(self, content: Any) -> Iterable[bytes]:
        return self.send(HTTPStatus.OK, json.dumps(content).encode(), [("Content-Type", "application/json")])

    def text(self, status: HTTPStatus, text: str) -> Iterable[bytes]:
        return self.send(status, text.encode(), [("Content-Type", "text/plain; charset=utf-8")])

    def redirect(self, path: str) -> Iterable[bytes]:
        return self.send(HTTPStatus.FOUND, b"", [("Location", path)])

    def send(self, status: HTTPStatus, body: bytes, headers: list[tuple[str, str]]) -> Iterable[bytes]:
        fixed = [
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        self._start_response(f"{status.value} {status.phrase}", headers + fixed)
        return [body] if self._has_body else []
