"""What a training is fed with: its batches and validation examples, in the form that its model takes now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from tunefront.search.data.dataset import Dataset
from tunefront.search.trial.batches import Batches
from tunefront.search.trial.prefix.views import view_in
from tunefront.search.trial.trainable import Trainable, targets_of


class ViewBatches(Batches):
    """Shuffled batches of examples that are there in several views, of which each epoch has the next one.

    Args:
        views: Number of each view that is needed -> its examples.
        n_views: The number of views that take turns.
    """

    def __init__(
        self,
        views: Mapping[int, NDArray[Any]],
        n_views: int,
        labels: NDArray[Any],
        batch_size: int,
        steps: int,
        seed: int,
    ) -> None:
        super().__init__(next(iter(views.values())), labels, batch_size, steps, seed)
        self._views = views
        self._n_views = n_views

    def begin(self, epoch: int) -> None:
        """Switch to the batches of this epoch, which counts from 0, and to its view of the examples."""
        super().begin(epoch)
        self._images = self._views[view_in(epoch + 1, self._n_views)]


class Feed:
    """The examples of one fold's training.

    Args:
        n_validated: The examples that score every epoch; None for all.
        seed: The seed of the order of batches, which is the same in every view.

    Attributes:
        watched: The examples that score every epoch: `validation` itself if these are all.
    """

    def __init__(self, trainable: Trainable, dataset: Dataset, fold: int, n_validated: int | None, seed: int) -> None:
        self._dataset = dataset
        self._fold = fold
        self._n_validated = n_validated
        self._seed = seed
        self._read(trainable)

    def follow(self, trainable: Trainable) -> None:
        """Take on the form that a trainable takes its examples in now."""
        if trainable.shortcut is not self._shortcut:
            self._read(trainable)

    def _read(self, trainable: Trainable) -> None:
        self._shortcut, candidate = trainable.shortcut, trainable.first
        self.train = trainable.split(self._dataset, "train", self._fold)
        self.validation = trainable.split(self._dataset, "validation", self._fold)
        self.watched = self.validation.part(self._n_validated)
        targets = targets_of(candidate, self._dataset, self.train.labels)
        steps = candidate.steps_per_epoch
        views = trainable.views(self._dataset, self._fold)
        n_views = self._shortcut.n_views if self._shortcut is not None and self._shortcut.views else 1
        self.batches = ViewBatches(views, n_views, targets, candidate.batch_size, steps, self._seed)
