"""What a replay found: its page, figures and tables."""
