"""The commands, with a file for each group."""
