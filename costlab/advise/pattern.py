"""Patterns of the paths of modules."""

from fnmatch import fnmatchcase


def matches(path: str, pattern: str) -> bool:
    """Whether a pattern, in which ``*`` stands for anything, matches a path, or a module that it is in."""
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}.*")
