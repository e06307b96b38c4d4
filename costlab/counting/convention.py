"""Conventions: what a tool charges for the quantities that operations report. Data, not branches.

There is a file for each in ``conventions/``; the README there describes their format.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, cast

from costlab.algebra.block import Node
from costlab.algebra.dim import Dim, product, total
from costlab.algebra.parameter import closest
from costlab.counting.conventions.graph_node import CONSTANT, UNSEEN, charged_nodes
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities import ONCE, quantity_of
from costlab.counting.family import OTHER, family_of
from costlab.counting.row import DEFAULT
from costlab.counting.terms import Defect, Failure, Places, Term, fits
from costlab.errors import DefinitionError
from costlab.messages import named

PER_INPUT = "/N"
"""The end of a quantity's name in a charge where a tool divides by the batch."""
FOLDER = Path(__file__).with_name("conventions")
MULTIPLY_ADDS, BIAS, NOT_SEEN = "multiply-adds", "bias", "not seen"
LAST = 1000
"""The place of a tool whose table names none, among the others."""
OPERATORS = "*.aten"
"""In ``unknown`` of a tool that replaces functions of torch: it does not see operators."""
BIASES = ("bias_adds", "fused_bias", "node_bias_adds")
ANY, MODULES, GRAPHS = "", "modules", "graphs"
"""What a convention is of: anything, modules of PyTorch and what builds them, or graphs of ONNX."""


