"""The space of a study: ranges, candidates, and how a candidate becomes a Keras model."""
