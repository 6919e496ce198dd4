"""The deployment of a study's models: each in several variants, run, measured and described."""
