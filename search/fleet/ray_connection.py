"""The connection of this process to a Ray cluster. This file alone imports Ray."""

from __future__ import annotations

import logging
import socket
from typing import Any

from tunefront.mistakes import TunefrontError

_CONNECT_SECONDS = 5.0


class RayClusterError(TunefrontError):
    """A Ray cluster cannot be used as asked; the message names the remedy."""


def connect(address: str) -> Any:
    """Connect to a Ray cluster, and return the module.

    Raises:
        RayClusterError: Names what is missing and the remedy.
    """
    try:
        import ray
        import ray.exceptions
        import ray.util.scheduling_strategies
    except ImportError:
        raise RayClusterError("--ray needs another package: pip install 'tunefront[ray]'") from None
    _check_address(address)
    try:
        # No runtime_env: Ray writes it into a log that everybody may read.
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, configure_logging=False)
    except ray.exceptions.AuthenticationError:
        raise RayClusterError(
            f"--ray {address}: RAY_AUTH_MODE=token is set, and there is no token on this machine: copy the cluster's "
            "~/.ray/auth_token here"
        ) from None
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise RayClusterError(
            f"--ray {address}: {last_line(error)}. Start a cluster with 'ray start --head', or name the HOST:PORT "
            "that it prints; with RAY_AUTH_MODE=token this machine needs its token too"
        ) from None
    # Ray prints what its nodes say, such as the whole state of one that died, to standard output, where a live view or
    # JSON is. There is no setting against it; Ray's own debugger switches it off so.
    ray._private.worker._worker_logs_enabled = False
    return ray


def _check_address(address: str) -> None:
    """Refuse an address at which nobody answers: Ray itself would wait for many minutes."""
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if "/" in address or not colon or not host or not port.isdigit():
        raise RayClusterError(
            f"--ray {address}: give auto, or the HOST:PORT that 'ray start --head' prints. An address of ray:// is for "
            "programs outside the cluster: run this command on one of its machines"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise RayClusterError(
            f"--ray {address}: nobody answers there ({error}). Is the cluster's head running?"
        ) from None


def last_line(error: BaseException) -> str:
    """Return the last line of an error's text."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else type(error).__name__
