"""The choice of the candidates that are tried next."""
