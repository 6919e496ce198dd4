"""Weights files of small backbones, and a launcher for trials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunefront.search.launching.fork_server import Launcher


@pytest.fixture(scope="session")
def weights_of(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, float], Path]:
    """Return a function that writes a backbone's weights, batch norm statistics too as if it had been trained."""
    from tunefront.spaces.architectures.backbone_weights import build_backbone
    from tunefront.spaces.architectures.backbones import BACKBONES

    folder = tmp_path_factory.mktemp("weights")

    def write(name: str, width: float) -> Path:
        path = folder / f"{name}.weights.h5"
        if not path.exists():
            rng = np.random.default_rng(0)
            keras.utils.set_random_seed(1)
            backbone = build_backbone(BACKBONES[name], "none", width, (32, 32))
            for layer in backbone.layers:
                if isinstance(layer, keras.layers.BatchNormalization):
                    n = layer.gamma.shape
                    ranges = ((0.8, 1.2), (-0.2, 0.2), (-0.2, 0.2), (0.5, 1.5))
                    layer.set_weights([rng.uniform(*ends, n) for ends in ranges])
            backbone.save_weights(path)
        return path

    return write


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Launcher:
    return Launcher(tmp_path_factory.mktemp("launcher") / "log")
