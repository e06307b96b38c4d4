"""What is asked of a space: answered slice by slice, from sums of small tables."""
