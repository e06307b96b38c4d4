"""Conditions and quantities as they are written, parsed and never run: whatever is not known is refused."""

import ast
from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any, NoReturn, TypeAlias

from costlab.algebra.parameter import closest
from costlab.explore.quantities import ASKED
from costlab.explore.written.axial import (
    NONE,
    NUMBER,
    TRUTH,
    Axial,
    Needed,
    OfAxis,
    Value,
    of_axis,
)
from costlab.explore.written.axis import Axis
from costlab.explore.written.condition import Condition
from costlab.explore.written.formula import (
    And,
    Bound,
    Cases,
    Formula,
    Negated,
    Or,
    Truth,
    all_of,
    any_of,
    compared,
    negated,
)
from costlab.explore.written.linear import (
    Linear,
    NotLinearError,
    Quantity,
    Quotient,
    arithmetic,
    combined,
    in_words,
    linear,
)
from costlab.explore.written.source import MOST_BITS, Written, what
from costlab.explore.written.statements import ORDERS, Comparison, Membership
from costlab.messages import harmless, named, shortened

DEEPEST = 100
"""The most levels of an expression, one within another."""
MOST_POWER = 64
WORDS: dict[str, Any] = {"true": True, "false": False, "none": None}
SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
SUMS = "only sums of quantities, each times what axes and numbers give"
FORMULAS = (Bound, Truth, Negated, And, Or, Cases)
Read: TypeAlias = Quantity | Formula


def parse_condition(
    text: str, axes: Mapping[str, Axis], option: str, parameters: Collection[str] = ()
) -> Condition:
    """The condition that a text states about quantities and axes.

    ``option`` is what the text was given for, and begins messages; ``parameters`` are those that there are
    beside the axes. A comparison that cannot be made, as one with a division by zero, does not hold.

    Raises:
        DefinitionError: it is none.
    """
    reader = _Reader(text, axes, option, "a condition", parameters)
    tree = reader.tree()
    formula = reader.truth(tree)
    condition = Condition(text, option, formula, tuple(axes[name] for name in axes if name in reader.used))
    reader.refuse_bytes(condition.quantities)
    return condition


def parse_quantity(
    text: str, axes: Mapping[str, Axis], option: str, parameters: Collection[str] = ()
) -> Linear:
    """The sum of quantities that a text states, each times what axes and numbers give.

    A coefficient raises `DefinitionError` where it is evaluated at values that it is not defined for.

    Raises:
        DefinitionError: it is none.
    """
    reader = _Reader(text, axes, option, "a quantity", parameters)
    tree = reader.tree()
    quantity = reader.number(tree)
    if isinstance(quantity, Quotient):
        reader.refuse(SUMS, tree)
    sums = linear(quantity)
    reader.refuse_bytes(sums.quantities)
    message = f"{option}: {shortened(harmless(text))}"
    failing = sums.failing
    return Linear(
        tuple((name, Needed(each, message) if each in failing else each) for name, each in sums.items)
    )


