"""What the fork server loads, for trial processes to have it."""
