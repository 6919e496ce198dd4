"""What settings change, and when they change nothing."""
