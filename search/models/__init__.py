"""A trained or built model as a file for a runtime: exported, run, and measured."""
