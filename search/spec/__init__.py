"""The spec of a study: the keys of its TOML file, and their meaning."""
