"""The image data sets of Keras, read from Keras's own cache; Keras downloads them if they are not there."""

from __future__ import annotations

import importlib
import os
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError, Examples, SplitName
from tunefront.search.data.lock import alone
from tunefront.search.data.sources.class_names import CIFAR10, CIFAR100_COARSE, CIFAR100_FINE, DIGITS, FASHION_MNIST
from tunefront.search.data.sources.source import Source

_CLOUD = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
_TORONTO = "https://www.cs.toronto.edu/~kriz"
_FASHION = ("train-labels-idx1-ubyte", "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "t10k-images-idx3-ubyte")
# The file that Keras opens below its folder "datasets" -> its address. Keras renames CIFAR's archives.
_FILES = {
    "mnist": {"mnist.npz": f"{_CLOUD}/mnist.npz"},
    "fashion_mnist": {f"fashion-mnist/{name}.gz": f"{_CLOUD}/{name}.gz" for name in _FASHION},
    "cifar10": {"cifar-10-batches-py-target_archive": f"{_TORONTO}/cifar-10-python.tar.gz"},
    "cifar100": {"cifar-100-python-target_archive": f"{_TORONTO}/cifar-100-python.tar.gz"},
}
_CLASS_NAMES = {"mnist": DIGITS, "fashion_mnist": FASHION_MNIST, "cifar10": CIFAR10}


class KerasSource(Source):
    """A data set of ``keras.datasets``: its test set is the test split; validation is taken from its training set.

    Images that are in both sets are left out of training, and counted.
    """

    on_leak: Literal["error", "drop"] = "drop"

    @abstractmethod
    def _class_names(self) -> Sequence[str]: ...

    def _arguments(self) -> dict[str, str]:
        """The arguments of Keras's ``load_data``."""
        return {}

    def find(self) -> Examples:
        """Load everything with Keras, which downloads it the first time.

        Raises:
            DataError: The files are not there and cannot be downloaded, or are damaged.
        """
        (train_images, train_labels), (test_images, test_labels) = self._load()
        n_train, n_test = len(train_labels), len(test_labels)
        splits: list[SplitName] = ["train"] * n_train
        splits += ["test"] * n_test
        return Examples(
            names=[f"x_train[{i}]" for i in range(n_train)] + [f"x_test[{i}]" for i in range(n_test)],
            labels=np.concatenate([train_labels, test_labels]).reshape(-1).astype(np.int64),
            class_names=self._class_names(),
            content=_channels_last(np.concatenate([train_images, test_images])),
            splits=splits,
        )

    def _load(self) -> Any:
        folder = _datasets_folder()
        module = importlib.import_module(f"keras.datasets.{self.source}")
        # Keras downloads in place, so another process would take a half-written file for a damaged one.
        is_writable = os.access(folder if folder.exists() else folder.parent, os.W_OK)
        with alone(folder / ".tunefront-lock", lambda: None) if is_writable else nullcontext():
            present = [path for path in self._paths() if path.exists()]
            try:
                return module.load_data(**self._arguments())
            except Exception as error:  # Keras raises bare exceptions when a download fails
                raise DataError(self._explain(error, present)) from error

    def _paths(self) -> dict[Path, str]:
        """Return each file that Keras reads, with its address."""
        return {_datasets_folder() / name: origin for name, origin in _FILES[self.source].items()}

    def _explain(self, error: Exception, present: Sequence[Path]) -> str:
        """Return what went wrong and the remedy; `present` are the files that were there before."""
        paths = self._paths()
        missing = [path for path in paths if not path.exists()]
        found = f"{type(error).__name__}: {error}"
        if not missing:
            return (
                f"{self.source}: a file is damaged ({found}). Delete {_listed(present)}, and Keras downloads it again"
            )
        # Keras checks fingerprints, and deletes a damaged file even if it cannot replace it.
        deleted = [path for path in missing if path in present]
        damaged = f"{_listed(deleted)} was damaged and is deleted; " if deleted else ""
        remedies = ", ".join(f"{paths[path]} there as {path}" for path in missing)
        return (
            f"{self.source}: {damaged}Keras could not download it ({found}). Give this machine a network, "
            f"or put {remedies}"
        )


class KerasDataset(KerasSource):
    """The source ``"mnist"``, ``"fashion_mnist"`` or ``"cifar10"``."""

    source: Literal["mnist", "fashion_mnist", "cifar10"]

    def _class_names(self) -> Sequence[str]:
        return _CLASS_NAMES[self.source]


class Cifar100(KerasSource):
    """The source ``"cifar100"``.

    Attributes:
        labels: ``fine`` for its 100 classes, ``coarse`` for the 20 groups of them.
    """

    source: Literal["cifar100"]
    labels: Literal["fine", "coarse"] = "fine"

    def _class_names(self) -> Sequence[str]:
        return CIFAR100_FINE if self.labels == "fine" else CIFAR100_COARSE

    def _arguments(self) -> dict[str, str]:
        return {"label_mode": self.labels}


def _datasets_folder() -> Path:
    """Return the folder where Keras looks for data sets; Keras has no public name for it."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser()
    return (home if os.access(home, os.W_OK) else Path("/tmp/.keras")) / "datasets"


def _channels_last(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images of shape (n, height, width, channels), even if the user's keras.json says ``channels_first``."""
    if images.ndim == 3:
        return images[..., np.newaxis]
    return images if images.shape[-1] == 3 else np.moveaxis(images, 1, -1)


def _listed(paths: Iterable[Path]) -> str:
    return ", ".join(str(path) for path in paths)
