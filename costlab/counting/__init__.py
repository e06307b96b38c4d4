"""What a network costs: counts, the conventions that price them, comparisons and reconciliations."""
