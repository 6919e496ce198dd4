"""The trial's own process: train one candidate, and tell what came of it."""
