"""What one model gets wrong: its mistakes, its calibration, and the examples that it gets most wrong."""
