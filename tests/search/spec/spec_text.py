"""The text of a small spec, and how tests read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec

ROOT = Path(__file__).parents[3]
DATA = '[data]\nsource = "digits"\n'
MINIMAL = f'name = "digits"\n{DATA}'
TODAY = [0.0, 0.1, 0.2, 0.3, 0.8, 1.0]  # the freeze fractions of a new study


def read(text: str, folder: Path, **overrides: Any) -> StudySpec:
    path = folder / "study.toml"
    path.write_text(text)
    return read_spec(path, **overrides)
