"""What an exported program is called with: the sizes that it was exported for, some of them left open."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, NamedTuple

import sympy
import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind
from torch.utils import _pytree as pytree

from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.shape import Sizes
from costlab.errors import DefinitionError
from costlab.messages import named, shortened
from costlab.tracing.exported_conditions import holds, is_arithmetic

SIZE = re.compile(r"(L\[[^\s()*+/%,<>=]*\])\.size\(\)\[(\d+)\]")
"""How a condition that torch.export found while it ran writes a size of an input."""


class Leaf(NamedTuple):
    """One value that a program takes: its sizes and type if it is a tensor, else what it has to be."""

    name: str
    sizes: tuple[Any, ...] | None
    dtype: torch.dtype | None
    value: Any

    def told(self, letters: Mapping[Any, Any]) -> str:
        """The value as it is typed, with letters for the sizes that are open."""
        if self.sizes is None:
            return f"{self.name}={named(self.value)}"
        sizes = [_at(each, letters) for each in self.sizes]
        shown = "x".join(f"({each})" if re.search(r"\W", str(each)) else str(each) for each in sizes)
        kind = "" if self.dtype is torch.float32 else f":{str(self.dtype).removeprefix('torch.')}"
        return f"{self.name}:{shown or 'scalar'}{kind}"


@dataclass(frozen=True)
class ProgramInputs:
    """What a program takes, in order; ``args`` names what comes in order, ``kwargs`` what comes by name."""

    title: str
    leaves: tuple[Leaf, ...]
    structure: pytree.TreeSpec
    args: tuple[str, ...]
    kwargs: tuple[str, ...]
    examples: tuple[Any, Mapping[str, Any]] | None
    ranges: Mapping[Any, tuple[Any, Any]]
    conditions: tuple[str, ...]

    def __str__(self) -> str:
        tensors = " ".join(leaf.told(self._letters) for leaf in self.leaves if leaf.sizes is not None)
        ranges = [
            _range(each, *self.ranges.get(symbol, (0, sympy.oo))) for symbol, each in self._letters.items()
        ]
        return ", ".join([tensors or "nothing", *ranges])

    @property
    def _letters(self) -> dict[Any, Any]:
        """What the sizes that are open are called: torch numbers them, and loses their names."""
        found = dict.fromkeys(symbol for leaf in self.leaves for symbol in _symbols(leaf.sizes or ()))
        return {symbol: sympy.Symbol(letter) for symbol, letter in zip(found, ascii_uppercase, strict=False)}

    def at_batch(self, batch: int) -> Inputs:
        """The inputs that the program was exported with, at another batch.

        Raises:
            DefinitionError: it was exported for one batch, or does not say what with.
        """
        first = next((leaf.sizes[0] for leaf in self.leaves if leaf.sizes), None)
        if not isinstance(first, sympy.Symbol) or self.examples is None:
            raise self._unfitting(f"batch={batch}")
        values = pytree.tree_leaves(self.examples)
        bound = {
            wanted: size
            for leaf, value in zip(self.leaves, values, strict=True)
            for wanted, size in zip(leaf.sizes or (), getattr(value, "shape", ()), strict=True)
            if isinstance(wanted, sympy.Symbol)
        } | {first: batch}
        made = [_made(leaf, value, bound) for leaf, value in zip(self.leaves, values, strict=True)]
        args, kwargs = pytree.tree_unflatten(made, self.structure)
        return Inputs(args, kwargs)

    def bound(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """The values for a call, in the order of the `leaves`.

        Raises:
            DefinitionError: they are others than the program takes.
        """
        given = dict(zip((*self.args, *self.kwargs), args, strict=False))
        if len(given) < len(args):
            raise self._unfitting(f"{len(args)} inputs")
        for name in kwargs:
            if name in given or name not in (*self.args, *self.kwargs):
                raise self._unfitting(f"{name} twice" if name in given else name)
        given |= kwargs
        if self.examples is not None:
            held = {**dict(zip(self.args, self.examples[0], strict=True)), **self.examples[1]}
            given |= {
                name: each
                for name, each in held.items()
                if name not in given and not isinstance(each, Tensor)
            }
        if missing := [name for name in (*self.args, *self.kwargs) if name not in given]:
            raise self._unfitting(f"no {', '.join(missing)}")
        ordered = tuple(given[name] for name in self.args), {name: given[name] for name in self.kwargs}
        values, structure = pytree.tree_flatten(ordered)
        if structure != self.structure:
            raise self._unfitting("values of another structure")
        self._refuse_others(values)
        return values

    def _unfitting(self, given: str) -> DefinitionError:
        return DefinitionError(f"{self.title} was exported for {self}; given {given}")

    def _refuse_others(self, values: Sequence[Any]) -> None:
        """Refuse values, types and sizes that the program was not exported for."""
        bound: dict[Any, int] = {}
        derived: list[tuple[Leaf, Any, Any, int]] = []
        for leaf, value in zip(self.leaves, values, strict=True):
            if leaf.sizes is None:
                self._bind(leaf, value, leaf.value, value, bound, derived)
                continue
            if not isinstance(value, Tensor):
                raise self._unfitting(f"{leaf.name}={named(value)}")
            if value.dtype != leaf.dtype or value.dim() != len(leaf.sizes):
                raise self._other(leaf, value)
            for wanted, size in zip(leaf.sizes, value.shape, strict=True):
                self._bind(leaf, value, wanted, size, bound, derived)
        for leaf, value, wanted, size in derived:
            if not _solved(wanted, size, bound):
                raise self._other(leaf, value)
        for symbol, size in bound.items():
            least, most = self.ranges.get(symbol, (0, sympy.oo))
            if not least <= size <= most:
                raise self._unfitting(f"{self._letters.get(symbol, symbol)}={size}")
        self._refuse_conditions(values)

    def _bind(
        self, leaf: Leaf, value: Any, wanted: Any, size: Any, bound: dict[Any, int], derived: list[Any]
    ) -> None:
        """Hold a size, or a value that is no tensor, to what it has to be."""
        if isinstance(wanted, sympy.Symbol):
            if bound.setdefault(wanted, size) != size:
                raise self._other(leaf, value)
        elif isinstance(wanted, sympy.Expr):
            derived.append((leaf, value, wanted, size))
        elif wanted != size:
            raise self._other(leaf, value)

    def _other(self, leaf: Leaf, value: Any) -> DefinitionError:
        if isinstance(value, Tensor):
            given = leaf._replace(sizes=tuple(value.shape), dtype=value.dtype).told({})
        else:
            given = f"{leaf.name}={named(value)}"
        return self._unfitting(given)

    def _refuse_conditions(self, values: Sequence[Any]) -> None:
        """Refuse sizes for which the program would have been another."""
        places = _written(self)
        for condition in self.conditions:

            def size(found: re.Match[str]) -> str:
                place = places.get(found[1])
                tensor = None if place is None else values[place]
                return str(tensor.shape[int(found[2])]) if isinstance(tensor, Tensor) else "?"

            plain = SIZE.sub(size, condition)
            if not is_arithmetic(plain):
                continue  # about values, or of a form that torch writes for itself
            if not holds(plain, self.title):
                wanted = SIZE.sub(r"\1.shape[\2]", condition)
                for written, place in places.items():
                    wanted = wanted.replace(f"{written}.", f"{self.leaves[place].name}.")
                raise DefinitionError(
                    f"{self.title} was exported for sizes with {shortened(wanted, 100)}: these are others"
                )


def _at(size: Any, values: Mapping[Any, Any]) -> Any:
    return size.subs(values) if isinstance(size, sympy.Expr) else size


def _made(leaf: Leaf, value: Any, bound: Mapping[Any, int]) -> Any:
    """A tensor by its sizes, where those that are open are known; another value as it is."""
    if leaf.sizes is None:
        return value
    return TensorInput(
        Sizes(*(int(_at(each, bound)) for each in leaf.sizes)), str(leaf.dtype).removeprefix("torch.")
    )


def _solved(wanted: Any, size: int, bound: dict[Any, int]) -> bool:
    """Whether an expression can be of that size; what is open in it then is what it has to be."""
    left = wanted.subs(bound)
    free = list(left.free_symbols)
    if len(free) == 1:
        found = [each for each in sympy.solve(left - size, free[0]) if each.is_integer]
        if found:
            bound[free[0]] = int(found[0])
        return bool(found)
    return bool(left == size)


def _symbols(sizes: Iterable[Any]) -> list[Any]:
    expressions = (size for size in sizes if isinstance(size, sympy.Expr))
    return [symbol for each in expressions for symbol in sorted(each.free_symbols, key=str)]


def _range(symbol: Any, least: Any, most: Any) -> str:
    return f"{symbol} from {least}" + (f" to {most}" if int(least) < most < 2**62 else "")


def _written(inputs: ProgramInputs) -> dict[str, int]:
    """How conditions write each input, by its place among the leaves."""
    numbers = pytree.tree_unflatten(list(range(len(inputs.leaves))), inputs.structure)
    args, kwargs = numbers
    places = {f"L['flat_args'][{place}]": place for place in range(len(inputs.leaves))}
    for name, value in (*zip(inputs.args, args, strict=True), *kwargs.items()):
        for path, place in pytree.tree_leaves_with_path(value):
            places[f"L['{name}']{pytree.keystr(path)}"] = place
    return places


def inputs_of(program: ExportedProgram, title: str) -> ProgramInputs:
    """What a program takes, by its signature."""
    nodes = [node for node in program.graph.nodes if node.op == "placeholder"]
    specs = program.graph_signature.input_specs
    leaves = tuple(
        _leaf(node.name, node.meta.get("val"))
        for node, spec in zip(nodes, specs, strict=True)
        if spec.kind is InputKind.USER_INPUT
    )
    structure = program.call_spec.in_spec
    in_order, by_name = structure.children()
    names = _names(program, in_order.num_children)
    ranges = {symbol: (each.lower, each.upper) for symbol, each in program.range_constraints.items()}
    return ProgramInputs(
        title,
        leaves,
        structure,
        names,
        tuple(by_name.context),
        program.example_inputs,
        ranges,
        tuple(program._guards_code),
    )


def _names(program: ExportedProgram, number: int) -> tuple[str, ...]:
    """The names of what comes in order, as the model's forward has them where the program tells."""
    signature = next((entry.signature for entry in program.module_call_graph if not entry.fqn), None)
    names = list(getattr(signature, "forward_arg_names", None) or ())[:number]
    return tuple(names) if len(names) == number else tuple(f"input{place}" for place in range(number))


def _leaf(name: str, value: Any) -> Leaf:
    if isinstance(value, Tensor):
        return Leaf(name, tuple(_size(each) for each in value.shape), value.dtype, None)
    return Leaf(name, None, None, _size(value))


def _size(value: Any) -> Any:
    """A size as a number, or as an expression of those that are open."""
    if isinstance(value, torch.SymInt):
        expression = value.node.expr
        return int(expression) if expression.is_Integer else expression
    return value
