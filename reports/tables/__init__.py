"""The tables of a report, for people and for programs."""
