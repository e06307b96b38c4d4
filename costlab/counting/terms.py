"""What a tool's number consists of: the terms, what is wrong in it, and how often modules are counted."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from costlab.algebra.dim import Dim
from costlab.counting.conventions.operation import ChargedOperation


class Defect(NamedTuple):
    """Something that a tool gets wrong: for which operations, what it charges more (or less), in words.

    Without ``charge`` it says why multiply-adds of these operations are missing. ``seen_in`` is the
    release.
    """

    match: tuple[str, ...]
    reason: str
    seen_in: str
    charge: Mapping[str, int]


class Failure(NamedTuple):
    """Where a tool that reads graphs fails, in words: on nodes of which the quantity ``where`` is not 0."""

    match: tuple[str, ...]
    reason: str
    where: str = ""


class Places(NamedTuple):
    """How often a tool counts what a module calls that several modules hold, or none of the model's.

    It is as often as the ``places`` of the module, to the ``power``: of the module that calls, or of the one
    ``within`` the model, but for kinds that are ``hooked`` to their module. With ``per_input`` that holds for
    charges that are divided by the batch.
    """

    reason: str
    power: int = 1
    within: bool = False
    per_input: bool = False
    hooked: tuple[str, ...] = ()

    def times(self, operation: ChargedOperation) -> int:
        """How often an operation is counted."""
        hooked = any(fits(pattern, operation.kind, operation.form) for pattern in self.hooked)
        places = operation.places_within if self.within and not hooked else operation.module.places
        return places**self.power if places else 0


class Term(NamedTuple):
    """A part of what a convention charges; ``reason`` says what is wrong in it."""

    name: str
    amount: Dim
    reason: str = ""


def fits(pattern: str, kind: str, form: str) -> bool:
    """Whether ``conv?d`` or ``conv?d.module`` means an operation of this kind and form."""
    return fnmatchcase(f"{kind}.{form}", pattern if "." in pattern else f"{pattern}.*")
