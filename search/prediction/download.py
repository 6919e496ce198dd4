"""The bytes behind an address: up to 10 MB in 10 s, from the host that was typed and no other.

Every hop goes to the network address that the host's name had at first, so that neither a redirect nor a name that
changes its address can lead into another machine. Proxies of the environment are not used.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tunefront.search.prediction.timed_socket import Deadline, TimedSocket
from tunefront.search.prediction.web_address import AddressError, WebAddress

MAX_BYTES = 10_000_000
MAX_SECONDS = 10.0
_MAX_REQUESTS = 10  # for one image: redirects, and answers to a server that asks for user and password
_CHUNK_BYTES = 2**16
_REDIRECTS = (301, 302, 303, 307, 308)
_STREAM_TYPE = "multipart/x-mixed-replace"  # of cameras: images without end


@dataclass(frozen=True)
class Download:
    """An address to fetch; calling it returns the bytes.

    Attributes:
        max_seconds: For everything: finding the host, connecting, redirects, all bytes.
    """

    address: WebAddress
    max_seconds: float = MAX_SECONDS
    max_bytes: int = MAX_BYTES

    def __call__(self) -> bytes:
        """Fetch the bytes.

        Raises:
            OSError: Without an errno; its text says why it failed, without user and password.
        """
        try:
            return self._fetch(Deadline(self.max_seconds))
        except TimeoutError:
            raise OSError(f"was not there whole after {self.max_seconds:g} s") from None
        except AddressError as error:
            raise OSError(str(error)) from None
        except ssl.SSLCertVerificationError as error:
            raise OSError(f"has a certificate that is not trusted ({error.verify_message})") from None
        except http.client.HTTPException as error:
            raise OSError(f"did not answer as HTTP has it ({type(error).__name__})") from None
        except OSError as error:
            if error.errno is None:
                raise
            raise OSError(f"cannot be reached: {error.strerror or type(error).__name__}") from None

    def _fetch(self, deadline: Deadline) -> bytes:
        address, header = self.address, ""
        places = _addresses(address, deadline)
        for _ in range(_MAX_REQUESTS):
            connected, places = _connect(places, address.port, deadline)
            try:
                if address.scheme == "https":
                    connected.encrypt(address.host)
                response = _ask(connected, address, header)
                challenges = response.headers.get_all("WWW-Authenticate") or []
                if response.status in _REDIRECTS:
                    address, header = address.redirected(response.getheader("Location") or ""), ""
                elif response.status != http.client.UNAUTHORIZED:
                    return self._body(response)
                elif address.credentials is None:
                    raise OSError("asks for a user and a password: write USER:PASSWORD@ before the host")
                elif header:
                    raise OSError("does not accept this user and password")
                elif not (header := address.credentials.header(challenges, address.url)):
                    raise OSError("asks for a user and a password in a way that is neither digest nor basic")
            finally:
                connected.end()
        raise OSError("redirects again and again")

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        if response.status != http.client.OK:
            words = http.client.responses.get(response.status, "")
            raise OSError(f"the server answers {response.status} {words}".rstrip())
        if response.getheader("Content-Type", "").lower().startswith(_STREAM_TYPE):
            raise OSError("is a film of images without end (MJPEG): name the camera's address for one snapshot")
        promised = response.length  # None where the server does not say
        if promised is not None and promised > self.max_bytes:
            raise OSError(self._describe_size())
        content = bytearray()
        while chunk := response.read(_CHUNK_BYTES):
            content += chunk
            if len(content) > self.max_bytes:
                raise OSError(self._describe_size())
        if promised is not None and len(content) < promised:
            raise OSError(f"broke off after {len(content):,} of {promised:,} bytes")
        return bytes(content)

    def _describe_size(self) -> str:
        return f"has more than {self.max_bytes / 1e6:g} MB: make it smaller"


_SocketAddress = tuple[int, int, int, str, Any]  # as socket.getaddrinfo returns them


def _addresses(address: WebAddress, deadline: Deadline) -> list[_SocketAddress]:
    """Look the host up. This can hang for longer than is left, so it is done in a thread that may be left behind."""
    found: list[Any] = []

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(deadline.left())
    if not found:
        raise TimeoutError
    if isinstance(found[0], Exception):
        raise OSError(f"cannot be reached: there is no host {address.host!r}")
    return list(found[0])


def _connect(
    places: Sequence[_SocketAddress], port: int, deadline: Deadline
) -> tuple[TimedSocket, list[_SocketAddress]]:
    """Connect to the first place that answers; return the connection and that place alone, for further hops."""
    problem = OSError("cannot be reached: the host has no address")
    for n_tried, place in enumerate(places):
        family, kind, protocol, _, (host, _, *rest) = place
        seconds = deadline.left() / (len(places) - n_tried)
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError as error:  # the machine has no addresses of this kind
            problem = error
            continue
        try:
            connection.settimeout(seconds)
            connection.connect((host, port, *rest))
        except OSError as error:
            connection.close()
            problem = error
        else:
            return TimedSocket(connection, deadline), [place]
    raise problem


def _ask(connected: TimedSocket, address: WebAddress, authorization: str) -> http.client.HTTPResponse:
    client = http.client.HTTPConnection(address.host, address.port)
    client.sock = connected
    headers = {"Host": address.host_header, "User-Agent": "tunefront", "Connection": "close"}
    if authorization:
        headers["Authorization"] = authorization
    client.request("GET", address.target, headers=headers)
    return client.getresponse()
