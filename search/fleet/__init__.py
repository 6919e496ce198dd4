"""This machine's worker: its slots, and the studies whose trials run on them."""
