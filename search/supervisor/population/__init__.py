"""The populations of a study as a supervisor runs them: whose turn it is, and who goes on with whose weights."""
