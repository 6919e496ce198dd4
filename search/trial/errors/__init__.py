"""What a kept model gets wrong: its answers in a file beside it, a picture of its worst ones, its calibration."""
