"""The shared store: Optuna's tables, and tunefront's own beside them in the same database."""
