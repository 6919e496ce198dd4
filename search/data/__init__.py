"""Datasets: where images come from, how they are split, and the cache that trials share."""

from search.data.cache import prepare
from search.data.dataset import Dataset, Split

__all__ = ["Dataset", "Split", "prepare"]
