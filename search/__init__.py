"""How a study runs: its spec, its data, its trials, and the supervisor that feeds them to slots."""
