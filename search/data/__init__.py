"""Datasets: where images come from, how they are split, and the cache that trials share."""

from search.data.cache import prepare
from search.data.dataset import Dataset, Split
from search.data.examples import DataError, Examples
from search.data.sources import DataTable

__all__ = ["DataError", "DataTable", "Dataset", "Examples", "Split", "prepare"]
