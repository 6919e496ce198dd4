"""A prepared dataset on disk: arrays that every trial maps into memory, read-only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Split:
    """Images of shape (n, height, width, channels), 0 to 255, and integer labels of shape (n,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    """Facts of a prepared dataset; :meth:`split` opens its arrays.

    Attributes:
        folder: Where the arrays lie.
        fingerprint: Of all images, labels and splits (SHA-256, shortened).
    """

    folder: str
    source: str
    fingerprint: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    n_train: int
    n_validation: int
    n_test: int

    @property
    def n_classes(self) -> int:
        return len(self.class_names)

    def split(self, name: str) -> Split:
        """The split ``"train"``, ``"validation"`` or ``"test"``, mapped into memory."""
        folder = Path(self.folder)
        return Split(
            np.load(folder / f"{name}_images.npy", mmap_mode="r"),
            np.load(folder / f"{name}_labels.npy", mmap_mode="r"),
        )

    def facts(self) -> dict[str, object]:
        """What the store keeps: all but the folder, which is this machine's."""
        return {**asdict(self), "n_classes": self.n_classes, "folder": None}

    @classmethod
    def read(cls, folder: Path) -> Dataset:
        """Open what :func:`search.data.prepare` wrote."""
        data = json.loads((folder / "dataset.json").read_text())
        data["class_names"] = tuple(data["class_names"])
        data["image_shape"] = tuple(data["image_shape"])
        return cls(folder=str(folder), **data)
