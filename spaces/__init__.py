"""What may vary: ranges, candidates, and how a candidate becomes a Keras model."""
