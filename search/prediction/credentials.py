"""A user and a password for a server, given only when it asks for them, and as it asks: by digest or basic."""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Credentials:
    """A user and a password, which no message shows."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(***)"

    def header(self, challenges: Sequence[str], url: str) -> str:
        """Return the header with which a server lets this user in; empty if it asks in no way that is known.

        Digest goes before basic, because it does not send the password itself.

        Args:
            challenges: The server's headers that ask, such as ``Basic realm="camera"``.
            url: The address that is asked for, without user and password.
        """
        by_scheme = {scheme.lower(): rest for scheme, _, rest in (each.strip().partition(" ") for each in challenges)}
        if "digest" in by_scheme and (digest := self._digest(by_scheme["digest"], url)):
            return f"Digest {digest}"
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return f"Basic {pair}" if "basic" in by_scheme else ""

    def _digest(self, challenge: str, url: str) -> str:
        """Return Python's own answer to a challenge; empty if it does not know the algorithm."""
        known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        known.add_password(None, url, self.user, self.password)
        fields = urllib.request.parse_keqv_list([each for each in urllib.request.parse_http_list(challenge) if each])
        try:
            answer = urllib.request.AbstractDigestAuthHandler(known).get_authorization(
                urllib.request.Request(url), fields
            )
        except (ValueError, TypeError):  # how it refuses algorithms that it does not know
            return ""
        return answer or ""
