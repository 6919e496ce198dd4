"""What a person sees in a terminal: a running study, what is waited for, the model to take."""