@dataclass(frozen=True)
class Convention:
    """A table of coefficients: kind of operation to quantity to charge per unit of it.

    The first of ``charges`` that matches the kind and form of an operation holds, else ``default``; those in
    ``unknown``, or of a form that is not in ``forms``, cost nothing because the tool does not know them.
    ``scale`` is what a multiply-add costs: 1, or 2 where multiplication and addition are two; ``place`` is
    its position in lists of conventions. One that is ``of`` graphs has a row for each operator; it ``fails``
    on nodes, on all that are not among its ``operators``, and on inputs of others than its ``input_types``;
    ``constants`` says what is wrong in charging for what is computed of what the file holds, and ``infers``
    that it takes the sizes that onnx infers of the whole, 0 where one is open.
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
    place: int = LAST
    places: Places | None = None
    activations: Mapping[str, Mapping[str, int]] = field(default_factory=dict, hash=False)
    of: str = ANY
    operators: frozenset[str] = frozenset()
    fails: tuple[Failure, ...] = ()
    constants: str = ""
    input_types: frozenset[str] = frozenset()
    infers: bool = False

    def __repr__(self) -> str:
        return f"<convention {self.name}: {self.title}, in {self.unit}>"

    def cost(self, node: Node, batch: Dim = 1) -> Dim:
        """What an operation costs for a batch of inputs: the sum of coefficient times quantity.

        It is a fraction where the tool divides by the batch and something is left over.
        """
        if self.name == DEFAULT:
            assert node.work is not None
            return product(batch, node.work.multiply_adds)
        return total(self._cost(operation, batch) for operation in self.operations_of(node))

    def operations_of(self, node: Node) -> tuple[ChargedOperation, ...]:
        """What the tool meets there: the operation, or nodes of a graph."""
        return tuple(charged_nodes(node)) if self.of == GRAPHS else (ChargedOperation(node),)

    def _cost(self, operation: ChargedOperation, batch: Dim) -> Dim:
        row = _row(self, operation.kind, operation.form)
        return total(
            self._times(operation, quantity) * _amount(operation, quantity, charge, batch)
            for quantity, charge in row.items()
        )

    def _times(self, operation: ChargedOperation, quantity: str) -> int:
        """How often a quantity of an operation is charged."""
        if self.places is None or (self.places.per_input and not quantity.endswith(PER_INPUT)):
            return 1
        return self.places.times(operation)

    def activations_of(self, node: Node, batch: Dim = 1) -> Dim:
        """The activations of an operation as the tool counts them; its own where it counts none."""
        operation = ChargedOperation(node)
        row = next(
            (
                row
                for pattern, row in self.activations.items()
                if fits(pattern, operation.kind, operation.form)
            ),
            {"activations": 1},
        )
        return total(_amount(operation, quantity, charge, batch) for quantity, charge in row.items())

    def terms(self, node: Node, batch: Dim = 1) -> Iterator[Term]:
        """The parts of the cost: multiply-adds as they are, and what the tool adds to them or leaves out."""
        for operation in self.operations_of(node):
            yield from self._all_terms(operation, batch)

    def _all_terms(self, operation: ChargedOperation, batch: Dim) -> Iterator[Term]:
        if operation.form == CONSTANT and self.constants:
            yield Term(OTHER, self._cost(operation, batch), self.constants)
            return
        yield from self._terms(operation, batch)
        if self.places is not None and self.places.times(operation) != 1:
            row = _row(self, operation.kind, operation.form)
            more = total(
                (self._times(operation, quantity) - 1) * _amount(operation, quantity, charge, batch)
                for quantity, charge in row.items()
            )
            yield Term(family_of(operation.kind), more, self.places.reason)

    def _terms(self, operation: ChargedOperation, batch: Dim) -> Iterator[Term]:
        kind, form, family = operation.kind, operation.form, operation.work.kind
        plain = self.scale * product(batch, operation.work.multiply_adds)
        yield Term(MULTIPLY_ADDS, plain)
        charged: Dim = 0
        rates = self.rates(operation)
        for quantity, charge in rates.items():
            amount = _amount(operation, quantity, charge, batch)
            if quantity.removesuffix(PER_INPUT) == DEFAULT:
                charged = amount
            else:
                yield Term(term_of(family, quantity), amount)
        defects = _defects(self, kind, form)
        if charged != plain:
            reason = next((defect.reason for defect in defects if not defect.charge), "")
            per_input = f"{DEFAULT}{PER_INPUT}" in rates
            known = "counted for one input of the batch" if per_input else f"no rule for {family}"
            yield Term(NOT_SEEN, total((charged, -plain)), UNSEEN.get(form) or reason or known)
        for defect in defects:
            amounts = (_amount(operation, quantity, n, batch) for quantity, n in defect.charge.items())
            yield Term(family_of(family), total(amounts), defect.reason)

    def knows(self, node: Node) -> bool:
        """Whether the tool has a rule for such an operation."""
        operation = ChargedOperation(node)
        return _knows(self, operation.kind, operation.form)

    def rates(self, operation: ChargedOperation) -> Mapping[str, int]:
        """The coefficients for such an operation, but for what is a defect."""
        return _rates(self, operation.kind, operation.form)


def _amount(operation: ChargedOperation, quantity: str, charge: int, batch: Dim) -> Dim:
    name = quantity.removesuffix(PER_INPUT)
    size = product(charge, quantity_of(operation, name))
    if name in ONCE:
        return size
    if name == quantity:
        return product(batch, size)
    if not operation.samples:
        return 0
    shared = Fraction(int(size), operation.samples)
    return cast("Dim", shared.numerator if shared.denominator == 1 else shared)


def term_of(kind: str, quantity: str) -> str:
    """The name of the term that a charge for a quantity of an operation goes to."""
    return BIAS if quantity.removesuffix(PER_INPUT) in BIASES else family_of(kind)


@cache
def _rates(by: Convention, kind: str, form: str) -> Mapping[str, int]:
    if form in UNSEEN or not _knows(by, kind, form):
        return {}
    return next((row for pattern, row in by.charges.items() if fits(pattern, kind, form)), by.default)


@cache
def _defects(by: Convention, kind: str, form: str) -> tuple[Defect, ...]:
    if form in UNSEEN or (OPERATORS in by.unknown and form == "aten"):  # what it does not see it gets right
        return ()
    return tuple(each for each in by.defects if any(fits(pattern, kind, form) for pattern in each.match))


@cache
def _row(convention: Convention, kind: str, form: str) -> Mapping[str, int]:
    summed: dict[str, int] = dict(_rates(convention, kind, form))
    for defect in _defects(convention, kind, form):
        for quantity, charge in defect.charge.items():
            summed[quantity] = summed.get(quantity, 0) + charge
    return summed


@cache
def _knows(convention: Convention, kind: str, form: str) -> bool:
    if convention.forms and form not in convention.forms:
        return False
    return not any(fits(pattern, kind, form) for pattern in convention.unknown)


@cache
def names() -> frozenset[str]:
    """The names of all conventions: those of the tables in the folder."""
    return frozenset(file.stem for file in FOLDER.glob("*.toml"))


@cache
def conventions() -> Mapping[str, Convention]:
    """Every convention by name: ours first, then those of the tools."""
    return {each.name: each for each in sorted(map(_read, names()), key=lambda each: (each.place, each.name))}


def convention(name: str) -> Convention:
    """The convention of that name.

    Raises:
        DefinitionError: there is none.
    """
    return _read(known(name))


def known(name: str) -> str:
    """The name of a convention; its table is not read.

    Raises:
        DefinitionError: there is none of that name.
    """
    if name != DEFAULT and name not in names():
        hint = closest(name, sorted(names()))
        raise DefinitionError(f"there is no convention {named(name)}{hint} (see costlab list --conventions)")
    return name


@cache
def _read(name: str) -> Convention:
    table = _table(name)
    while base := table.pop("base", ""):  # the same but for what the file says
        below = _table(base)
        table = below | table | {"charges": table.get("charges", {}) | _less(below, table)}
    measured_on = table.get("measured_on", "")
    defects = (
        Defect(tuple(each["match"]), each["reason"], each.get("seen_in", measured_on), each.get("charge", {}))
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
        table.get("place", LAST),
        _places(table["places"]) if table.get("places") else None,
        table.get("activations", {}),
        table.get("of", MODULES if measured_on else ANY),
        frozenset(table.get("operators", ())),
        tuple(Failure(tuple(each.pop("match")), **each) for each in table.get("fails", ())),
        table.get("constants", ""),
        frozenset(table.get("input_types", ())),
        table.get("infers", False),
    )


def _places(table: Mapping[str, Any]) -> Places:
    return Places(**{**table, "hooked": tuple(table.get("hooked", ()))})


def _less(below: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of one file that another has none of."""
    own = table.get("charges", {})
    return {pattern: row for pattern, row in below.get("charges", {}).items() if pattern not in own}


def _table(name: str) -> dict[str, Any]:
    import tomllib  # here and not above: a count in multiply-adds starts faster without it

    return tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
