"""Python objects of a user's own that a spec names."""
