"""What models weigh and compute, told without training."""
