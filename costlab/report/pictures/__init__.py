"""Pictures: for each, what is drawn as a typed record, a function that computes it and one that draws it."""
