"""Choosing a model on the page: ranges, the table of candidates with what is known of each, and the best of them."""
