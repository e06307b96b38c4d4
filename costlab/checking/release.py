"""Which release of a tool is installed."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def release_of(package: str) -> str | None:
    """The release of a package that is installed, None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
