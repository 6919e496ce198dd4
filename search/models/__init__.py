"""A trained or built model as a file: loaded again, exported for a runtime, run, and measured."""
