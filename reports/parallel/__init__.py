"""Parallel coordinates: a line for each complete trial, from what it chose to what it reached, and ranges on axes."""
