"""What *better* means: measures and their units, limits, dominance and hypervolume.

The ground floor of tunefront: every other package may import this one, and it imports none of them.
"""
