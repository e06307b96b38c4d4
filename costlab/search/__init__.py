"""What a design space learns: members of spaces that are trained, by sampling and by search."""
