"""Whether the compiled kernels are used: the extra ``costlab[fast]`` brings what compiles them."""

from functools import cache
from types import ModuleType

FEWEST = 10_000_000
"""The fewest points of a space for which it pays to load them."""
_use: bool | None = None  # tests decide


@cache
def _kernels() -> ModuleType | None:
    try:
        from costlab.explore.query import compiled
    except ImportError:
        return None
    return compiled


def kernels(points: int) -> ModuleType | None:
    """The compiled kernels for a space of so many points, or None where NumPy does their work."""
    wanted = points >= FEWEST if _use is None else _use
    return _kernels() if wanted else None
