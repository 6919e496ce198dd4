"""A supervisor's contact with its store: leases are renewed, and what the store cannot be told now is kept."""
