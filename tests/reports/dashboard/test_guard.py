"""The dashboard's guard: real requests to a real server, before an application that answers one word."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tunefront.reports.dashboard.guard import is_loopback, names_this_machine
from tunefront.reports.dashboard.server import DashboardServer, listen

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

ROUTES = ("/", "/dashboard", "/api/studies", "/static/bundle.js", "/nothing")


def _application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"secret"]


@contextmanager
def _serving(*, allow_remote: bool, host: str = "127.0.0.1") -> Iterator[DashboardServer]:
    with listen(_application, host, 0, allow_remote) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def local() -> Iterator[DashboardServer]:
    with _serving(allow_remote=False) as server:
        yield server


@pytest.fixture(scope="module")
def remote() -> Iterator[DashboardServer]:
    with _serving(allow_remote=True) as server:
        yield server


def _ask(
    server: DashboardServer, path: str = "/", method: str = "GET", **headers: str
) -> tuple[int, str, dict[str, str]]:
    """Send a request and return status, body and headers of the answer; {port} in a header is the server's."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    filled = {name: value.format(port=server.server_port) for name, value in headers.items()}
    connection.request(method, path, headers=filled)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, dict(answer.getheaders())


def _link(server: DashboardServer) -> str:
    return "/" + server.url.partition(f":{server.server_port}/")[2]


def _cookie(server: DashboardServer) -> str:
    return _ask(server, _link(server))[2]["Set-Cookie"].partition(";")[0]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"Host": "localhost:{port}"}, 200),
        ({"Host": "localhost:9000"}, 200),  # a port that ssh forwards
        ({"Host": "[::1]:{port}"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:{port}"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Host": "192.168.1.5"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": "evil.example@127.0.0.1"}, 403),  # a parser of URLs would take this for 127.0.0.1
        ({"Host": "127.0.0.1/.evil.example"}, 403),
        ({"Host": "127.0.0.1#.evil.example"}, 403),
        ({"Host": "127.0.0.1:{port},evil.example"}, 403),  # as Python joins two headers
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Host": "LOCALHOST:{port}", "Origin": "http://localhost:{port}"}, 200),
        ({"Host": "localhost:9000", "Origin": "http://localhost:9000"}, 200),
        ({"Origin": "http://127.0.0.1:3000"}, 403),  # another program's page on this machine
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "http://localhost:{port}"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
    ],
    ids=str,
)
def test_on_this_machine_only_its_own_pages_are_answered(
    local: DashboardServer, headers: dict[str, str], expected: int
) -> None:
    for method in ("GET", "DELETE"):
        status, body, _ = _ask(local, method=method, **headers)
        assert (status, body == "secret") == (expected, expected == 200)


def test_a_browser_gets_in_by_the_link_and_stays_in_by_its_cookie(remote: DashboardServer) -> None:
    assert re.fullmatch(rf"http://127\.0\.0\.1:{remote.server_port}/\?token=[\w-]{{43}}", remote.url)
    status, body, headers = _ask(remote, _link(remote))
    token = remote.url.partition("=")[2]
    assert status == 200
    assert headers["Set-Cookie"] == f"tunefront-{remote.server_port}={token}; Path=/; HttpOnly; SameSite=Strict"
    assert 'content="0; url=/"' in body  # leads on to an address without the token
    assert token not in body
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    others = 'theirs="a, b; =; strange; '  # cookies of programs on other ports
    for path in ROUTES:
        assert _ask(remote, path, Cookie=_cookie(remote))[:2] == (200, "secret")
    assert _ask(remote, Cookie=f"{_cookie(remote)}; theirs=1")[:2] == (200, "secret")
    assert _ask(remote, Cookie=others + _cookie(remote))[:2] == (200, "secret")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_without_the_token_no_route_is_answered(remote: DashboardServer, path: str, method: str) -> None:
    port, cookie = remote.server_port, _cookie(remote)
    for headers in (
        {},
        {"Cookie": f"tunefront-{port}="},
        {"Cookie": f"tunefront-{port}=wrong"},
        {"Cookie": cookie[:-1]},
        {"Cookie": cookie + "a"},
        {"Cookie": cookie.replace(str(port), str(port + 1), 1)},  # the name for another port
        {"Cookie": f"tunefront-{port}=\u00e9"},
    ):
        status, body, given = _ask(remote, path, method, **headers)
        assert (status, "secret" in body, "Set-Cookie" in given) == (403, False, False)
    assert "Set-Cookie" not in _ask(remote, f"{path}?token=wrong", method)[2]
    if method == "GET":
        assert "Open the whole link that 'tunefront dashboard' printed" in _ask(remote, path)[1].replace("&#x27;", "'")


def test_two_servers_have_two_tokens(remote: DashboardServer) -> None:
    with _serving(allow_remote=True) as other:
        assert _ask(other, _link(remote))[0] == 403
        renamed = _cookie(remote).replace(str(remote.server_port), str(other.server_port), 1)
        assert _ask(other, Cookie=renamed)[0] == 403


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Host": "10.0.0.5:8080"}, 200),  # an address is safe: only a name can be made to point here
        ({"Host": "[2001:db8::5]:8080"}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": socket.gethostname().upper()}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Host": "10.0.0.5:8080", "Origin": "http://10.0.0.5:8080"}, 200),
        ({"Host": "10.0.0.5:8080", "Origin": "http://10.0.0.5:3000"}, 403),
        ({"Origin": "http://evil.example"}, 403),
    ],
    ids=str,
)
def test_host_and_origin_are_checked_with_a_token_too(
    remote: DashboardServer, headers: dict[str, str], expected: int
) -> None:
    status, body, _ = _ask(remote, Cookie=_cookie(remote), **headers)
    assert (status, body == "secret") == (expected, expected == 200)
    assert (_ask(remote, _link(remote), **headers)[0]) == expected


def test_the_name_that_it_listens_on_is_answered() -> None:
    names_us = names_this_machine("Bench.example.org")
    assert [names_us(name) for name in ("bench.example.org", "bench.example.org.", "other.example.org", "")] == [
        *(True, True, False, False)
    ]


def test_a_link_for_all_addresses_names_one_that_others_can_reach() -> None:
    with _serving(allow_remote=True, host="0.0.0.0") as server:
        host = server.url.removeprefix("http://").rpartition(":")[0]
        assert host not in ("0.0.0.0", "")
        assert _ask(server, _link(server), Host=f"{host}:{server.server_port}")[0] == 200


def test_nothing_is_printed_of_requests(remote: DashboardServer, capfd: pytest.CaptureFixture[str]) -> None:
    _ask(remote, _link(remote))
    with socket.create_connection(("127.0.0.1", remote.server_port)) as connection:
        connection.sendall(f"GET {_link(remote)} what is this\r\n\r\n".encode())  # Python logs such a line
        assert b"400" in connection.recv(1000)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("localhost.evil.org", False)],
)
def test_loopback_is_told_from_other_hosts(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
