"""Find which Keras image model to use when accuracy is not all that counts.

    import tunefront

    study = tunefront.run("examples/digits.toml")
    study.front()

Importing this package loads neither TensorFlow nor pandas: each is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunefront.study import Study, load_study, run

    __version__: str

__all__ = ["Study", "__version__", "load_study", "run"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("tunefront")
    if name in __all__:
        from tunefront import study

        return getattr(study, name)
    raise AttributeError(f"module 'tunefront' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
