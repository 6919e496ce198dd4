"""Record files: the content, label and split of each record."""
