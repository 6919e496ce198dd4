"""What Keras computes with, checked before Keras is loaded: a process that cannot load it has only a traceback."""

from __future__ import annotations

import os
from importlib.util import find_spec

from tunefront.mistakes import TunefrontError, nearest

_PACKAGES = {"tensorflow": "tensorflow", "jax": "tunefront[jax]", "torch": "torch"}  # that train, and bring the module


class BackendError(TunefrontError):
    """Keras cannot train by what the environment names."""


def check_backend() -> None:
    """Refuse a `KERAS_BACKEND` that Keras does not know, or that is not installed.

    Raises:
        BackendError: Says which, and what to do.
    """
    name = os.environ.get("KERAS_BACKEND", "")
    if not name:
        return
    if name not in _PACKAGES:
        raise BackendError(f"KERAS_BACKEND={name}: Keras trains by nothing of this name. {nearest(name, _PACKAGES)}")
    if find_spec(name) is None:
        raise BackendError(
            f"KERAS_BACKEND={name}: {name} is not installed. Install it with pip install '{_PACKAGES[name]}', or unset "
            "KERAS_BACKEND, and TensorFlow trains"
        )
