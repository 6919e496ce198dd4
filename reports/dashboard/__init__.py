"""The dashboard: optuna-dashboard over the shared store, guarded, with the front as a figure."""
