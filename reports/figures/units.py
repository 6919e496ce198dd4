"""The unit of an axis of time."""

from __future__ import annotations

_UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


def time_unit(seconds: float) -> tuple[float, str]:
    """Return the length in seconds, and the name, of the largest unit of which there are two or more."""
    return next((unit for unit in _UNITS if seconds >= 2 * unit[0]), _UNITS[-1])
