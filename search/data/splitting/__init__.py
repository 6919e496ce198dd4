"""The division of images into training, validation and test."""
