"""Whether the compiled kernels are there: the extra ``costlab[fast]`` brings what compiles them."""

from functools import cache
from types import ModuleType

_off = False


@cache
def _kernels() -> ModuleType | None:
    try:
        from costlab.explore.query import compiled
    except ImportError:
        return None
    return compiled


def kernels() -> ModuleType | None:
    """The compiled kernels, or None where NumPy does their work."""
    return None if _off else _kernels()
