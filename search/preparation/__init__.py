"""The preparation of a study: what is found out before the first trial."""
