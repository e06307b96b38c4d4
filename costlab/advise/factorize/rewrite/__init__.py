"""Plans as code: a file that runs by itself, with the rewritten network in it."""
