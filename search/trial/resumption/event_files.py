"""TensorBoard's logs of a trial where a training goes on: they have the epochs of its curve, each once."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tunefront.storage.files import replace_file

_LENGTH = struct.Struct("<Q")  # a record: the length of its data, 4 bytes of checksum, the data, 4 bytes of checksum
_CHECKSUM_BYTES = 4


def begin_logs(folder: Path, n_epochs: int, curve: Sequence[Mapping[str, float]]) -> None:
    """Make the logs in `folder` those of a training that goes on after its first `n_epochs` epochs.

    Later epochs are cut off. Where the logs have other epochs than the curve, its scalars take the place of all that is
    there: the trial has inherited the epochs of another one, or they were trained on another machine.

    Args:
        curve: Name -> value of what Keras reported in each of these epochs; fewer epochs leave the logs as they are.

    Raises:
        OSError: If a file cannot be written.
    """
    cut_logs(folder, n_epochs)
    if not n_epochs or len(curve) < n_epochs:
        return
    expected = {step: np.float32(metrics["loss"]) for step, metrics in enumerate(curve[:n_epochs])}
    if _logged_losses(folder / "train") != expected:
        cut_logs(folder, 0)
        _write(folder / "train", [_of_split(metrics, is_validation=False) for metrics in curve[:n_epochs]])
        _write(folder / "validation", [_of_split(metrics, is_validation=True) for metrics in curve[:n_epochs]])


def cut_logs(folder: Path, n_epochs: int) -> None:
    """Remove from the logs in `folder` what an earlier attempt wrote after its first `n_epochs` epochs.

    A file of which nothing is left is removed.

    Raises:
        OSError: If a file cannot be written.
    """
    for path in sorted(folder.rglob("events.out.tfevents.*")) if n_epochs else ():
        content = path.read_bytes()
        kept = b"".join(record for record, event in _records(content) if event.step < n_epochs)
        if kept != content:
            replace_file(path, kept)
    if not n_epochs:
        for path in sorted(folder.rglob("events.out.tfevents.*")):
            path.unlink()


def _logged_losses(folder: Path) -> dict[int, np.float32]:
    """Return the loss of each step in the logs in `folder`."""
    import tensorflow as tf

    return {
        event.step: np.float32(tf.make_ndarray(value.tensor))
        for path in sorted(folder.glob("events.out.tfevents.*"))
        for _, event in _records(path.read_bytes())
        for value in event.summary.value
        if value.tag == "epoch_loss"
    }


def _of_split(metrics: Mapping[str, float], *, is_validation: bool) -> dict[str, float]:
    """Return those of Keras's metrics that are of a split, by the names that its TensorBoard callback writes."""
    found = {name: value for name, value in metrics.items() if name.startswith("val_") == is_validation}
    return {f"epoch_{name.removeprefix('val_')}": value for name, value in found.items()}


def _write(folder: Path, steps: Sequence[Mapping[str, float]]) -> None:
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default():
        for step, values in enumerate(steps):
            for tag, value in values.items():
                tf.summary.scalar(tag, value, step=step)
    writer.close()


def _records(content: bytes) -> Iterator[tuple[bytes, Any]]:
    """Yield each whole record and its event; a killed process may leave a part of one at the end."""
    import tensorflow as tf  # TensorBoard's callback needs it under every backend

    place = 0
    while place + _LENGTH.size <= len(content):
        begin = place + _LENGTH.size + _CHECKSUM_BYTES
        end = begin + _LENGTH.unpack_from(content, place)[0]
        if end + _CHECKSUM_BYTES > len(content):
            return
        yield content[place : end + _CHECKSUM_BYTES], tf.compat.v1.Event.FromString(content[begin:end])
        place = end + _CHECKSUM_BYTES
