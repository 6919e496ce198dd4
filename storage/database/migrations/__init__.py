"""How the tables of an earlier tunefront become those of this one: a file for each version, run by Alembic."""
