"""What is known of recurrent cells wherever they are counted."""

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
"""The gates of a cell by its kind: each has a matrix for the input and one for the state."""
