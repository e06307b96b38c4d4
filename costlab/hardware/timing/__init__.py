"""What runs on this machine, timed; and models of time that are fitted to such times."""
