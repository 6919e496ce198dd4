"""Keras, imported in less time, because a command waits for it before its first trial.

Without what only its wrappers for scikit-learn and its galleries of images use, which others can still import later.
And without a search for garbage among what stays for good.
"""

from __future__ import annotations

import gc
import sys

_UNUSED = [name for name in ("matplotlib", "sklearn") if name not in sys.modules]

# None makes an import fail, which Keras takes for a package that is not installed.
sys.modules.update(dict.fromkeys(_UNUSED))  # type: ignore[arg-type]
_collected = gc.isenabled()
gc.disable()
try:
    import keras  # noqa: F401
finally:
    for _name in _UNUSED:
        del sys.modules[_name]
    gc.freeze()
    if _collected:
        gc.enable()
