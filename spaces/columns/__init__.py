"""Tables of columns: what a column is, and the layers that turn its values into a network's features."""
