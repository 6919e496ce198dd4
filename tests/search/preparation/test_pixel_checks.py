"""The augmentation of values that are no pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.launching.asker import CheckError
from tunefront.search.preparation.pixel_checks import check_augmentation, check_levels
from tunefront.spaces.augmentation.levels import LEVELS, PIXEL_SETTINGS, build_augmentation
from tunefront.spaces.space import Space

DRAWN = np.random.default_rng(1).normal(size=(60, 4, 4, 1)).astype("float32")
PIXELS = np.clip(DRAWN * 50 + 128, 0, 255)


@pytest.fixture
def holding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that makes a dataset of these values."""
    monkeypatch.setenv("TUNEFRONT_CACHE", str(tmp_path / "cache"))

    def make(values: np.ndarray) -> Dataset:
        np.savez(tmp_path / "values.npz", x=values, y=np.arange(len(values)) % 3)
        return prepare(NpzSource(source="npz", path=str(tmp_path / "values.npz")), seed=1)

    return make


def level(name: str, **settings: Any) -> Space:
    return Space.from_table({"augmentation": ["none", name], name: settings})


@pytest.mark.parametrize("name", [name for name in LEVELS["custom"] if name not in ("fill", "mixup", "cutmix")])
def test_of_pixels_are_the_settings_that_cut_values_off(keras: Any, name: str) -> None:
    (layer,) = build_augmentation({name: "horizontal" if name == "flip" else 1e-9}, seed=1)
    changed = np.asarray(layer(DRAWN, training=True))
    assert (changed.min() >= 0) == (name in PIXEL_SETTINGS)


@pytest.mark.parametrize("values", [DRAWN, PIXELS * 1.1 + 10, PIXELS / 255], ids=["below 0", "above 255", "0 to 1"])
def test_values_that_would_be_cut_off_or_drowned_are_refused(holding: Any, values: np.ndarray) -> None:
    dataset = holding(values)
    with pytest.raises(CheckError, match=r"space.medium: brightness, contrast are for pixels, 0 to 255") as caught:
        check_levels(level("medium"), dataset)
    assert "write brightness = 0, contrast = 0" in str(caught.value)
    check_levels(level("light"), dataset)
    check_levels(level("medium", brightness=0, contrast=0), dataset)
    with pytest.raises(CheckError, match="space.custom: noise is for pixels"):
        check_levels(level("custom", noise=[0, 0.1]), dataset)
    with pytest.raises(CheckError, match="own.py:Own: randaugment is for pixels"):
        check_augmentation("space: own.py:Own", {"randaugment": 0.5, "shift": 0.1}, dataset)


@pytest.mark.parametrize("values", [PIXELS, PIXELS.astype(np.uint8)], ids=["float", "whole"])
def test_pixels_are_accepted(holding: Any, values: np.ndarray) -> None:
    dataset = holding(values)
    for name in ("light", "medium", "strong"):
        check_levels(level(name), dataset)
