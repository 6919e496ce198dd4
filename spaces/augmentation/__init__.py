"""Random changes of training images, and how strong they may be."""
