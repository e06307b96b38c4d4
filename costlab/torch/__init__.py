"""Costs inside training loops: the share of a device's peak that a step reaches, callbacks that log it."""
