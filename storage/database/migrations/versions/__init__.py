"""One file for each version of the tables, in their order."""
