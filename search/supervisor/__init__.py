"""The run of a study on this machine: its slots, leases and verdicts, and its end."""
