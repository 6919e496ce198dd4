"""Every exception class is a mistake that a user can mend, or one of a few that never reach a user."""

from __future__ import annotations

import ast

from tests.layering import PACKAGES, ROOT

# Exceptions that are caught before they could reach a user.
INTERNAL = {
    "BadImageError",  # search/data/decoding/decode.py: one file of many; DataError lists them
    "BrokenMessageError",  # search/trial/process.py: the trial fails
    "FeatureCacheError",  # search/data/feature_cache.py: the trial trains plainly, and says why
    "LockHolderError",  # storage/database/locks.py: becomes a LockBusyError
    "NotFiniteError",  # search/trial/process.py: the trial fails
    "StoreAwayError",  # search/supervisor/supervisor.py: it waits
    "TrainingFailedError",  # search/trial/fit.py: the trial fails
    "TrainingPausedError",  # search/trial/fit.py: the trial's turn ends
    "UnreadablePredictionsError",  # reports/errors/worst_examples.py: model_errors tells what it says
    "_ContinuousError",  # spaces/models.py
    "_UnknownSizeError",  # search/models/flops.py
}


def _exceptions() -> dict[str, list[str]]:
    """Return the exception classes in our packages: name -> names of its bases."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    files += [path for package in PACKAGES if (path := ROOT / f"{package}.py").exists()]
    classes = [
        node for path in files for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)
    ]
    bases = {node.name: [ast.unparse(base).rpartition(".")[2] for base in node.bases] for node in classes}
    return {
        name: names for name, names in bases.items() if any(base.endswith(("Error", "Exception")) for base in names)
    }


def test_every_exception_derives_from_the_one_class_or_is_internal() -> None:
    exceptions = _exceptions()
    assert exceptions.pop("TunefrontError") == ["Exception"]
    mistakes = {"TunefrontError"}
    for _ in exceptions:  # a chain of bases is at most this long
        mistakes |= {name for name, bases in exceptions.items() if mistakes & {*bases}}
    assert {"SpecError", "DataError", "SpaceError", "StoreError", "UserError"} <= mistakes
    assert set(exceptions) - mistakes == INTERNAL
