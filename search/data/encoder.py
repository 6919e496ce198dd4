"""The encoder of a dataset: what makes features of its values, fitted on the training of one fold."""

from __future__ import annotations

from typing import Any

from tunefront.search.data.dataset import Dataset
from tunefront.spaces.columns.layers import Encode, encoded_columns, flat_pixels, on_raw_columns, standardized


def encoder_of(dataset: Dataset, fold: int = 0) -> Encode:
    """Return what makes features of the dataset's values, for an architecture that takes no images.

    Columns become standardized numbers and units of categories, pixels fractions, and other values are standardized.
    """

    def encode(values: Any) -> Any:
        training = dataset.split("train", fold).images  # here, since with folds it copies them
        if dataset.columns:
            return encoded_columns(values, dataset.columns_in(fold), training)
        return standardized(values, training)

    return flat_pixels if dataset.value_type == "uint8" else encode


def kept_model(model: Any, dataset: Dataset, fold: int = 0) -> Any:
    """Return the model that is saved: behind lookups for a table of columns, else the model itself."""
    return on_raw_columns(model, dataset.columns_in(fold)) if dataset.columns else model
