"""Serving optuna-dashboard over a store, with each study's front as a figure that is kept up to date."""

from __future__ import annotations

import logging
import threading
import warnings
from typing import Any

from optuna.exceptions import ExperimentalWarning, OptunaError
from sqlalchemy.exc import SQLAlchemyError

from tunefront.reports.dashboard.front import regard_limits
from tunefront.reports.dashboard.server import check_host, listen
from tunefront.reports.figures.fronts import front_figure
from tunefront.reports.study_results import StudyResults, load_results
from tunefront.storage import studies
from tunefront.storage.counts import count
from tunefront.storage.database.connection import Store, open_store
from tunefront.storage.open_study import OpenStudy

FIGURE_ID = "tunefront-front"  # a fixed identifier, so that publishing again replaces the figure

_REMOTE_WARNING = (
    "Whoever has this link can read and delete every study of the storage. Nothing is encrypted on its way: others on "
    "the network may read along. ssh -L does both better."
)

_log = logging.getLogger(__name__)


def publish_front(study: OpenStudy) -> None:
    """Save the front as a figure in the Optuna study, in place of the figure published before.

    Args:
        study: A study whose store was opened as a writer.
    """
    _save(study, load_results(study))


def serve(
    store: Store,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    refresh_seconds: float = 10.0,
    allow_remote: bool = False,
) -> None:
    """Serve optuna-dashboard until interrupted (Ctrl-C), and keep the front of every study up to date.

    Args:
        store: Opened as a writer: fronts are published into it, and the dashboard itself can write.
        refresh_seconds: The pause between two looks at whether trials have finished.
        allow_remote: Allow a host that others can reach. Requests are answered only to browsers that came by the
            printed link with its token.

    Raises:
        DashboardError: If the host is not allowed, or host and port cannot be listened on.
    """
    check_host(host, allow_remote)
    _require_writer(store)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        from optuna_dashboard import wsgi

        regard_limits()
        application = wsgi(store.optuna)
    with listen(application, host, port, allow_remote) as server:
        keeper = _FrontPublisher(store)
        keeper.publish_changed()
        stopped = threading.Event()
        threading.Thread(target=keeper.run, args=(stopped, refresh_seconds), daemon=True).start()
        print(f"Dashboard: {server.url}  (Ctrl-C ends it)", flush=True)
        if allow_remote:
            print(_REMOTE_WARNING, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass  # Ctrl-C is the way to end the dashboard
        finally:
            stopped.set()


class _FrontPublisher:
    """A publisher of fronts: it publishes a study's front when trials have finished, or its limits have changed."""

    def __init__(self, store: Store) -> None:
        self._writer = store
        self._reader = open_store(store.url)  # a reader, because loading a large study must not block its workers
        # Optuna's studies are kept, because they cache finished trials: counting again reads only the others.
        self._studies: dict[tuple[int, float], OpenStudy] = {}
        self._published: dict[tuple[int, float], tuple[int, Any]] = {}  # finished trials and objectives then

    def run(self, stopped: threading.Event, seconds: float) -> None:
        """Look every few seconds until `stopped` is set."""
        while not stopped.wait(seconds):
            self.publish_changed()

    def publish_changed(self) -> None:
        """Publish the fronts that may have changed. If the database cannot be reached, that is only logged."""
        try:
            for study in studies.list_all(self._reader):
                self._publish_if_changed(study)
        except (SQLAlchemyError, OptunaError, KeyError) as error:  # KeyError if the study was just deleted
            _log.warning("the front was not published (%s); it is tried again", type(error).__name__)

    def _publish_if_changed(self, study: OpenStudy) -> None:
        key = (study.study_id, study.record.created_at)  # the number alone is not enough: SQLite uses it again
        counts = count(self._studies.setdefault(key, study))
        n_finished = counts.complete + counts.pruned + counts.refused + counts.failed
        spec = study.record.spec
        state = (n_finished, [spec["objectives"], spec.get("limits"), spec.get("deploy")])
        if self._published.get(key) != state:
            # A change of limits rewrites finished trials, which the kept study caches: so this one is new.
            found = load_results(OpenStudy(self._reader, study.record))
            _save(OpenStudy(self._writer, study.record), found)
            self._published[key] = state


def _require_writer(store: Store) -> None:
    if not store.is_writer:
        raise ValueError("the front is published into the store: open it with open_store(url, is_writer=True)")


def _save(study: OpenStudy, results: StudyResults) -> None:
    from optuna_dashboard import save_plotly_graph_object

    _require_writer(study.store)
    figure = front_figure(results)
    # The figure is written in many pieces, so the lock keeps two dashboards from mixing theirs.
    with study.store.exclusively():
        save_plotly_graph_object(study.optuna, figure, graph_object_id=FIGURE_ID)
