"""A link on optuna-dashboard's own pages that leads back to tunefront's page of the same study."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Its policy allows styles in the page, and no scripts. Its own elements have a z-index up to 1300.
_LINK = (
    b'<a href="/study" style="position:fixed;top:14px;right:24px;z-index:2000;padding:6px 12px;border-radius:4px;'
    b"font:600 15px/1.5 sans-serif;color:#0b3d91;background:#fff\">Back to tunefront's page</a>"
)
_CONDITIONS = ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_RANGE")  # they are of the page without the link


def with_way_back(
    dashboard: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer a request for one of optuna-dashboard's pages with that page and the link."""
    started: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
        started[:] = [status, headers, error]
        return lambda _: None

    plain = {name: value for name, value in environ.items() if name not in _CONDITIONS}
    answer = dashboard(plain, start)
    body = b"".join(answer)
    if close := getattr(answer, "close", None):
        close()
    status, headers, error = started
    before, tag, after = body.rpartition(b"</body>")
    if tag:
        body = before + _LINK + tag + after
        dropped = ("content-length", "etag", "last-modified")
        headers = [(name, value) for name, value in headers if name.lower() not in dropped]
        headers += [("Content-Length", str(len(body)))]
    start_response(status, headers, error)
    return [body]
