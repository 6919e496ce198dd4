"""The settings of the server, and who may connect to it."""

from __future__ import annotations

from tunefront.storage.database.server_settings import server_side_settings
from tunefront.storage.database.waits import Waits
from tunefront.storage.server.store_folder import DATABASE, ROLE, Listening, StoreFolder

_MAX_CONNECTIONS = 300  # a worker holds up to two, so that 100 workers leave room for commands and reports
_LOOPBACK_NETWORKS = ("127.0.0.0/8", "::1/128")


def configuration(folder: StoreFolder, listening: Listening) -> str:
    """Return the text of a file of PostgreSQL's settings."""
    hosts = ["127.0.0.1"] if listening.host != "0.0.0.0" else []
    settings = {
        "listen_addresses": ",".join(dict.fromkeys([*hosts, listening.host])),
        "port": str(listening.port),
        "unix_socket_directories": "",  # addresses with a password are the one way in
        "hba_file": str(folder.access),
        "max_connections": str(_MAX_CONNECTIONS),
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        **server_side_settings(Waits()),
    }
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
    head = "# Written by each 'tunefront store start'. Settings of your own belong into data/postgresql.conf."
    return "\n".join([head, *lines, ""])


def access(listening: Listening) -> str:
    """Return the text of the file that says who may connect: one role, with its password."""
    networks = _LOOPBACK_NETWORKS if listening.is_local else ("all",)
    lines = [f"host {DATABASE} {ROLE} {network} scram-sha-256" for network in networks]
    return "\n".join(["# Written by each 'tunefront store start'.", *lines, ""])
