"""What users write of a space: axes, conditions, quantities and files, parsed and never run."""
