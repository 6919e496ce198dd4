"""Migrations from the tables of an earlier tunefront to those of this one: a file for each version, for Alembic."""
