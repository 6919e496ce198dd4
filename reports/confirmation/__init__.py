"""A search's front, trained again: statistics, tables, sentences, and the report's section."""
