"""The change of a training's settings between two of its epochs."""
