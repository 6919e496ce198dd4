"""TensorBoard's logs of a trial that was cut off, read by TensorBoard itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util.tensor_util import make_ndarray

pytestmark = pytest.mark.keras


def write_logs(folder: Path, steps: range) -> Path:
    import tensorflow as tf

    with tf.summary.create_file_writer(str(folder)).as_default():
        for step in steps:
            tf.summary.scalar("epoch_loss", 10.0 - step, step=step)
    return sorted(folder.glob("events*"))[-1]


def scalars(path: Path) -> list[tuple[int, float]]:
    events = list(EventFileLoader(str(path)).Load())
    return [(event.step, float(make_ndarray(value.tensor))) for event in events for value in event.summary.value]


def test_logs_keep_the_epochs_before_the_checkpoint(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.trial.resumption.event_files import cut_logs

    train, validation = (write_logs(tmp_path / name, range(5)) for name in ("train", "validation"))
    validation.write_bytes(validation.read_bytes()[:-7])  # its process was killed while it wrote
    cut_logs(tmp_path, 3)
    assert scalars(train) == scalars(validation) == [(0, 10.0), (1, 9.0), (2, 8.0)]

    before = train.read_bytes()
    cut_logs(tmp_path, 3)
    cut_logs(tmp_path, 9)
    assert train.read_bytes() == before
    write_logs(tmp_path / "train", range(3, 4))  # what goes on has a file of its own
    assert [step for path in sorted((tmp_path / "train").iterdir()) for step, _ in scalars(path)] == [0, 1, 2, 3]


def test_logs_of_a_training_that_begins_anew_have_nothing_of_an_earlier_attempt(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.trial.resumption.event_files import cut_logs

    write_logs(tmp_path / "train", range(2))
    own = tmp_path / "train" / "notes.txt"
    own.write_text("a person's own")
    cut_logs(tmp_path, 0)
    assert list((tmp_path / "train").iterdir()) == [own]
    cut_logs(tmp_path / "none", 2)


def curves(folder: Path) -> dict[tuple[str, int], float]:
    """Return the curves that TensorBoard shows of a folder: tag and step -> value, which stands there once."""
    found: dict[tuple[str, int], float] = {}
    for path in sorted(folder.glob("events*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.tag.startswith("epoch_"):
                    assert (value.tag, event.step) not in found
                    found[value.tag, event.step] = float(make_ndarray(value.tensor))
    return found


def test_logs_of_another_curve_are_replaced_by_what_keras_would_have_written(keras: Any, tmp_path: Path) -> None:
    """As those of a member of a population that has inherited another one's first epochs, wherever that was trained."""
    from tunefront.search.trial.resumption.event_files import begin_logs

    seen = []

    def note(epoch: int, logs: dict[str, float]) -> None:
        seen.append({**logs, "learning_rate": float(model.optimizer.learning_rate)})

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    data = np.arange(8.0).reshape(4, 2) / 8, np.array([0.0, 1.0, 0.5, 0.25])
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=note), keras.callbacks.TensorBoard(tmp_path / "donor")]
    model.fit(*data, validation_data=data, epochs=3, callbacks=callbacks, verbose=0)
    heir, elsewhere = tmp_path / "heir", tmp_path / "elsewhere"
    for split in ("train", "validation"):
        write_logs(heir / split, range(4))  # of its own epochs, with other losses
    begin_logs(heir, 2, seen)
    begin_logs(elsewhere, 2, seen[:2])  # there are no logs, because they are on another machine
    for split in ("train", "validation"):
        expected = {key: value for key, value in curves(tmp_path / "donor" / split).items() if key[1] < 2}
        assert len(expected) == (6 if split == "train" else 4)
        assert curves(heir / split) == curves(elsewhere / split) == expected


def test_logs_of_the_same_curve_stay_as_they_are(keras: Any, tmp_path: Path) -> None:
    """They have more than the curve, such as the graph; a later version's may have no curve at all."""
    from tunefront.search.trial.resumption.event_files import begin_logs

    path = write_logs(tmp_path / "train", range(4))
    begin_logs(tmp_path, 3, [{"loss": 10.0 - step} for step in range(3)])
    assert scalars(path) == [(0, 10.0), (1, 9.0), (2, 8.0)]
    begin_logs(tmp_path, 2, [])
    assert scalars(path) == [(0, 10.0), (1, 9.0)]
    begin_logs(tmp_path, 0, [])
    assert not path.exists()
