"""The command `predict`, and the rows that it prints."""
