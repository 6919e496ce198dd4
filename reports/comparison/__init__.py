"""Two studies side by side: their common front, and whether they can be compared at all."""
