"""Find which Keras image model to use when accuracy is not all that counts.

    import tunefront

    study = tunefront.run("examples/digits.toml")
    study.front()

Importing this package loads neither TensorFlow nor pandas: each is loaded when it is first used.
"""

TYPE_CHECKING = False  # the name that type checkers know; importing `typing` would cost every command
if TYPE_CHECKING:
    from tunefront.runner import run
    from tunefront.spaces.candidate import Candidate
    from tunefront.study import Study, load_study

    __version__: str

__all__ = ["Candidate", "Study", "TunefrontError", "__version__", "load_study", "run"]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("tunefront")
    if name == "Candidate":  # for spaces of a user's own
        from tunefront.spaces.candidate import Candidate

        return Candidate
    if name == "TunefrontError":
        from tunefront.mistakes import TunefrontError

        return TunefrontError
    if name == "run":
        from tunefront.runner import run

        return run
    if name in __all__:
        from tunefront import study

        return getattr(study, name)
    raise AttributeError(f"module 'tunefront' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
