"""What a user names: catalog names, files and modules of their own, PyTorch modules, ablations."""
