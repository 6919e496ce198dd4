"""The verdict of a report: which model to take, why, what else could be taken, and how sure that is."""
