"""The commands of `tunefront store`, which look after the database of the studies."""
