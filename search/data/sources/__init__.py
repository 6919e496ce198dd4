"""The sources of images, one kind a file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tunefront.search.data.sources.columns import ColumnsSource
from tunefront.search.data.sources.digits import DigitsSource
from tunefront.search.data.sources.folder import FolderSource
from tunefront.search.data.sources.keras_datasets import Cifar100, KerasDataset
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.data.sources.own import OwnSource
from tunefront.search.data.sources.source import FileSource, Source
from tunefront.search.data.sources.table import TableSource
from tunefront.search.data.sources.tfrecords import TFRecordsSource

DataTable = Annotated[
    DigitsSource
    | KerasDataset
    | Cifar100
    | FolderSource
    | TableSource
    | ColumnsSource
    | TFRecordsSource
    | NpzSource
    | OwnSource,
    Field(discriminator="source"),
]

__all__ = ["DataTable", "FileSource", "Source"]
