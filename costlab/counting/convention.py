"""Conventions: what a tool charges for the quantities that operations report. Data, not branches.

There is a file for each in ``conventions/``; what may stand in it is said in its README.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from costlab.algebra.dim import Dim, product, total
from costlab.algebra.parameter import closest
from costlab.algebra.work import Work
from costlab.counting.family import family_of
from costlab.errors import DefinitionError

DEFAULT = "multiply_adds"
PER_INPUT = "/N"
"""The end of a quantity's name in a charge where a tool divides by the batch."""
NAMES = (
    DEFAULT,
    "flops",
    "fvcore",
    "thop",
    "ultralytics_thop",
    "ptflops",
    "ptflops_aten",
    "torchinfo",
    "torchprofile",
    "calflops_macs",
    "calflops_flops",
    "deepspeed_macs",
    "deepspeed_flops",
    "torch_flop_counter",
)
FOLDER = Path(__file__).with_name("conventions")
MULTIPLY_ADDS, BIAS, NOT_SEEN = "multiply-adds", "bias", "not seen"
BIASES = ("bias_adds", "fused_bias")


class Defect(NamedTuple):
    """Something that a tool gets wrong: for which operations, what it charges more (or less), in words.

    Without ``charge`` it says why multiply-adds of these operations are missing. ``seen_in`` is the
    release.
    """

    match: tuple[str, ...]
    told: str
    seen_in: str
    charge: Mapping[str, int]


class Term(NamedTuple):
    """A part of what a convention charges; ``told`` says what is wrong in it."""

    name: str
    amount: Dim
    told: str = ""


@dataclass(frozen=True)
class Convention:
    """A table of coefficients: kind of operation to quantity to charge per unit of it.

    The first of ``charges`` that matches the kind and form of an operation holds, else ``default``; those in
    ``unknown``, or of a form that is not in ``forms``, cost nothing because the tool does not know them.
    ``scale`` is what a multiply-add costs: 1, or 2 where multiplication and addition are two.
    """

    name: str
    title: str
    unit: str
    column: str
    measured_on: str
    default: Mapping[str, int] = field(hash=False)
    charges: Mapping[str, Mapping[str, int]] = field(hash=False)
    unknown: tuple[str, ...]
    forms: frozenset[str]
    defects: tuple[Defect, ...] = field(hash=False)
    scale: int = 1
    note: str = ""

    def cost(self, work: Work, batch: Dim = 1) -> Dim:
        """What ``work`` costs for a batch of inputs: the sum of coefficient times quantity."""
        row = self._row(work.kind, work.form)
        return total(self._amount(work, quantity, charge, batch) for quantity, charge in row.items())

    def terms(self, work: Work, batch: Dim = 1) -> Iterator[Term]:
        """The parts of the cost: multiply-adds as they are, and what the tool adds to them or leaves out."""
        plain = self.scale * product(batch, work.multiply_adds)
        yield Term(MULTIPLY_ADDS, plain)
        charged: Dim = 0
        for quantity, charge in self.rates(work.kind, work.form).items():
            amount = self._amount(work, quantity, charge, batch)
            if quantity.removesuffix(PER_INPUT) == DEFAULT:
                charged = amount
            else:
                yield Term(term_of(work.kind, quantity), amount)
        defects = self.defects_of(work.kind, work.form)
        if charged != plain:
            told = next((defect.told for defect in defects if not defect.charge), "")
            yield Term(NOT_SEEN, total((charged, -plain)), told or f"no rule for {work.kind}")
        for defect in defects:
            amounts = (self._amount(work, quantity, n, batch) for quantity, n in defect.charge.items())
            yield Term(family_of(work.kind), total(amounts), defect.told)

    def knows(self, work: Work) -> bool:
        """Whether the tool has a rule for such an operation."""
        return _knows(self, work.kind, work.form)

    def _row(self, kind: str, form: str) -> Mapping[str, int]:
        """The coefficients for such an operation, defects included."""
        return _row(self, kind, form)

    def rates(self, kind: str, form: str) -> Mapping[str, int]:
        """The coefficients for such an operation, but for what is a defect."""
        return _rates(self, kind, form)

    def defects_of(self, kind: str, form: str) -> tuple[Defect, ...]:
        """What the tool gets wrong of such an operation."""
        return _defects(self, kind, form)

    def _amount(self, work: Work, quantity: str, charge: int, batch: Dim) -> Dim:
        name = quantity.removesuffix(PER_INPUT)
        size = product(charge, work.quantity(name))
        if name == quantity:
            return product(batch, size)
        samples = work.also.get("samples")
        if samples is None:
            return size
        return size // samples if samples != 0 else 0


