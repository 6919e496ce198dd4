"""What a study's TOML file may say, and what it means."""
