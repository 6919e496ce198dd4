"""Texts of specs that say how to choose, and how tests read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.spec import spec_text
from tests.search.spec.spec_text import MINIMAL
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import check_own_space
from tunefront.search.spec.study_spec import StudySpec

SINGLE = MINIMAL + '[objectives]\naccuracy = "accuracy"\nmemory = false\ntime = false\n'
COUNTABLE = (
    '[space]\noptimizer = "adam"\n'
    "[space.adam]\nlearning_rate = [0.001, 0.01]\n"
    "[space.plain_cnn]\ndropout = { low = 0.0, high = 0.4, step = 0.2 }\n"
)
OWN = """
class Mine:
    def suggest(self, trial):
        n_layers = trial.suggest_int("net.layers", 1, 3)
        units = [trial.suggest_int(f"net.units_{layer}", 4, 64) for layer in range(n_layers)]
        return {"units": units, "rate": trial.suggest_float("adam.rate", 0.001, 0.1, log=True)}

    def build(self, settings, input_shape, n_classes):
        raise NotImplementedError
"""


def read(text: str, folder: Path) -> StudySpec:
    """Read a spec, with the class of its own space if it names one."""
    spec = spec_text.read(text, folder)
    check_own_space(folder / "study.toml", spec)
    return spec


def fails(text: str, folder: Path) -> str:
    """Return why a spec is refused, without the name of its file."""
    with pytest.raises(SpecError) as caught:
        read(text, folder)
    return str(caught.value).removeprefix(f"{folder / 'study.toml'}: ")
