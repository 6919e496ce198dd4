"""TFRecord files of ``tf.train.Example``, as TF-slim's and tensorflow-datasets' exports write them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tunefront.search.data.examples import DataError, Examples, SplitName, Stamp, readable
from tunefront.search.data.sources.records.files import find_record_files, read_label_names
from tunefront.search.data.sources.records.labels import RecordLabel, number_classes
from tunefront.search.data.sources.records.records import (
    check_lengths,
    import_tensorflow,
    is_compressed,
    read_records,
    uncompressed,
)
from tunefront.search.data.sources.records.splits import describe_splits, splits_of
from tunefront.search.data.sources.source import FileSource


@dataclass(frozen=True, slots=True)
class EncodedRecord:
    """An encoded image in a record file; calling it reads its bytes, without TensorFlow."""

    path: str
    offset: int
    n_bytes: int

    def __call__(self) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            data = file.read(self.n_bytes)
        if len(data) < self.n_bytes:
            raise OSError("the record file has become shorter")
        return data

    def stamp(self) -> Stamp:
        """Return the stamp, which changes with the file."""
        facts = os.stat(self.path)
        what = f"{os.path.abspath(self.path)}[{self.offset}:{self.offset + self.n_bytes}]"
        return what, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


class TFRecordsSource(FileSource):
    """The source of records with an encoded image and its class as a number, a text, or both.

    A file is in the split (train, validation, valid, val or test) that its name, or else its folder's name, contains.
    Files may be compressed with gzip or zlib. Classes are named by ``labels.txt`` if it lies beside the files or in
    their parent folder (lines of ``NUMBER:NAME``, or of names alone), else by the texts, else by the numbers. Numbers
    may start at 0, 1 or anywhere. A class without records is left out.

    Attributes:
        path: A folder with the files in it or in a folder for each split, a pattern such as ``records/train-*``, or
            one file.
        image_key: Feature of the encoded image file.
        label_key: Feature of the class as a number; a record may lack it.
        text_key: Feature of the class as a text; a record may lack it.
    """

    source: Literal["tfrecords"]
    path: str
    image_key: str = "image/encoded"
    label_key: str = "image/class/label"
    text_key: str = "image/class/text"

    def check_files(self) -> None:
        for file in find_record_files(self.path):
            if not is_compressed(file):
                check_lengths(file, readable(str(file)), at_most=1)

    def find(self) -> Examples:
        """List the records by reading all files once, which checks their checksums.

        Raises:
            DataError: A file is missing, cut off or corrupt, a record has no image or no class, or
                TensorFlow is not installed.
        """
        files = find_record_files(self.path)
        given = splits_of(files)
        splits: Sequence[SplitName | None] = given or [None] * len(files)
        contents: list[EncodedRecord] = []
        names: list[str] = []
        labels: list[RecordLabel] = []
        split_of_each: list[SplitName] = []
        for file, split in zip(files, splits, strict=True):
            plain = uncompressed(file)
            for row, (offset, record) in enumerate(read_records(plain, readable(str(file)))):
                names.append(f"{readable(str(file))}[{row}]")
                image, label = self._parse(record, names[-1])
                contents.append(EncodedRecord(str(plain), offset + record.find(image), len(image)))
                labels.append(label)
                split_of_each += [split] if split else []
        if not names:
            raise DataError(f"data.path: the record files in {self.path} are all empty: write them again")
        numbers, class_names = number_classes(labels, names, read_label_names(files))
        notes = describe_splits(files, given) if given else {}
        return Examples(names, numbers, class_names, contents, split_of_each or None, notes=notes)

    def _parse(self, record: bytes, name: str) -> tuple[bytes, RecordLabel]:
        tf = import_tensorflow()
        try:
            features = tf.train.Example.FromString(record).features.feature
        except Exception as error:  # protobuf's DecodeError, which cannot be imported without TensorFlow
            raise DataError(f"{name} is no tf.train.Example: other kinds of records cannot be read") from error
        image = _only_value(features, self.image_key, "bytes_list", name, "data.image_key")
        label = _only_value(features, self.label_key, "int64_list", name, "data.label_key")
        found = _only_value(features, self.text_key, "bytes_list", name, "data.text_key")
        text = found.decode("utf-8", "backslashreplace").strip() if found else ""
        if image is None:
            raise DataError(f"data.image_key: {name} has no {self.image_key!r}. {_listed(features)}")
        if label is None and not text:
            raise DataError(
                f"data.label_key: {name} has neither {self.label_key!r} nor {self.text_key!r}, and so no class. "
                f"{_listed(features)}"
            )
        return image, RecordLabel(label, text)


def _listed(features: Any) -> str:
    return f"Its features: {', '.join(sorted(features)) or 'none'}"


def _only_value(features: Any, key: str, kind: str, name: str, setting: str) -> Any:
    """Return the one value of a feature; None if the feature is not there."""
    if key not in features or features[key].WhichOneof("kind") is None:
        return None
    found = features[key].WhichOneof("kind")
    if found != kind:
        raise DataError(f"{setting}: {name} has a {found} as {key!r}, and a {kind} is needed. {_listed(features)}")
    values = getattr(features[key], kind).value
    if len(values) > 1:
        raise DataError(f"{setting}: {name} has {len(values)} values of {key!r}, and one is needed")
    return values[0] if values else None
