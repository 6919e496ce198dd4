"""The operating system's files, links and environment variables, handled with care."""
