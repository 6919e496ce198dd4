"""The process of a trial, which trains one candidate and reports the result."""
