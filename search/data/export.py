"""The export of a prepared dataset as TFRecord files, for other programs and for ``source = "tfrecords"``."""

from __future__ import annotations

import io
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import SPLITS, DataError, Progress, SplitName, readable
from tunefront.search.data.sources.records.records import import_tensorflow

SHARD_BYTES = 100_000_000


@dataclass(frozen=True)
class Exported:
    """The result of an export.

    Attributes:
        table: The ``[data]`` table that reads the same arrays, classes and splits back.
    """

    folder: Path
    n_examples: int
    n_files: int
    n_bytes: int
    table: dict[str, Any]


def export_tfrecords(
    dataset: Dataset, out: Path, progress: Progress | None = None, shard_bytes: int = SHARD_BYTES
) -> Exported:
    """Write ``SPLIT-00000-of-0000N.tfrecord`` with lossless PNG images, and ``labels.txt``, into the new folder `out`.

    Keys are those of TF-slim. With folds, the validation split is fold 0. The folder gets its name
    only when it is whole.

    Args:
        shard_bytes: The size at which a file is full.

    Raises:
        DataError: If `out` exists, cannot be written, the values are no images of 1 or 3 channels,
            or TensorFlow is not installed.
    """
    _check(dataset, out)
    tf = import_tensorflow()
    report = progress or (lambda what, done, total: None)
    partial = out.with_name(f".{out.name}-{uuid.uuid4().hex[:8]}")
    try:
        partial.mkdir(parents=True)
        for split in SPLITS:
            _write_split(tf, dataset, split, partial, report, shard_bytes)
        lines = [f"{number}:{name}" for number, name in enumerate(dataset.class_names)]
        (partial / "labels.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        files = sorted(partial.glob("*.tfrecord"))
        n_bytes = sum(file.stat().st_size for file in files)
        partial.rename(out)
    except (OSError, tf.errors.OpError) as error:
        raise DataError(f"{readable(str(out))}: cannot be written ({error})") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Exported(out, _n_examples(dataset), len(files), n_bytes, _table(dataset, out))


def _check(dataset: Dataset, out: Path) -> None:
    if os.path.lexists(out):
        raise DataError(f"{readable(str(out))} exists already, and nothing is overwritten: name a new folder")
    if dataset.task == "regression":
        raise DataError(
            f'TFRecord files get images with their classes, and task = "regression" has numbers: the arrays are in '
            f"{readable(dataset.folder)}, for numpy"
        )
    shape, kind = dataset.image_shape, dataset.split("train").images.dtype
    if len(shape) != 3 or shape[2] not in (1, 3) or kind != np.uint8:
        raise DataError(
            f"the data has {kind} values of shape {shape}, and TFRecord files get images: uint8, 1 or 3 channels. "
            f"Its arrays are in {readable(dataset.folder)}, for numpy"
        )
    odd = [name for name in dataset.class_names if name.strip() != name or len(name.splitlines()) != 1]
    if odd:
        raise DataError(f"labels.txt has a class a line, and cannot have the class {odd[0]!r}: rename it")


def _table(dataset: Dataset, out: Path) -> dict[str, Any]:
    table = {"source": "tfrecords", "path": str(out), "channels": dataset.image_shape[2]}
    table |= {"n_classes": dataset.outputs} if dataset.outputs else {}
    is_usual = dataset.positive_class == 1
    return table if is_usual else {**table, "positive_class": dataset.class_names[dataset.positive_class]}


def _n_examples(dataset: Dataset) -> int:
    return dataset.n_train + dataset.n_validation + dataset.n_test


def _write_split(tf: Any, dataset: Dataset, split: SplitName, folder: Path, report: Progress, shard_bytes: int) -> None:
    n_before = {"train": 0, "validation": dataset.n_train, "test": dataset.n_train + dataset.n_validation}[split]
    shards: list[Path] = []
    n_bytes = shard_bytes
    with ExitStack() as stack:
        for n_done, record in enumerate(_records(tf, dataset, split), n_before + 1):
            if n_bytes >= shard_bytes:
                stack.close()
                shards.append(folder / f"{split}-{len(shards):05}")
                writer = stack.enter_context(tf.io.TFRecordWriter(str(shards[-1])))
                n_bytes = 0
            writer.write(record)
            n_bytes += len(record)
            report("writing TFRecord files", n_done, _n_examples(dataset))
    for shard in shards:  # the number of shards is known only now
        shard.rename(f"{shard}-of-{len(shards):05}.tfrecord")


def _records(tf: Any, dataset: Dataset, split: SplitName) -> Iterator[bytes]:
    content = dataset.split(split)
    for image, label in zip(content.images, content.labels, strict=True):
        yield _record(tf, np.asarray(image), int(label), dataset.class_names[int(label)])


def _record(tf: Any, image: NDArray[np.uint8], label: int, class_name: str) -> bytes:
    height, width, channels = image.shape
    texts = {
        "image/encoded": _png(image),
        "image/format": b"png",
        "image/colorspace": b"RGB" if channels == 3 else b"Grayscale",
        "image/class/text": class_name.encode(),
    }
    numbers = {"image/class/label": label, "image/height": height, "image/width": width, "image/channels": channels}
    features = {key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text])) for key, text in texts.items()} | {
        key: tf.train.Feature(int64_list=tf.train.Int64List(value=[number])) for key, number in numbers.items()
    }
    return bytes(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True))


def _png(image: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(buffer, format="PNG")
    return buffer.getvalue()
