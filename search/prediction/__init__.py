"""Predictions of a trained model: from its file and from images, tables or arrays to classes and probabilities."""
