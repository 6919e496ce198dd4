"""Train the front again: which trials, from which parameters, with which seeds."""
