"""The choice of one model from a study: under limits, by a preference, with what the next best would cost."""
