"""The importance of parameters, as far as it exceeds chance, and the report's section about it."""
