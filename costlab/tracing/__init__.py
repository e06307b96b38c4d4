"""What PyTorch says: modules counted as they run, and the cross-check of a count against what runs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from costlab.tracing.cross_check import check as check
    from costlab.tracing.finding import Finding as Finding
    from costlab.tracing.rules import rule as rule

# Loaded on first use: what traces a module needs no fvcore.
_HOMES = {
    "Finding": "costlab.tracing.finding",
    "check": "costlab.tracing.cross_check",
    "rule": "costlab.tracing.rules",
}
__all__ = ["Finding", "check", "rule"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
