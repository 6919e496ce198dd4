"""TensorBoard's logs of a trial that was cut off, read by TensorBoard itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
