"""The database itself: opening and locking it, its tables, and the passwords in its URL."""
