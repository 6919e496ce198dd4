"""The parameters of candidates in the store: how they are written, and read as far as they are new."""
