"""Where images come from, one kind a file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from search.data.sources.digits import DigitsSource
from search.data.sources.folder import FolderSource
from search.data.sources.keras_datasets import Cifar100, KerasDataset
from search.data.sources.npz import NpzSource
from search.data.sources.own import OwnSource
from search.data.sources.source import FileSource, Source
from search.data.sources.table import TableSource
from search.data.sources.tfrecords import TFRecordsSource

DataTable = Annotated[
    DigitsSource | KerasDataset | Cifar100 | FolderSource | TableSource | TFRecordsSource | NpzSource | OwnSource,
    Field(discriminator="source"),
]

__all__ = ["DataTable", "FileSource", "Source"]
