"""Find which Keras image model to use when accuracy is not all that counts."""
