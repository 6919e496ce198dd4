"""A check of a whole store: what it counts, and what in it does not belong together."""
