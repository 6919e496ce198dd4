"""Models with a backbone, built as a candidate's are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.space import Space

SMALL = {"weights": "none", "freeze_fraction": 0.0, "dropout": 0.0, "width": 0.35}


def build(name: str, settings: dict[str, Any], image_shape: tuple[int, int, int] = (32, 32, 3)) -> Any:
    known = ARCHITECTURES[name].settings
    chosen = {key: value for key, value in {**SMALL, **settings}.items() if key in known or key not in SMALL}
    candidate = Candidate(name, chosen, "adam", {"learning_rate": 0.001})
    return Space.from_table({}).build(candidate, image_shape, 10)


def pixels(*shape: int) -> Any:
    return np.random.default_rng(1).integers(0, 256, size=shape).astype("uint8")
