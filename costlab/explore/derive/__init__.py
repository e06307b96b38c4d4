"""What a space costs, derived from its definition: one block for all members, totals that stay sums."""
