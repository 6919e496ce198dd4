"""When a trial is stopped."""
