"""The figures of a report: fronts, learning curves, and their style."""