class _Reader(Written):
    """A text that is read, and what the names in it stand for."""

    def __init__(
        self, text: str, axes: Mapping[str, Axis], option: str, kind: str, parameters: Collection[str]
    ) -> None:
        super().__init__(text, option, kind)
        self.axes = axes
        self.parameters = parameters
        self.used: dict[str, OfAxis] = {}
        self.depth = 0

    def truth(self, node: ast.expr) -> Formula:
        """A part of the text as what holds or does not."""
        read = self.read(node)
        if isinstance(read, FORMULAS):
            return read
        part = self.shown(node)
        if isinstance(read, Linear | Quotient) or read.kinds == {NUMBER}:
            self.refuse(f"{part} is a number, and no truth: compare it, as in {part} <= 5e9")
        assert isinstance(read, Axial)
        if TRUTH not in read.kinds:
            self.refuse(f"{part} is {in_words(read)}, and no truth: compare it, as in {part} == ...")
        return Truth(read if read.kinds == {TRUTH} else Comparison("==", read, Value(True)))

    def value(self, node: ast.expr) -> Quantity:
        """A part of the text as a value to compare."""
        read = self.read(node)
        if isinstance(read, Truth):
            return read.statement
        if isinstance(read, FORMULAS):
            self.refuse(f"{self.shown(node)} holds or does not, and is no value: join it by and, or, not")
        return read

    def number(self, node: ast.expr) -> Quantity:
        """A part of the text as a number."""
        read = self.value(node)
        if isinstance(read, Axial) and NUMBER not in read.kinds:
            self.refuse(f"{self.shown(node)} is {in_words(read)}, and no number")
        return read

    def read(self, node: ast.expr) -> Read:
        """A part of the text."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse("it is nested too deeply")
        reading = getattr(self, f"_read_{type(node).__name__.lower()}", None)
        if reading is None:
            self.refuse(f"{what(node)} is no part of {self.kind}", node)
        read: Read = reading(node)
        self.depth -= 1
        return read

    def _read_constant(self, node: ast.Constant) -> Read:
        value = node.value
        if value is None or isinstance(value, bool | str):
            return Truth(Value(value)) if isinstance(value, bool) else Value(value)
        if isinstance(value, int | float):
            return Value(self.exactly(node, value))
        return self.refuse("it is no number, text or truth", node)

    def _read_name(self, node: ast.Name) -> Read:
        name = node.id
        if name in self.axes and name in ASKED:
            self.refuse(f"{name} is both a quantity and an axis: it cannot be told which is meant")
        if name in ASKED:
            return Linear(((name, Value(Fraction(1))),))
        if name in self.axes:
            return self.used.setdefault(name, self.used.get(name) or of_axis(self.axes[name]))
        if name in WORDS:
            value = WORDS[name]
            return Truth(Value(value)) if isinstance(value, bool) else Value(value)
        return self._refuse_unknown(name)

    def _refuse_unknown(self, name: str) -> NoReturn:
        shown = shortened(harmless(name))
        if name in self.parameters:
            self.refuse(f"{shown} is not varied: vary it, or leave it out")
        if choice := next((axis.name for axis in self.axes.values() if name in axis.values), None):
            self.refuse(f"there is no {shown}: put texts in quotes, as in {choice} == {shown!r}")
        known = [*ASKED, *self.axes]
        near = closest(name, known) or f"; there is {shortened(', '.join(known), 200)}"
        self.refuse(f"there is no quantity and no axis {named(name)}{near}")

    def _read_tuple(self, node: ast.Tuple) -> Read:
        plain = (ast.Constant, ast.UnaryOp, ast.Tuple, ast.Name)
        several = [self.value(each) for each in node.elts if isinstance(each, plain)]
        if len(several) < len(node.elts) or not all(isinstance(each, Value) for each in several):
            self.refuse("values with commas stand only after in, and numbers have none", node)
        return Value(tuple(each.value for each in several if isinstance(each, Value)))

    def _read_unaryop(self, node: ast.UnaryOp) -> Read:
        if isinstance(node.op, ast.Not):
            return negated(self.truth(node.operand))
        if isinstance(node.op, ast.Invert):
            self.refuse(f"~ is no part of {self.kind}: write not")
        number = self.number(node.operand)
        if isinstance(node.op, ast.UAdd):
            return number
        return self._combined(node, "-", Value(Fraction(0)), number)

    def _read_boolop(self, node: ast.BoolOp) -> Read:
        parts = [self.truth(each) for each in node.values]
        return all_of(parts) if isinstance(node.op, ast.And) else any_of(parts)

    def _read_binop(self, node: ast.BinOp) -> Read:
        sign = SIGNS.get(type(node.op))
        if sign is None:
            self.refuse(f"{what(node.op)} is no part of {self.kind}", node)
        left, right = self.number(node.left), self.number(node.right)
        if sign in ("//", "%", "**") and not (isinstance(left, Axial) and isinstance(right, Axial)):
            self.refuse(f"{sign} is for axes and numbers; {SUMS}", node)
        if sign == "**":
            self._refuse_power(node, right)
        return self._combined(node, sign, left, right)

    def _refuse_power(self, node: ast.BinOp, power: Quantity) -> None:
        number = power.value if isinstance(power, Value) else None
        if not isinstance(number, Fraction) or number.denominator > 1 or not 0 <= number <= MOST_POWER:
            self.refuse(f"an exponent must be a whole number from 0 to {MOST_POWER}", node)

    def _combined(self, node: ast.expr, sign: str, left: Quantity, right: Quantity) -> Quantity:
        if isinstance(right, Value) and right.value == 0 and sign in ("/", "//", "%"):
            self.refuse("a division by zero", node)
        if isinstance(left, Axial) and isinstance(right, Axial):
            if sign == "**" and isinstance(right, Value) and isinstance(right.value, Fraction):
                bits = left.bits * int(right.value)
            else:
                bits = left.bits + right.bits
            if bits > MOST_BITS:
                self.refuse("its numbers are too large", node)
            return arithmetic(sign, left, right)
        try:
            return combined(sign, left, right)
        except NotLinearError:
            return self.refuse(SUMS, node)

    def _read_compare(self, node: ast.Compare) -> Read:
        found, left = [], node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn):
                found.append(self._membership(node, left, right, isinstance(operator, ast.In)))
            elif sign := SIGNS.get(type(operator)):
                found.append(self._comparison(node, sign, left, right))
            else:
                self.refuse(f"'is' is no part of {self.kind}, write == or !=", node)
            left = right
        return all_of(found)

    def _comparison(self, node: ast.expr, sign: str, left: ast.expr, right: ast.expr) -> Formula:
        decide = self.number if sign in ORDERS else self.value
        one, other = decide(left), decide(right)
        self._refuse_unlike(node, one, other)
        try:
            return compared(sign, one, other)
        except NotLinearError:
            return self.refuse(f"{SUMS}, or one such sum divided by another", node)

    def _refuse_unlike(self, node: ast.expr, one: Quantity, other: Quantity) -> None:
        """Refuse what can never be equal: values of different kinds, where neither is None."""
        left, right = (
            each.kinds if isinstance(each, Axial) else frozenset([NUMBER]) for each in (one, other)
        )
        if left & right or (NONE in left | right and isinstance(one, Axial) and isinstance(other, Axial)):
            return
        self.refuse(f"{in_words(one)} and {in_words(other)} are not comparable", node)

    def _membership(self, node: ast.expr, left: ast.expr, right: ast.expr, wanted: bool) -> Formula:
        if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
            self.refuse("after in come values in parentheses, as in n in (3, 5)", node)
        value, several = self.value(left), [self.value(each) for each in right.elts]
        for each in several:
            self._refuse_unlike(node, value, each)
        if isinstance(value, Axial) and all(isinstance(each, Axial) for each in several):
            return Truth(
                Membership(value, tuple(each for each in several if isinstance(each, Axial)), wanted)
            )
        sign = "==" if wanted else "!="
        try:
            parts = [compared(sign, value, each) for each in several]
        except NotLinearError:
            return self.refuse(SUMS, node)
        return any_of(parts) if wanted else all_of(parts)
