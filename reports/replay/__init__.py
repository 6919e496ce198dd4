"""The results of a replay: its page, figures and tables."""
