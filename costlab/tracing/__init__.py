"""What PyTorch says: the cross-check of a count against what runs."""

from costlab.tracing.check import Finding, check

__all__ = ["Finding", "check"]
