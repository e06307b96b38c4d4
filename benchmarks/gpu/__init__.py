"""All that is to be run on a machine with an NVIDIA GPU, in one command: ``make gpu``."""
