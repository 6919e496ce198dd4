"""What people wish of studies, processes and trials, while workers run: the store has it, and workers look."""
