"""What a network learns: variants trained beside each other at a reduced scale, on the same seeds."""
