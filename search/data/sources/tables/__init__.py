"""Tables that name images: their rows, columns, classes and files."""
