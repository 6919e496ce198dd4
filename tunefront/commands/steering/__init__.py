"""Commands that steer studies, trials and workers while they run."""
