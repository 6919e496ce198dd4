"""The operating system's files, links and environment variables, and a process's logs, handled with care."""
