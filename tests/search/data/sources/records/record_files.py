"""TFRecord files that tests write, and what is found in them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError, Examples
from tunefront.search.data.sources import DataTable

Row = dict[str, int | bytes | list[bytes]]


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def row(image: bytes, label: int | None = None, text: str | None = None) -> Row:
    found: Row = {"image/encoded": image, "image/format": b"png"}
    if label is not None:
        found["image/class/label"] = label
    if text is not None:
        found["image/class/text"] = text.encode()
    return found


def serialized(values: Row) -> bytes:
    import tensorflow as tf

    features = {}
    for key, value in values.items():
        if isinstance(value, int):
            features[key] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        else:
            texts = value if isinstance(value, list) else [value]
            features[key] = tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))
    data: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return data


def write(path: Path, rows: Sequence[Row]) -> Path:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for values in rows:
            writer.write(serialized(values))
    return path


def prepared(path: Path) -> Dataset:
    return prepare(TypeAdapter(DataTable).validate_python({"source": "tfrecords", "path": str(path)}), seed=1)


def find(path: Path | str, **keys: Any) -> Examples:
    return TypeAdapter(DataTable).validate_python({"source": "tfrecords", "path": str(path), **keys}).find()


def images_of(examples: Examples) -> list[bytes]:
    return [read() for read in examples.content]


def refusal(path: Path | str, **keys: Any) -> str:
    with pytest.raises(DataError) as raised:
        find(path, **keys)
    return str(raised.value)
