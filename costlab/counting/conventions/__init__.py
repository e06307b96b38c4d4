"""What counting tools charge: a table for each tool, and the quantities that only tools use."""
