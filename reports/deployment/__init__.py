"""What a study's models are as files for runtimes: their front, a table, a figure and a section of the report."""
