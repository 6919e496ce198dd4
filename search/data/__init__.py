"""Datasets: where images come from, how they are split, and the cache that trials share."""
