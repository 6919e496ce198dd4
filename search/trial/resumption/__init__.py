"""How a training goes on from its checkpoint in another process, to the last digit where the machine is the same."""
