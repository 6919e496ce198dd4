"""Backups of a store, written whole while workers go on: a copy of an SQLite file, or a dump of PostgreSQL."""
