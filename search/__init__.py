"""The running of a study: its spec, its data, its trials, and the supervisor that assigns them to slots."""
