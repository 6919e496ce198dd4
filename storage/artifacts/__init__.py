"""Models, logs and other files of studies in one place: a folder or a bucket that all machines reach."""
