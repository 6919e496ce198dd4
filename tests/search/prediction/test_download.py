"""Downloads from real servers on this machine."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tunefront.search.prediction.download import Download
from tunefront.search.prediction.web_address import parse_address

Page = Callable[[BaseHTTPRequestHandler], None]
EXPECTED = "Basic " + base64.b64encode(b"anna:hush").decode()


@contextlib.contextmanager
def serving(page: Page, host: str = "127.0.0.1", port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Answer GET by `page`; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page(self)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in headers:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def locked(handler: BaseHTTPRequestHandler) -> None:
    if handler.headers.get("Authorization") == EXPECTED:
        send(handler, 200, b"secret")
    else:
        send(handler, 401, WWW_Authenticate='Basic realm="x"')


def by_digest(handler: BaseHTTPRequestHandler, algorithm: str = "MD5") -> None:
    """Let a user in by RFC 2617: the password itself is never sent."""
    header = handler.headers.get("Authorization", "")
    if not header:
        handler.send_response(401)
        handler.send_header("WWW-Authenticate", 'Basic realm="cam"')
        challenge = f'Digest realm="a cam, of Anna", nonce="5f2c", qop="auth", algorithm={algorithm}'
        handler.send_header("WWW-Authenticate", challenge)
        handler.end_headers()
        return
    if header == EXPECTED:
        send(handler, 200, b"by basic")
        return
    said = dict(re.findall(r'(\w+)="?([^",]+)', header))
    secret = hashlib.md5(b"anna:a cam, of Anna:hush").hexdigest()
    what = hashlib.md5(f"GET:{handler.path}".encode()).hexdigest()
    whole = f"{secret}:5f2c:{said['nc']}:{said['cnonce']}:auth:{what}"
    is_anna = said["response"] == hashlib.md5(whole.encode()).hexdigest() and said["uri"] == handler.path
    send(handler, 200 if is_anna else 401, b"by digest")


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(b"x" * 10_000)


def away(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 302, Location=f"http://localhost:{handler.server.server_address[1]}/plain")


PAGES: dict[str, Page] = {
    "/plain": lambda handler: send(handler, 200, b"bytes"),
    "/locked": locked,
    "/digest?x=1": by_digest,
    "/newer": lambda handler: by_digest(handler, "SHA-512-256"),
    "/kerberos": lambda handler: send(handler, 401, WWW_Authenticate="Negotiate"),
    "/open": lambda handler: send(handler, 200, str(handler.headers.get("Authorization")).encode()),
    "/moved": lambda handler: send(handler, 302, Location="/locked"),
    "/away": away,
    "/file": lambda handler: send(handler, 301, Location="file:///etc/passwd"),
    "/round": lambda handler: send(handler, 307, Location="/round"),
    "/large": lambda handler: send(handler, 200, b"", Content_Length="20000000"),
    "/endless": endless,
    "/cut": lambda handler: send(handler, 200, b"12345", Content_Length="10"),
    "/film": lambda handler: send(handler, 200, b"--x", Content_Type="multipart/x-mixed-replace; boundary=x"),
    "/nothing": lambda handler: send(handler, 404),
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(lambda handler: PAGES[handler.path](handler)) as found:
        yield found


def fetch(port: int, path: str, *, user: str = "", host: str = "127.0.0.1", **limits: Any) -> bytes:
    return Download(parse_address(f"http://{user}{host}:{port}{path}"), **limits)()


def test_bytes_come_as_they_are(port: int) -> None:
    assert fetch(port, "/plain") == b"bytes"
    assert fetch(port, "/plain", host="localhost") == b"bytes"


def test_user_and_password_go_to_the_server_also_behind_a_redirect(port: int) -> None:
    assert fetch(port, "/locked", user="anna:hush@") == b"secret"
    assert fetch(port, "/moved", user="anna:hush@") == b"secret"
    assert fetch(port, "/digest?x=1", user="anna:hush@") == b"by digest"
    assert fetch(port, "/newer", user="anna:hush@") == b"by basic"  # it knows no such digest
    assert fetch(port, "/open", user="anna:hush@") == b"None"  # who does not ask is not told


@pytest.mark.parametrize(
    ("path", "user", "why"),
    [
        ("/locked", "", "asks for a user and a password: write USER:PASSWORD@ before the host"),
        ("/locked", "anna:wrong@", "does not accept this user and password"),
        ("/digest?x=1", "anna:wrong@", "does not accept this user and password"),
        ("/kerberos", "anna:hush@", "asks for a user and a password in a way that is neither digest nor basic"),
        ("/away", "anna:hush@", "redirects to another host, localhost"),
        ("/file", "anna:hush@", "begins with file:// cannot be fetched"),
        ("/round", "", "redirects again and again"),
        ("/large", "", "has more than 10 MB"),
        ("/endless", "", "has more than 10 MB"),
        ("/cut", "", "broke off after 5 of 10 bytes"),
        ("/film", "", "is a film of images without end"),
        ("/nothing", "", "the server answers 404 Not Found"),
    ],
)
def test_what_goes_wrong_is_told_without_the_password(port: int, path: str, user: str, why: str) -> None:
    with pytest.raises(OSError, match=why) as caught:
        fetch(port, path, user=user)
    assert caught.value.errno is None
    assert not {"hush", "wrong"} & set(str(caught.value).replace(":", " ").replace("@", " ").split())


def test_a_host_that_does_not_answer_or_is_none() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="cannot be reached: Connection refused"):
            fetch(free.getsockname()[1], "/plain")
    with pytest.raises(OSError, match="there is no host 'no-such-host.invalid'"):
        Download(parse_address("http://no-such-host.invalid/a"))()


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_a_server_that_drips_is_given_up(beginning: bytes) -> None:
    """Each byte comes well within the time, in the headers or in the body, and all of them never."""
    is_over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(beginning)
            while not is_over.wait(0.05):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        try:
            with pytest.raises(OSError, match="was not there whole after 0.4 s"):
                fetch(server.getsockname()[1], "/", max_seconds=0.4)
        finally:
            is_over.set()
            thread.join()


def test_a_name_that_changes_its_address_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is looked up once: a redirect goes to the machine that answered first, whatever the name says then."""
    looked_up = []
    real = socket.getaddrinfo

    def changing(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        looked_up.append(host)
        return real("127.0.0.1" if len(looked_up) == 1 else "127.0.0.2", port, *args, **more)

    def mine(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/first":
            send(handler, 302, Location="/second")
        else:
            send(handler, 200, f"mine {handler.headers['Host']}".encode())

    with serving(mine) as port, serving(lambda handler: send(handler, 200, b"other"), "127.0.0.2", port):
        monkeypatch.setattr(socket, "getaddrinfo", changing)
        assert fetch(port, "/first", host="camera.test") == f"mine camera.test:{port}".encode()
    assert looked_up == ["camera.test"]


def test_an_address_of_a_kind_that_the_machine_lacks_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    real, unknown = socket.getaddrinfo, 250  # no family of addresses has this number

    def with_an_unknown_kind(*args: Any, **more: Any) -> Any:
        return [(unknown, socket.SOCK_STREAM, 6, "", ("::1", 80, 0, 0)), *real("127.0.0.1", *args[1:], **more)]

    with serving(lambda handler: send(handler, 200, b"found")) as port:
        monkeypatch.setattr(socket, "getaddrinfo", with_an_unknown_kind)
        assert fetch(port, "/a", host="camera.test") == b"found"


def test_a_name_that_cannot_be_looked_up_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: is_over.wait(5) and [])
    with pytest.raises(OSError, match="was not there whole after 0.1 s"):
        Download(parse_address("http://camera.test/a"), max_seconds=0.1)()
    is_over.set()


def test_a_certificate_must_be_trusted_and_the_host_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl, to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost -addext"
    names = ["subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*words.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(lambda handler: send(handler, 200, b"safe"), context=context) as port:
        address = f"https://localhost:{port}/"
        with pytest.raises(OSError, match="has a certificate that is not trusted \\(self-signed certificate\\)"):
            Download(parse_address(address))()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert Download(parse_address(address))() == b"safe"
        with pytest.raises(OSError, match="has a certificate that is not trusted \\(IP address mismatch"):
            Download(parse_address(address.replace("localhost", "127.0.0.1")))()
