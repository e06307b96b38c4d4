"""Pictures: for each its data as a named tuple, a function that computes it, and one that draws it."""
