"""Conventions: what a tool charges for the quantities that operations report. Data, not branches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from costlab.algebra.dim import Dim, product, total
from costlab.algebra.parameter import closest
from costlab.algebra.work import Work
from costlab.errors import DefinitionError


@dataclass(frozen=True)
class Convention:
    """A table of coefficients: kind of operation to quantity to charge per unit of it.

    A kind that is not in ``charges`` is charged as ``default`` says; those in ``unknown`` cost nothing
    because the tool does not know them.
    """

    name: str
    title: str
    unit: str
    measured_on: str
    default: Mapping[str, int] = field(hash=False)
    charges: Mapping[str, Mapping[str, int]] = field(hash=False)
    unknown: frozenset[str]

    def cost(self, work: Work) -> Dim:
        """What ``work`` costs: the sum of coefficient times quantity."""
        if work.kind in self.unknown:
            return 0
        row = self.charges.get(work.kind, self.default)
        return total(product(charge, getattr(work, quantity)) for quantity, charge in row.items())


@cache
def conventions() -> Mapping[str, Convention]:
    """Every convention by name, from ``conventions.toml``."""
    import tomllib  # here and not above: a count under no convention starts faster without it

    tables = tomllib.loads(Path(__file__).with_name("conventions.toml").read_text("utf-8"))
    return {
        name: Convention(name, **(table | {"unknown": frozenset(table["unknown"])}))
        for name, table in tables.items()
    }


def convention(name: str) -> Convention:
    """The convention of that name.

    Raises:
        DefinitionError: there is none.
    """
    if name not in conventions():
        raise DefinitionError(f"there is no convention {name!r}{closest(name, conventions())}")
    return conventions()[name]
