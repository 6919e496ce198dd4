"""Trainings from stored views do what plain layers and a plain network do in the test, and go on as they began."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.search.trial.prefix.trials import N_IMAGES, Told, frozen, run_small_trial, spec_of, task_of, told_by, train
from tests.small_backbone import small_backbone
from tunefront.objectives.measures import PART_SECONDS
from tunefront.search.data.dataset import opened
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.trial.messages import TrialTask

pytestmark = [pytest.mark.slow, pytest.mark.keras, pytest.mark.timeout(900)]
CHANGES = {"flip": "horizontal", "shift": 0.2, "brightness": 0.3, "fill": "nearest"}
TIMES = {"train_seconds", "validation_seconds", "compile_seconds", "latency_seconds", "peak_bytes"}
TIMES |= {*PART_SECONDS.values(), "plain_train_seconds"}
STUDY_SEED = 5


@dataclass(frozen=True)
class Trained:
    """A training on two views in three epochs, the first of the head alone, in two folds, in 16 bits; undisturbed.

    Attributes:
        told: What it told.
        twin: What the same training told in another slot at the same time.
        copies: The folder of its checkpoints, each below the number of epochs before it.
        features: View, or 0 for images as they are, and shape for an image -> the facts of a file of features.
    """

    task: TrialTask
    told: Told
    twin: Told
    copies: Path
    features: Mapping[tuple[int, tuple[int, ...]], Mapping[str, Any]]


@pytest.fixture(scope="module")
def small_mobilenet(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Put the small network in the place of MobileNet; return the file of its weights, batch norm's of other images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.applications, "MobileNet", small_backbone)
        patch.setenv("TUNEFRONT_CACHE", str(tmp_path_factory.mktemp("cache")))
        keras.utils.set_random_seed(1)
        backbone = small_backbone(False, None, (32, 32, 3), None)
        rng = np.random.default_rng(0)
        for layer in backbone.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                ranges = ((0.8, 1.2), (-0.2, 0.2), (-0.2, 0.2), (0.5, 1.5))
                layer.set_weights([rng.uniform(*ends, layer.gamma.shape) for ends in ranges])
        path = tmp_path_factory.mktemp("weights") / "small.weights.h5"
        backbone.save_weights(path)
        yield path
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def trained(small_mobilenet: Path, tmp_path_factory: pytest.TempPathFactory, launcher: Launcher) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    training = {"epochs": 3, "feature_views": 2, "keep_weights": "last", "precision": "mixed_float16"}
    own = {"width": 1.0, "freeze_fraction": 0.5, "head_epochs": 1, "fine_tuning_rate": 0.5, "dropout": 0.0}
    chosen = frozen(small_mobilenet, own=own, augmentation="custom", augmentation_settings=CHANGES)
    task = task_of(spec_of(training, {"folds": 2}, seed=STUDY_SEED), chosen, folder / "one")
    task = replace(task, checkpoint_folder=str(folder / "checkpoints"))
    (folder / "twin").mkdir()
    twin = replace(task, checkpoint_folder="", model_path=str(folder / "twin" / "model.keras"))
    logs = folder / "one.log", folder / "twin.log"
    children = [launcher.start(run_small_trial, one, log) for one, log in zip((task, twin), logs, strict=True)]
    told = told_by(children[0], task, logs[0], folder / "copies")
    paths = (Path(task.dataset.folder).parent / "features").glob("*/features.json")
    noted = [json.loads(path.read_text()) for path in paths]
    features = {(int(one["origin"].partition(" view ")[2] or 0), tuple(one["shape"][1:])): one for one in noted}
    return Trained(task, told, told_by(children[1], twin, logs[1]), folder / "copies", features)


def viewed(images: NDArray[Any], view: int) -> NDArray[np.float32]:
    """Change images by Keras's layers, 256 at a time; the last 256 overlap, since all batches have one size."""
    from tunefront.spaces.augmentation.levels import build_augmentation

    own_seed = int(np.random.SeedSequence([STUDY_SEED, view]).generate_state(1)[0] >> 1)
    layers, found = build_augmentation(CHANGES, own_seed), np.zeros(images.shape, np.float32)
    last = len(images) - 256
    for start in [*range(0, last, 256), last]:
        values = images[start : start + 256].astype(np.float32)
        for layer in layers:
            values = layer(values, training=True)
        n_done = -(-start // 256) * 256
        found[n_done : start + 256] = np.asarray(values)[n_done - start :]
    return found


def steady(told: Told) -> dict[str, float]:
    """Return what is measured, but for times that two trainings share only roughly."""
    return {name: value for name, value in told.measurements.items() if name not in TIMES}


def test_each_epoch_of_each_phase_and_fold_sees_its_view(keras: Any, trained: Trained) -> None:
    from tunefront.search.spec.study_spec import StudySpec
    from tunefront.search.trial.batches import Batches
    from tunefront.search.trial.trainable import Phase, build, compile_for

    task = trained.task
    spec, dataset = StudySpec.from_json(task.spec), task.dataset
    plain = replace(task.candidate, augmentation_settings={})
    images = np.asarray(opened(dataset.folder, "images"))
    views = {view: viewed(images[: dataset.n_search], view) for view in (1, 2)}
    assert all(np.abs(one - other).mean() > 3 for one, other in [(images[:300], views[1][:300]), (views[1], views[2])])

    keras.utils.set_random_seed(task.seed)
    losses = []
    for fold in range(2):  # the whole network, on the views' pixels
        trainable = build(spec.parsed_space(), plain, dataset, spec.training, task.seed + fold, fold)
        rows, labels = dataset.places("train", fold), dataset.split("train", fold).labels
        validation = dataset.split("validation", fold)
        for epoch, view in enumerate((1, 2, 1)):
            if epoch < 2:
                phase = Phase(1, 1, is_head_only=True) if epoch == 0 else Phase(2, 3, rate_factor=0.5)
                compile_for(trainable, phase, len(rows))
            batches = Batches(views[view][rows], labels, 64, 3, task.seed + fold)
            batches.begin(epoch)
            of_steps = [trainable.trained.train_on_batch(*batches[step], return_dict=True)["loss"] for step in range(3)]
            answers = trainable.model.predict(np.asarray(validation.images), verbose=0)
            of_labels = answers[np.arange(len(answers)), validation.labels]
            losses.append((float(np.mean(of_steps)), float(-np.log(of_labels).mean())))
    told = [(metrics["loss"], metrics["val_loss"]) for _, _, metrics in trained.told.epochs]
    np.testing.assert_allclose(told, losses[:3], rtol=2e-3)  # of 16 bits
    assert len({round(loss, 2) for loss, _ in losses}) > 3
    mean = (losses[2][1] + losses[5][1]) / 2
    assert trained.told.measurements["validation_loss"] == pytest.approx(mean, rel=2e-3)


def test_views_are_made_of_what_trains_once_for_all_slots_and_where_an_epoch_sees_them(trained: Trained) -> None:
    n_search = trained.task.dataset.n_search
    pooled, mapped = (32,), (8, 8, 16)  # behind the pooling, where the head alone trains; behind the first convolution
    expected = {(0, N_IMAGES, *pooled), (1, n_search, *pooled)}
    expected |= {(0, N_IMAGES, *mapped), (1, n_search, *mapped), (2, n_search, *mapped)}
    assert {(view, *facts["shape"]) for (view, _), facts in trained.features.items()} == expected
    assert len(trained.features) == 5
    assert {facts["dtype"] for facts in trained.features.values()} == {"<f2"}
    assert trained.told.epochs == trained.twin.epochs
    assert trained.told.model == trained.twin.model != {}
    assert steady(trained.told) == steady(trained.twin)  # the passes are told alike, whoever made the views

    seconds = {key: facts["seconds_an_example"] for key, facts in trained.features.items()}
    plain, first, second = (
        max(seconds[view, cut] for cut in (pooled, mapped) if (view, cut) in seconds) for view in range(3)
    )
    measured = trained.told.measurements
    assert measured["feature_views"] == 2
    assert measured["prefix_seconds"] == pytest.approx(trained.task.dataset.n_train * (first + second))
    assert measured["prefix_validation_seconds"] == pytest.approx(trained.task.dataset.n_validation * plain)
    epochs = [message.epoch or {} for message in trained.told.of("epoch")]
    assert measured["train_seconds"] > measured["prefix_seconds"] > 0
    assert len(epochs) == 3


def resumed_task(trained: Trained, n_done: int, model: Path, **more: Any) -> TrialTask:
    """Return the task of going on after so many epochs of all folds, from a copy of the checkpoint."""
    folder = model.parent / "checkpoints"
    shutil.copytree(trained.copies / str(n_done), folder)
    return replace(
        trained.task, checkpoint_folder=str(folder), resume_from=min(n_done, 3), model_path=str(model), **more
    )


@pytest.mark.parametrize("n_done", [2, 4])  # within the views' cycle, and within the second fold's, in another phase
def test_a_killed_training_goes_on_with_the_next_view(
    trained: Trained, launcher: Launcher, tmp_path: Path, n_done: int
) -> None:
    again = resumed_task(trained, n_done, tmp_path / "model.keras")
    resumed = train(launcher, again, run=run_small_trial)
    assert resumed.epochs == trained.told.epochs[n_done:]
    assert resumed.model == trained.told.model
    assert steady(resumed) == steady(trained.told)


def test_a_training_goes_on_with_new_changes_where_views_cannot_be_stored(
    trained: Trained, launcher: Launcher, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "cache" / "tunefront"
    shutil.copytree(trained.task.dataset.folder, elsewhere / Path(trained.task.dataset.folder).name)
    (elsewhere / "features").write_text("a file where the folder should be")
    dataset = replace(trained.task.dataset, folder=str(elsewhere / Path(trained.task.dataset.folder).name))
    again = resumed_task(trained, 2, tmp_path / "model.keras", dataset=dataset)
    told = train(launcher, again, run=run_small_trial)
    assert told.of("resumed")[0].epoch == {"epoch": 2}
    assert told.measurements["without_features"] == 1
    ((epoch, _, metrics),) = told.epochs
    assert epoch == 3
    assert np.isfinite(metrics["loss"])
    assert metrics != trained.told.epochs[2][2]


def test_views_are_those_of_seed_and_changes_and_the_stated_room_holds_all(
    keras: Any, trained: Trained, tmp_path: Path
) -> None:
    from tunefront.search.trial.prefix.feature_key import keys_of
    from tunefront.search.trial.prefix.features_maker import cut_of
    from tunefront.search.trial.trainable import build, phases

    chosen = trained.task.candidate
    spec = spec_of({"epochs": 3, "feature_views": 2}, seed=STUDY_SEED)
    task = task_of(spec, chosen, tmp_path / "trial")
    trainable = build(spec.parsed_space(), chosen, task.dataset, spec.training, task.seed)
    phase = phases(trainable, 3)[1]
    cut = cut_of(trainable, task, spec)
    assert cut is not None

    keys = keys_of(cut, task, spec, {}, phase)
    weaker = replace(task, candidate=replace(chosen, augmentation_settings={**CHANGES, "shift": 0.1}))
    for other in (
        keys_of(cut, task, spec.model_copy(update={"seed": 6}), {}, phase),
        keys_of(cut, weaker, spec, {}, phase),
    ):
        assert other[0] == keys[0]
        assert len({*other.values(), *keys.values()}) == 5

    n_bytes = cut.bytes_an_example * (N_IMAGES + 2.0 * task.dataset.n_train)  # without folds validation needs no views
    rooms = [spec.training.model_copy(update={"feature_cache": room}) for room in (n_bytes, n_bytes - 1)]
    enough, scarce = (cut_of(trainable, task, spec.model_copy(update={"training": one})) for one in rooms)
    assert enough is not None
    assert enough.place == cut.place
    assert scarce is None or scarce.place < cut.place
