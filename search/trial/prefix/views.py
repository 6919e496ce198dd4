"""The views of a candidate's training images: their stored random changes, of which each epoch sees one, by turns."""

from __future__ import annotations

import numpy as np

from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.trainable import Phase
from tunefront.spaces.augmentation.levels import changes_images
from tunefront.spaces.candidate import Candidate


def n_views(candidate: Candidate, spec: StudySpec) -> int:
    """Return the number of views of each image that a candidate trains on; 0 if its images are not changed."""
    if not changes_images(candidate.augmentation_settings):
        return 0
    return min(spec.training.feature_views, spec.training.epochs_of(candidate))


def view_in(epoch: int, n: int) -> int:
    """Return the one of `n` views that an epoch sees. Both count from 1, through all phases of a training."""
    return (epoch - 1) % n + 1


def views_in(phase: Phase, n: int) -> set[int]:
    """Return those of `n` views that some epoch of a phase sees; none if `n` is 0."""
    return {view_in(epoch, n) for epoch in range(phase.first_epoch, phase.last_epoch + 1)} if n else set()


def view_seed(spec: StudySpec, view: int) -> int:
    """Return the seed of the random changes of a view, which count from 1; all trials of a study share them."""
    return int(np.random.SeedSequence([spec.seed, view]).generate_state(1)[0] >> 1)


def n_viewed(dataset: Dataset) -> int:
    """Return the number of examples that views are made of: those that train in some fold, the first of the arrays."""
    return dataset.n_search if dataset.folds else dataset.n_train
