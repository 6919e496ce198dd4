"""Checkpoints of trainings as files: whole or not there, told apart by their digests, without Keras."""