def term_of(kind: str, quantity: str) -> str:
    """The name of the term that a charge for a quantity of an operation goes to."""
    return BIAS if quantity.removesuffix(PER_INPUT) in BIASES else family_of(kind)


@cache
def _rates(by: Convention, kind: str, form: str) -> Mapping[str, int]:
    if not _knows(by, kind, form):
        return {}
    return next((row for pattern, row in by.charges.items() if _fits(pattern, kind, form)), by.default)


@cache
def _defects(by: Convention, kind: str, form: str) -> tuple[Defect, ...]:
    return tuple(each for each in by.defects if any(_fits(pattern, kind, form) for pattern in each.match))


@cache
def _row(convention: Convention, kind: str, form: str) -> Mapping[str, int]:
    summed: dict[str, int] = dict(convention.rates(kind, form))
    for defect in convention.defects_of(kind, form):
        for quantity, charge in defect.charge.items():
            summed[quantity] = summed.get(quantity, 0) + charge
    return summed


@cache
def _knows(convention: Convention, kind: str, form: str) -> bool:
    if convention.forms and form not in convention.forms:
        return False
    return not any(_fits(pattern, kind, form) for pattern in convention.unknown)


def _fits(pattern: str, kind: str, form: str) -> bool:
    """Whether ``conv?d`` or ``conv?d.module`` means an operation of this kind and form."""
    return fnmatchcase(f"{kind}.{form}", pattern if "." in pattern else f"{pattern}.*")


@cache
def conventions() -> Mapping[str, Convention]:
    """Every convention by name: ours first, then those of the tools."""
    return {name: _read(name) for name in NAMES}


def convention(name: str) -> Convention:
    """The convention of that name.

    Raises:
        DefinitionError: there is none.
    """
    return _read(known(name))


def known(name: str) -> str:
    """The name of a convention; its file is not read.

    Raises:
        DefinitionError: there is none of that name.
    """
    if name not in NAMES:
        hint = closest(name, NAMES)
        raise DefinitionError(f"there is no convention {name!r}{hint} (see costlab list --conventions)")
    return name


@cache
def _read(name: str) -> Convention:
    table = _table(name)
    while base := table.pop("base", ""):  # the same but for what the file says
        below = _table(base)
        table = below | table | {"charges": table.get("charges", {}) | _less(below, table)}
    measured_on = table.get("measured_on", "")
    defects = (
        Defect(tuple(each["match"]), each["told"], each.get("seen_in", measured_on), each.get("charge", {}))
        for each in table.get("defects", ())
    )
    return Convention(
        name,
        table["title"],
        table["unit"],
        table["column"],
        measured_on,
        table["default"],
        table.get("charges", {}),
        tuple(table.get("unknown", ())),
        frozenset(table.get("forms", ())),
        tuple(defects),
        2 if table["default"].get(DEFAULT) == 2 else 1,
        table.get("note", ""),
    )


def _less(below: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of one file that another has none of."""
    own = table.get("charges", {})
    return {pattern: row for pattern, row in below.get("charges", {}).items() if pattern not in own}


def _table(name: str) -> dict[str, Any]:
    import tomllib  # here and not above: a count in multiply-adds starts faster without it

    return tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))


def unknown_among(convention: Convention, works: Iterable[Work]) -> dict[str, int]:
    """The kinds among ``works`` that the tool has no rule for, with how many operations there are of each."""
    found: dict[str, int] = {}
    for work in works:
        if not convention.knows(work):
            found[work.kind] = found.get(work.kind, 0) + 1
    return found
