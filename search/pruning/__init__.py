"""The decision to stop a trial early."""
