"""How long the workers of a store wait: for the store, for each other, and before one is taken for lost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Waits:
    """The waiting times of a store's workers; tests shorten them.

    Attributes:
        lease_seconds: How long a lease is valid after its last renewal. All workers of a store must have the same.
        away_seconds: How long a worker repeats what fails until it takes the store for away: a connection may break,
            and the next one may be had at once.
        lock_seconds: How long a worker waits for a lock of the store until it looks up who holds it.
        command_seconds: How long a command, which is no worker, waits for a lock until it gives up.
        row_seconds: How long a statement waits for a row that another transaction has locked.
        look_seconds: How long a worker waits before it looks again for what people wish.
        idle_seconds: How long a server keeps a transaction in which nothing happens, as when its worker is paused.
    """

    lease_seconds: float = 60.0
    away_seconds: float = 2.0
    lock_seconds: float = 30.0
    command_seconds: float = 120.0
    row_seconds: float = 10.0
    look_seconds: float = 1.0
    idle_seconds: float = 30.0
