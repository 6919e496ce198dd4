"""The optional packages of exporting and of each runtime, and what to install where one is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from tunefront.mistakes import TunefrontError
from tunefront.search.models.variants import Runtime

# runtime -> the modules that its extra installs
_MODULES: dict[Runtime, tuple[str, ...]] = {
    "litert": ("ai_edge_litert",),
    "onnx": ("onnxruntime", "tf2onnx", "onnx"),
    "micro": ("tflite_micro",),
}


class MissingExtraError(TunefrontError):
    """An optional package is not installed; the message names the extra that has it."""


def is_installed(runtime: Runtime) -> bool:
    """Return whether all modules of a runtime's extra can be found. Imports none of them."""
    return all(importlib.util.find_spec(module) is not None for module in _MODULES[runtime])


def check_installed(runtimes: Iterable[Runtime], what: str) -> None:
    """Check that the extras of some runtimes are installed.

    Args:
        what: What needs them, for the message: ``litert_bytes``.

    Raises:
        MissingExtraError: Names the extras to install.
    """
    missing = [runtime for runtime in dict.fromkeys(runtimes) if not is_installed(runtime)]
    if missing:
        raise MissingExtraError(f"{what} needs another package: pip install 'tunefront[{','.join(missing)}]'")
