"""What a study's models are as files for runtimes, as the store keeps it."""
