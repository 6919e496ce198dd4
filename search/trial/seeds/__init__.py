"""The seeds of a confirmed candidate, trained one after another by one process."""
