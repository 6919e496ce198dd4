"""Run a study on this machine: its slots, leases, verdicts, and its end."""
