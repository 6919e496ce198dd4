"""Slots, GPUs, and the processes that are started on them."""
