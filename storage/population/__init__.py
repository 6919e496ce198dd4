"""What the store has of populations: the stages of their members' trainings."""
