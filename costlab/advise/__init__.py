"""What could be saved: the paper's four principles on any network, and factorized convolutions."""
