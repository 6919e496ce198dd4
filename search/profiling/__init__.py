"""The profiling of models: their weights and computation, known without training."""
