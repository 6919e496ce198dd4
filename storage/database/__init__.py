"""The database itself: how it is opened and locked, its tables, and passwords in its URL."""
