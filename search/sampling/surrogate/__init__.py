"""The hypervolume sampler: a model of the objectives chooses what is expected to add most to the front."""
