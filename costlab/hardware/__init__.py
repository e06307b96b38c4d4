"""Hardware: what a network takes of a machine, in memory, traffic, time and energy, and in training."""
