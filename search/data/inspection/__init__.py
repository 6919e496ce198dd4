"""Views of a dataset for a person, before anything is trained."""
