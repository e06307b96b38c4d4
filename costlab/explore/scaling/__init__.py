"""Scaling to a budget: lines of networks, each ordered by one number, and the largest on one that fits."""
