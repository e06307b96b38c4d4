"""Words of findings."""

import re

from costlab.advise.graph import Step

ROOT = "(root)"
JOIN = re.compile(r"\.(concat|add)(_\d+)?$")


def many(number: int, noun: str) -> str:
    """A number with a noun: ``1 channel``, ``64 channels``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def in_a_line(path: str, severity: str, rule: str, message: str) -> str:
    """A finding in a line, as linters give it."""
    return f"{path or ROOT}: {severity}: {rule}: {message}"


def place_of(step: Step) -> str:
    """Its path; of a join of branches, which is no module of its own, that of the module it is in."""
    return JOIN.sub("", step.path)
