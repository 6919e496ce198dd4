"""Population-based training: who is better, what is perturbed, and what a new member is made of."""
