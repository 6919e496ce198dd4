"""The part of a network that training does not change, run once over the data instead of once an epoch."""
