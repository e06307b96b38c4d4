"""Blocks as expressions of Python, with names for what is repeated."""

import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, fields, replace
from itertools import count
from keyword import iskeyword
from typing import Any

from costlab.advise.factorize.rewrite.classes import CLASSES
from costlab.advise.factorize.rewrite.layout import Expression, Group, call, quoted, several
from costlab.algebra.block import Block, Operation
from costlab.algebra.combine import Add, Auxiliary, Composite, Concat, Sequence
from costlab.algebra.dim import is_number
from costlab.errors import DefinitionError
from costlab.messages import named

COMBINATORS: Mapping[type[Block], str] = {
    Sequence: "seq",
    Concat: "concat",
    Add: "add",
    Auxiliary: "auxiliary",
}
RESERVED = {*COMBINATORS.values(), CLASSES, "block", "arm", "experiment", "Block", "Dim", "Experiment"}
"""Names that mean something in the file."""
WORTH_A_NAME = 100
"""From so many characters on, what is repeated, or made by a definition, gets a name."""


class Blocks:
    """Writes blocks, and keeps what has to be imported: names with the modules that they are in.

    ``classes`` are the paths and fields that are the number of classes.
    """

    def __init__(self, classes: set[tuple[str, str]]) -> None:
        self.imports: set[tuple[str, str]] = set()
        self.first_paths: dict[Expression, str] = {}
        self.units: set[Expression] = set()
        self._classes = classes

    def expression(self, block: Block, path: str = "") -> Expression:
        """The code that makes a block.

        Raises:
            DefinitionError: it is a block, or has a value, that a file cannot name.
        """
        if isinstance(block, Operation):
            return self._operation(block, path)
        if not isinstance(block, Composite) or type(block) not in COMBINATORS:
            raise _unwritable(path, type(block))
        children = [
            (name, self.expression(child, f"{path}.{name}" if path else name))
            for name, child in block.children
        ]
        made = self._combined(type(block), children)
        self.first_paths.setdefault(made, path)
        if block.origin and path:
            self.units.add(made)
        return made

    def with_names(self, whole: Expression) -> tuple[dict[str, Expression], Expression]:
        """The parts of an expression that get names, and the expression with these.

        They are what is repeated, and what a definition made, named by where it is first.
        """
        counted: Counter[Expression] = Counter()

        def tally(each: Expression) -> None:
            counted[each] += 1
            if isinstance(each, Group) and counted[each] == 1:
                for _, part in each.parts:
                    tally(part)

        tally(whole)
        names: dict[Expression, str] = {}
        parts: dict[str, Expression] = {}
        reserved = {*RESERVED, *(name for _, name in self.imports)}

        def named_within(each: Expression) -> Expression:
            if isinstance(each, str) or each in names:
                return names.get(each, each)
            made = replace(each, parts=tuple((lead, named_within(part)) for lead, part in each.parts))
            is_one = each in self.units or (counted[each] > 1 and each in self.first_paths)
            if not is_one or len(str(each)) <= WORTH_A_NAME:
                return made
            name = next(_names(self.first_paths[each], {*parts, *reserved}))
            names[each], parts[name] = name, made
            return name

        return parts, named_within(whole)

    def _combined(self, kind: type[Block], children: list[tuple[str, Expression]]) -> Group:
        numbered = 0
        while numbered < len(children) and children[numbered][0] == str(numbered):
            numbered += 1
        rest = children[numbered:]
        if all(name.isidentifier() and not iskeyword(name) for name, _ in rest):
            self.imports.add(("costlab", COMBINATORS[kind]))
            return call(COMBINATORS[kind], *(made for _, made in children[:numbered]), **dict(rest))
        self.imports.add(("costlab", kind.__name__))
        return call(kind.__name__, several(*(several(quoted(name), made) for name, made in children)))

    def _operation(self, operation: Operation, path: str) -> Expression:
        kind = type(operation)
        self.imports.add((_home(kind, path), kind.__name__))
        positional: list[str] = []
        given: dict[str, str] = {}
        for field in fields(operation):
            value = getattr(operation, field.name)
            if (path, field.name) in self._classes:
                self.imports.add(("costlab", "Dim"))
                written = CLASSES
            elif field.default is not MISSING and _same(operation, field.name, field.default):
                continue
            else:
                written = _value(_shortest(operation, field.name, value), path, field.name)
            if field.default is MISSING and not given:
                positional.append(written)
            else:
                given[field.name] = written
        return call(kind.__name__, *positional, **given)


def _home(kind: type[Operation], path: str) -> str:
    """The module from which an operation is imported."""
    if kind.__module__.startswith("costlab.algebra."):
        return "costlab"
    if kind.__module__.startswith(("__main__", "costlab_target_")) or "." in kind.__qualname__:
        raise _unwritable(path, kind)
    if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is not kind:
        raise _unwritable(path, kind)
    return str(kind.__module__)


def _unwritable(path: str, kind: type) -> DefinitionError:
    return DefinitionError(
        f"{path or 'the root'}: no file can import {kind.__name__}: put it into a module that can be imported"
    )


def _same(operation: Operation, name: str, value: Any) -> bool:
    """Whether an operation is the same with another value of a field."""
    try:
        return replace(operation, **{name: value}) == operation
    except DefinitionError:
        return False


def _shortest(operation: Operation, name: str, value: Any) -> Any:
    """One number for a pair of equal ones, where that means the same."""
    if isinstance(value, tuple) and len(set(value)) == 1 and _same(operation, name, value[0]):
        return value[0]
    return value


def _value(value: Any, path: str, name: str) -> str:
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, tuple):
        return str(several(*(_value(each, path, name) for each in value)))
    if isinstance(value, float):
        return repr(float(value))
    if is_number(value):
        return repr(int(value))
    raise DefinitionError(
        f"{path or 'the root'}: {name}={named(value)} cannot be written: give plain numbers"
    )


def _names(path: str, taken: Collection[str]) -> Iterator[str]:
    """Names for what is at a path: that of the path, and others where it is taken."""
    name = re.sub(r"\W", "_", path)
    if name.isidentifier() and not iskeyword(name) and name not in taken:
        yield name
    yield from (other for number in count(2) if (other := f"part_{name}_{number}") not in taken)
