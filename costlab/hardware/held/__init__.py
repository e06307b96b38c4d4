"""What is held in memory while a network runs, forward, back and in a step of an optimizer."""
