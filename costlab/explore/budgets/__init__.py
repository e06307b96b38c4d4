"""What a budget is made of: limits, references, projects, and who is responsible."""
