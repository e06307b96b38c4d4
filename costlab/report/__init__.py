"""What to show: tables and files."""
