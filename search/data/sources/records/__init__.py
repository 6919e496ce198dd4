"""Record files: what is in each record, its label and its split."""
