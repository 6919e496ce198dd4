"""The last training of one candidate, before use: on training and validation images, for epochs chosen before."""
