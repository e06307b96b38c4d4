"""Measurements beside others, each a script of its own."""
