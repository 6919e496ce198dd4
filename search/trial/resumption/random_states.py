"""The states of Python's and NumPy's own random numbers, from which the layers of a later fold get their seeds."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np


def random_states() -> dict[str, Any]:
    """Return the states as JSON data."""
    version, numbers, following = random.getstate()
    found = np.random.get_state(legacy=False)
    state = {**found["state"], "key": found["state"]["key"].tolist()}
    return {"python": [version, list(numbers), following], "numpy": {**found, "state": state}}


def set_random_states(states: Mapping[str, Any]) -> None:
    """Restore what :func:`random_states` returned."""
    version, numbers, following = states["python"]
    random.setstate((version, tuple(numbers), following))
    found = states["numpy"]
    np.random.set_state({**found, "state": {**found["state"], "key": np.array(found["state"]["key"], np.uint32)}})
