"""Trainings from stored features: equal to plain ones, to the last digit, on one thread.

Those on stored views, which have no plain form, do what plain layers and a plain network do in the test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.search.trial.prefix.trials import N_IMAGES, Told, frozen, plainly, spec_of, task_of, train
from tunefront.objectives.measures import PART_SECONDS
from tunefront.search.data.dataset import opened
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.trial.messages import TrialTask

pytestmark = [pytest.mark.slow, pytest.mark.keras, pytest.mark.timeout(900)]
Weights = Callable[[str, float], Path]
TIMES = {"train_seconds", "validation_seconds", "compile_seconds", "latency_seconds", "peak_bytes"}
TIMES |= set(PART_SECONDS.values())
CHANGES = {"flip": "horizontal", "shift": 0.2, "brightness": 0.3, "fill": "nearest"}
OF_FEATURES = {"prefix_seconds", "prefix_validation_seconds", "plain_train_seconds"}


def both(launcher: Launcher, task: TrialTask) -> tuple[Told, Told]:
    """Train from features and plainly; check that only times differ."""
    stored, plain = train(launcher, task), train(launcher, plainly(task))
    assert stored.epochs == plain.epochs != []
    assert stored.model == plain.model != {}
    assert measured(stored) == measured(plain)
    assert stored.of("kept")[0].answers == plain.of("kept")[0].answers
    assert set(stored.measurements) - set(plain.measurements) == OF_FEATURES
    return stored, plain


def measured(told: Told) -> dict[str, float]:
    return {name: value for name, value in told.measurements.items() if name not in TIMES | OF_FEATURES}


def features_in(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in (tmp_path / "cache").glob("tunefront/features/*/features.json")]


def test_a_network_with_shortcuts_penalties_and_class_weights(
    launcher: Launcher, weights_of: Weights, tmp_path: Path
) -> None:
    chosen = frozen(
        weights_of("MobileNetV2", 0.35), "MobileNetV2", own={"freeze_fraction": 0.9}, l2=1e-4, class_weights="balanced"
    )
    both(launcher, task_of(spec_of({"epochs": 2}), chosen, tmp_path / "trial"))
    (facts,) = features_in(tmp_path)
    assert facts["shape"] == [N_IMAGES, 1, 1, 56]  # block_14_add, of 160 channels at the width 0.35


def test_folds_in_16_bits(launcher: Launcher, weights_of: Weights, tmp_path: Path) -> None:
    spec = spec_of({"epochs": 2, "precision": "mixed_float16", "validation_steps": 2}, {"folds": 2})
    both(launcher, task_of(spec, frozen(weights_of("MobileNet", 0.25)), tmp_path / "trial"))
    (facts,) = features_in(tmp_path)  # one file serves all folds
    assert (facts["dtype"], facts["shape"][0]) == ("<f2", N_IMAGES)


def test_two_phases_and_a_training_that_goes_on(launcher: Launcher, weights_of: Weights, tmp_path: Path) -> None:
    chosen = frozen(weights_of("MobileNet", 0.25), own={"head_epochs": 1, "fine_tuning_rate": 0.5})
    task = task_of(spec_of({"epochs": 3}), chosen, tmp_path / "trial")
    written = replace(task, checkpoint_folder=str(tmp_path / "checkpoints"), turns=(1, 2))
    stored = train(launcher, written, copies=tmp_path / "copies")
    plain = train(launcher, plainly(task))
    assert (stored.epochs, stored.model, measured(stored)) == (plain.epochs, plain.model, measured(plain))
    assert sorted(facts["shape"][1:] for facts in features_in(tmp_path)) == [[2, 2, 128], [256]]  # conv_pw_11, pooled
    for n_done in (1, 2):  # where the phase changes, and within a phase
        again = replace(written, checkpoint_folder=str(tmp_path / "copies" / str(n_done)), resume_from=n_done)
        resumed = train(launcher, again)
        assert resumed.of("resumed")[0].epoch == {"epoch": n_done}
        assert resumed.epochs == plain.epochs[n_done:]
        assert (resumed.model, measured(resumed)) == (plain.model, measured(plain))
        assert set(resumed.measurements) >= OF_FEATURES
        assert resumed.measurements["prefix_seconds"] == stored.measurements["prefix_seconds"]


def test_a_full_disk_costs_the_features_alone(launcher: Launcher, weights_of: Weights, tmp_path: Path) -> None:
    task = task_of(spec_of({"epochs": 1}), frozen(weights_of("MobileNet", 0.25)), tmp_path / "trial")
    folder = tmp_path / "cache" / "tunefront" / "features"
    folder.write_text("a file where the folder should be")
    told = train(launcher, task)
    assert told.measurements["without_features"] == 1
    assert not set(told.measurements) & OF_FEATURES
    assert f"trains without stored features, on all of the network: {folder}" in told.log


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
    keras: Any, launcher: Launcher, weights_of: Weights, tmp_path: Path
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
