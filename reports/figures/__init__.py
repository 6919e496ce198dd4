"""The figures of a report: fronts, learning curves, and how they look."""
