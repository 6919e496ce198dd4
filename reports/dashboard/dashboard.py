"""Serving a store's studies: each as a page that follows it, and optuna-dashboard beside them."""

from __future__ import annotations

import contextlib
import warnings

from optuna.exceptions import ExperimentalWarning

from tunefront.reports.dashboard.addresses import Addresses
from tunefront.reports.dashboard.live_page import LivePages
from tunefront.reports.dashboard.readings import PAUSE_SECONDS, Readings
from tunefront.reports.dashboard.server import check_host, listen
from tunefront.reports.dashboard.truth import tell_truth
from tunefront.storage.database.connection import Store, open_store

_REMOTE_WARNING = (
    "Whoever has this link can read and delete every study of the storage. Nothing is encrypted on its way: others on "
    "the network may read along. ssh -L does both better."
)


def serve(
    store: Store,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    pause_seconds: float = PAUSE_SECONDS,
    allow_remote: bool = False,
) -> None:
    """Serve the pages of all studies, and optuna-dashboard, until interrupted (Ctrl-C).

    tunefront writes nothing into the store; what a person does in optuna-dashboard does.

    Args:
        store: Opened as a writer, for optuna-dashboard.
        pause_seconds: The pause between two looks at whether a study has changed.
        allow_remote: Allow a host that others can reach. Requests are answered only to browsers that came by the
            printed link with its token.

    Raises:
        DashboardError: If the host is not allowed, or host and port cannot be listened on.
    """
    check_host(host, allow_remote)
    if not store.is_writer:
        raise ValueError("optuna-dashboard writes into the store: open it with open_store(url, is_writer=True)")
    readings = Readings(open_store(store.url), pause_seconds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        from optuna_dashboard import wsgi

        tell_truth(readings)
        application = Addresses(readings, LivePages(readings, pause_seconds), wsgi(store.optuna))
    with listen(application, host, port, allow_remote) as server:
        print(f"Dashboard: {server.url}  (Ctrl-C ends it)", flush=True)
        if allow_remote:
            print(_REMOTE_WARNING, flush=True)
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the way to end the dashboard
            server.serve_forever()
