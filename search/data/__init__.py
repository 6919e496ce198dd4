"""Datasets: where images come from, how they are split, and the cache that trials share."""

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset, Split
from tunefront.search.data.examples import DataError, Examples
from tunefront.search.data.sources import DataTable

__all__ = ["DataError", "DataTable", "Dataset", "Examples", "Split", "prepare"]
