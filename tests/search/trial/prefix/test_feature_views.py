"""Trainings on stored random changes of images: view by view as plain layers and a plain network compute them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.search.trial.prefix.trials import N_IMAGES, frozen, spec_of, task_of, train
from tunefront.search.data.dataset import opened
from tunefront.search.launching.fork_server import Launcher

pytestmark = [pytest.mark.slow, pytest.mark.keras, pytest.mark.timeout(900)]
CHANGES = {"flip": "horizontal", "shift": 0.2, "brightness": 0.3, "fill": "nearest"}


def viewed(images: NDArray[Any], seed: int, view: int) -> NDArray[np.float32]:
    """Change images by Keras's layers, 256 at a time; the last 256 overlap, since all batches have one size."""
    from tunefront.spaces.augmentation.levels import build_augmentation

    own_seed = int(np.random.SeedSequence([seed, view]).generate_state(1)[0] >> 1)
    layers, found = build_augmentation(CHANGES, own_seed), np.zeros(images.shape, np.float32)
    for start in (0, 256, N_IMAGES - 256):
        values = images[start : start + 256].astype(np.float32)
        for layer in layers:
            values = layer(values, training=True)
        n_done = {0: 0, 256: 256}.get(start, 512)
        found[n_done : start + 256] = np.asarray(values)[n_done - start :]
    return found


def test_each_epoch_trains_on_the_next_view(
    keras: Any, launcher: Launcher, weights_of: Callable[[str, float], Path], tmp_path: Path
) -> None:
    from tunefront.search.trial.batches import Batches
    from tunefront.search.trial.prefix.feature_key import keys_of
    from tunefront.search.trial.prefix.features_maker import cut_of
    from tunefront.search.trial.resumption.task_checkpoints import versions_of_training
    from tunefront.search.trial.trainable import build

    spec = spec_of({"epochs": 3, "feature_views": 2, "keep_weights": "last"}, seed=5)
    chosen = frozen(weights_of("MobileNet", 0.25), augmentation="custom", augmentation_settings=CHANGES)
    task = task_of(spec, chosen, tmp_path / "trial")
    told = train(launcher, task)
    assert told.measurements["feature_views"] == 2

    images = np.asarray(opened(task.dataset.folder, "images"))
    views = [viewed(images, 5, view) for view in (1, 2)]
    keras.utils.set_random_seed(task.seed)
    trainable = build(
        spec.parsed_space(), replace(chosen, augmentation_settings={}), task.dataset, spec.training, task.seed
    )
    cut = cut_of(trainable, task, spec)
    assert cut is not None
    versions = versions_of_training()
    keys = keys_of(cut, task, spec, versions)
    prefix = cut.prefix()
    for key, values in zip(keys, [images, *views], strict=True):
        (stored,) = (tmp_path / "cache").glob(f"tunefront/features/features-{key}/features.npy")
        expected = prefix.predict(values, verbose=0)
        np.testing.assert_allclose(np.load(stored), expected, rtol=1e-4, atol=1e-5)
    assert all(np.abs(one - other).mean() > 3 for one, other in [(images, views[0]), tuple(views)])  # of 0 to 255

    labels, validation = task.dataset.split("train").labels, task.dataset.split("validation")
    losses = []
    for epoch in range(3):  # the whole network, on the views' pixels
        batches = Batches(views[epoch % 2][: len(labels)], labels, 64, 3, task.seed)
        batches.begin(epoch)
        of_steps = [trainable.trained.train_on_batch(*batches[step], return_dict=True)["loss"] for step in range(3)]
        answers = trainable.model.predict(np.asarray(validation.images), verbose=0)
        of_labels = answers[np.arange(len(answers)), validation.labels]
        losses.append((float(np.mean(of_steps)), float(-np.log(of_labels).mean())))
    stored_losses = [(metrics["loss"], metrics["val_loss"]) for _, _, metrics in told.epochs]
    np.testing.assert_allclose(stored_losses, losses, rtol=1e-4)

    # Another seed of the study, and other changes, have other views of the same features.
    other = spec.model_copy(update={"seed": 6})
    weaker = replace(task, candidate=replace(chosen, augmentation_settings={**CHANGES, "shift": 0.1}))
    for several in (keys_of(cut, task, other, versions), keys_of(cut, weaker, spec, versions)):
        assert several[0] == keys[0]
        assert len({*several, *keys}) == 5

    # The room that is stated is that of plain features and all views together.
    n_bytes = cut.bytes_an_example * N_IMAGES * 3.0
    enough = spec.model_copy(update={"training": spec.training.model_copy(update={"feature_cache": n_bytes})})
    scarce = spec.model_copy(update={"training": spec.training.model_copy(update={"feature_cache": n_bytes - 1})})
    found = [cut_of(trainable, task, one) for one in (enough, scarce)]
    assert found[0] is not None
    assert found[0].place == cut.place
    assert found[1] is None or found[1].place < cut.place
