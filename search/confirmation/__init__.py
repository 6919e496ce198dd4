"""The confirmation of a search: which trials are trained again, from which parameters, with which seeds."""
