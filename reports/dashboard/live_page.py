"""A study's report as a page that follows the study: it is made again when the store has changed."""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from optuna.exceptions import OptunaError
from sqlalchemy.exc import SQLAlchemyError

from tunefront.reports.dashboard.readings import PAUSE_SECONDS, Reading, Readings
from tunefront.reports.page.page import render_page
from tunefront.reports.page.templates import page_template
from tunefront.storage.open_study import OpenStudy

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_NONCE = re.compile(r"'nonce-([\w-]+)'")
_BODY = re.compile(r"<body[^>]*>")
# Of the network, a page may ask its own server whether there is something new, and be shown in no other site's frame.
_SERVED_POLICY = "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
NOT_MADE = "none yet"  # the version of a page that says that a study's page is being made
_SOON_SECONDS = 0.5  # after which that page asks again
_BUSY_SHARE = 0.25  # of the time that making pages may take, so that large studies are made less often

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LivePage:
    """A page that can be sent.

    Attributes:
        version: That of the reading that it shows.
        policy: The content security policy to send with it.
    """

    version: str
    html: str
    policy: str


@dataclass
class _Made:
    page: LivePage | None = None
    error: str = ""
    began_at: float = float("-inf")
    seconds: float = 0.0
    is_under_way: bool = False


class LivePages:
    """The pages of a store's studies, made in the background when somebody asks for them.

    Args:
        pause_seconds: The pause from the beginning of one making of a page to the next one's, at least.
    """

    def __init__(
        self,
        readings: Readings,
        pause_seconds: float = PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._readings = readings
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._made: dict[tuple[int, float], _Made] = {}
        self._lock = threading.Lock()

    def latest(self, study: OpenStudy) -> LivePage:
        """Return the last page that was made, or one that says that the first is being made; begin a new one if due."""
        with self._lock:
            made = self._made.setdefault((study.study_id, study.record.created_at), _Made())
            pause = max(self._pause_seconds, made.seconds / _BUSY_SHARE)
            if not made.is_under_way and self._clock() - made.began_at >= pause:
                made.is_under_way, made.began_at = True, self._clock()
                threading.Thread(target=self._make, args=(study, made), daemon=True).start()
            return made.page or small_page(
                "waiting.html.j2", NOT_MADE, name=study.name, said="The page is being made ...", error=made.error
            )

    @property
    def is_at_work(self) -> bool:
        """Whether a page is being made."""
        with self._lock:
            return any(made.is_under_way for made in self._made.values())

    def _make(self, study: OpenStudy, made: _Made) -> None:
        try:
            reading = self._readings.latest(study)
            if made.page is None or made.page.version != reading.version:
                made.page = live_page(reading, self._pause_seconds)
            made.error = ""
        except Exception as error:
            made.error = type(error).__name__
            if not isinstance(error, SQLAlchemyError | OptunaError | KeyError):  # KeyError if it was just deleted
                raise  # a mistake of ours keeps its traceback, and the page says what it was
            _log.warning("the page of %s was not made (%s); it is tried again", study.name, made.error)
        finally:
            made.seconds = self._clock() - made.began_at
            made.is_under_way = False


def live_page(reading: Reading, pause_seconds: float = PAUSE_SECONDS) -> LivePage:
    """Make a study's page: its report, with a bar that leads to other pages, and a script that follows the study.

    Args:
        pause_seconds: The pause after which the page asks whether there is a new one.
    """
    results = reading.results
    folder = reading.folder or Path("results") / results.study.name
    html = render_page(results, folder, reading.confirmation, None, reading.answers, reading.deployed)
    bar = page_template("dashboard/bar.html.j2").render(
        study_id=reading.study.study_id,
        search=results.study.spec.get("confirms"),
        search_id=reading.search_id,
        confirmation_id=reading.confirmation_id,
        n_objectives=len(results.objectives),
        made_at=datetime.now().astimezone().strftime("%H:%M:%S"),
    )
    return _followed(html, reading.version, bar, pause_seconds)


def small_page(template: str, version: str, **context: object) -> LivePage:
    """Return a page of a template of this folder, which gives way to a later version."""
    html = page_template(f"dashboard/{template}").render(nonce=secrets.token_urlsafe(16), **context)
    return _followed(html, version, "", _SOON_SECONDS if version == NOT_MADE else PAUSE_SECONDS)


def _followed(html: str, version: str, bar: str, pause_seconds: float) -> LivePage:
    """Add to a page what makes it follow its study, and take its policy out, to be sent as a header.

    Raises:
        ValueError: If the page has no policy with a nonce, or no body: then nothing of it may be served.
    """
    policy, body = _POLICY.search(html), _BODY.search(html)
    nonce = _NONCE.search(policy.group(1)) if policy else None
    if policy is None or nonce is None or body is None:
        raise ValueError("a page without a content security policy is not served")
    script = page_template("dashboard/live.js.j2").render(version=version, pause_seconds=pause_seconds)
    before, _, after = html[body.end() :].rpartition("</body>")
    html = (
        f"{html[: policy.start()]}{html[policy.end() : body.end()]}{bar}{before}"
        f'<script nonce="{nonce.group(1)}">{script}</script></body>{after}'
    )
    return LivePage(version, html, policy.group(1) + _SERVED_POLICY)
