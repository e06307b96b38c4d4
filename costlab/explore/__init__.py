"""What else could be: spaces of networks, answered exactly; scaling to a budget; budgets that are held."""
