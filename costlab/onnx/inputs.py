"""What goes into a graph: what its file says of it, and what is given, held against that."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import GraphProto, TensorProto, TypeProto, ValueInfoProto, helper

from costlab.algebra.inputs import FLOAT, Inputs, TensorInput
from costlab.algebra.parameter import closest
from costlab.algebra.shape import Sizes
from costlab.errors import DefinitionError, TargetError
from costlab.messages import named
from costlab.onnx.tensor import GraphTensor, tensor_of_array, tensor_of_type

NO_BATCH = re.compile(r"(?i)seq|len|time|frame|token|height|width|length|channel|feature|^[thwcs]$")
"""Names of sizes that are no batch, which stands first."""
IMAGE, LENGTH = 224, 128
"""Sizes that stand for those that are open where one is shown how to give them."""
Size = int | str | None
"""A size as a file says it: a number, a name, or nothing."""


class GraphInput(NamedTuple):
    """An input of a graph: ``sizes`` are None where not even its rank is known."""

    name: str
    sizes: tuple[Size, ...] | None
    tensor: GraphTensor

    def __str__(self) -> str:
        sizes = [_shown(each) for each in self.sizes or ()]
        between = " x " if any(each.isidentifier() for each in sizes) else "x"
        known = "of any rank" if self.sizes is None else between.join(sizes) or "scalar"
        return f"{self.name}: {known}{_typed(self.dtype)}"

    @property
    def dtype(self) -> str:
        """The name of its type, as torch and numpy have it; empty of what is no tensor."""
        return type_name(self.tensor.element_type)

    @property
    def is_tensor(self) -> bool:
        """Whether it is a tensor; sequences, maps and the like have no sizes that could be given."""
        return self.tensor.kind is None

    def at(self, sizes: Mapping[str, int]) -> tuple[int | None, ...] | None:
        """Its sizes, where the named ones are these."""
        if self.sizes is None:
            return None
        return tuple(sizes.get(each) if isinstance(each, str) else each for each in self.sizes)

    def _is_batch(self, place: int) -> bool:
        name = self.sizes[place] if self.sizes else None
        return "batch" in name if isinstance(name, str) and place else place == 0

    @property
    def example(self) -> str:
        """How it is given."""
        sizes = self.sizes if self.sizes is not None else (None, 3, None, None)
        likely = str(IMAGE if len(sizes) == 4 else LENGTH)
        guessed = (
            str(each) if isinstance(each, int) else "1" if self._is_batch(place) else likely
            for place, each in enumerate(sizes)
        )
        return f"{self.name}:{'x'.join(guessed) or 'scalar'}{_typed(self.dtype)}"


def type_name(element_type: int) -> str:
    """The name of a type of elements, as torch has it."""
    if element_type == TensorProto.STRING:
        return "string"
    if element_type == TensorProto.UNDEFINED:
        return ""
    return helper.tensor_dtype_to_np_dtype(element_type).name


def _typed(dtype: str) -> str:
    return "" if dtype in ("", FLOAT) else f":{dtype}"


def _shown(size: Size) -> str:
    """A size, the name of one where it says something, or that it is open."""
    return str(size) if isinstance(size, int) or (size is not None and size.isidentifier()) else "?"


def inputs_of(graph: GraphProto) -> tuple[GraphInput, ...]:
    """What goes in, but for what the file holds itself."""
    held = {each.name for each in graph.initializer} | {each.values.name for each in graph.sparse_initializer}
    return tuple(_input(each) for each in graph.input if each.name not in held)


def _input(value: ValueInfoProto) -> GraphInput:
    kind = value.type
    tensor = tensor_of_type(kind)
    if tensor.element_type not in TensorProto.DataType.values():
        told = f"its input {named(value.name)} holds elements of type {tensor.element_type}"
        raise TargetError(f"{told}, which onnx does not know")
    return GraphInput(value.name, sizes_of(kind), tensor)


def sizes_of(kind: TypeProto) -> tuple[Size, ...] | None:
    """The sizes of a tensor as a file says them, with the names of those that are open."""
    if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    return tuple(
        each.dim_value
        if each.HasField("dim_value") and each.dim_value > 0  # some write 0 or -1 where it is open
        else each.dim_param
        if re.search(r"\w", each.dim_param) and not re.fullmatch(r"(?i)none|unk\w*|-?\d+", each.dim_param)
        else None
        for each in kind.tensor_type.shape.dim
    )


def default_sizes(wanted: Sequence[GraphInput], batch: int = 1) -> Inputs | None:
    """The input where the file leaves no size open, or the batch alone, which stands first."""
    firsts = {each.sizes[0] for each in wanted if each.sizes and not isinstance(each.sizes[0], int)}
    named_batch = {each for each in firsts if isinstance(each, str)}
    if len(named_batch) > 1 or any(NO_BATCH.search(each) for each in named_batch):
        return None
    known = dict.fromkeys(named_batch, batch)
    tensors: dict[str, TensorInput] = {}
    for each in wanted:
        if not each.is_tensor:
            continue
        sizes = each.at(known)
        if sizes is not None and each.sizes and each.sizes[0] is None:
            sizes = (batch, *sizes[1:])
        if sizes is None or None in sizes:
            return None
        tensors[each.name] = TensorInput(Sizes(*sizes), each.dtype)
    return as_given(tensors, batched=bool(firsts))


def as_given(tensors: Mapping[str, Any], *, batched: bool = False) -> Inputs:
    """Inputs by their names; the only one without it."""
    if len(tensors) == 1:
        return Inputs(tuple(tensors.values()), batched=batched)
    return Inputs((), tensors, batched=batched)


def asked(wanted: Sequence[GraphInput]) -> str:
    """What is said where the sizes of the inputs are not known: which are open, and how to give them."""
    tensors = [each for each in wanted if each.is_tensor]
    shown = "; ".join(map(str, tensors))
    open_ones = [each for each in tensors if None in (each.at({}) or (None,))]
    examples = " ".join(f"--input {each.example}" for each in open_ones)
    return f"it takes {shown}; give {examples}"


class Bound(NamedTuple):
    """What goes into a graph, by name, and the sizes that the file has names for."""

    tensors: dict[str, GraphTensor]
    given: dict[str, Any]
    sizes: dict[str, int]


def bound(wanted: Sequence[GraphInput], given: Inputs) -> Bound:
    """What is given, for each input; what is not given has the sizes that follow from what is.

    Raises:
        DefinitionError: it does not fit, or is too little.
    """
    by_name = {each.name: each for each in wanted}
    values = _by_name(wanted, given)
    known: dict[str, int] = {}
    where: dict[str, str] = {}
    for name, value in values.items():
        _hold(by_name[name], value, known, where)
    tensors: dict[str, GraphTensor] = {}
    kept: dict[str, Any] = {}
    for each in wanted:
        value = values.get(each.name)
        if not each.is_tensor:
            tensors[each.name] = each.tensor
            continue
        sizes = each.at(known) if value is None else tuple(_sizes(value))
        if sizes is None or None in sizes:
            raise DefinitionError(f"{each.name} is not given, and {asked(wanted)}")
        tensors[each.name] = _tensor(each, value, sizes)
        is_plain = value is None or isinstance(value, TensorInput)
        kept[each.name] = TensorInput(Sizes(*sizes), each.dtype) if is_plain else value
    return Bound(tensors, kept, known)


def _by_name(wanted: Sequence[GraphInput], given: Inputs) -> dict[str, Any]:
    tensors = [each for each in wanted if each.is_tensor]
    takes = "; ".join(map(str, tensors)) or "nothing"
    if len(given.args) > len(tensors):
        raise DefinitionError(
            f"{len(given.args)} inputs are given, and the graph takes {len(tensors)} ({takes})"
        )
    values = {each.name: value for each, value in zip(tensors, given.args, strict=False)}
    names = [each.name for each in tensors]
    for name, value in given.kwargs.items():
        if name not in names:
            raise DefinitionError(
                f"there is no input {named(name)}{closest(name, names)}: the graph takes {takes}"
            )
        if name in values:
            raise DefinitionError(f"the input {name} is given twice, in its order and by name")
        values[name] = value
    return values


def _hold(wanted: GraphInput, value: Any, known: dict[str, int], where: dict[str, str]) -> None:
    """Hold what is given against what the file says of an input."""
    if not isinstance(value, TensorInput) and not (hasattr(value, "shape") and hasattr(value, "dtype")):
        raise DefinitionError(f"the input {wanted.name} must be sizes or a tensor, not {named(value)}")
    sizes, dtype = Sizes(*_sizes(value)), _dtype(value)
    is_assumed = isinstance(value, TensorInput) and dtype == FLOAT
    if wanted.dtype and dtype != wanted.dtype and not is_assumed:
        raise DefinitionError(f"the input {wanted.name} holds {wanted.dtype}, not {dtype}")
    if wanted.sizes is None:
        return
    if len(wanted.sizes) != len(sizes):
        raise DefinitionError(f"{sizes} does not fit the input {wanted}: it has {len(wanted.sizes)} sizes")
    for place, (size, fixed) in enumerate(zip(sizes, wanted.sizes, strict=True)):
        if isinstance(fixed, int) and size != fixed:
            raise DefinitionError(
                f"{sizes} does not fit the input {wanted}: the file fixes size {place + 1} at {fixed}"
            )
        if isinstance(fixed, str) and known.setdefault(fixed, size) != size:
            raise DefinitionError(
                f"{named(fixed)} is {known[fixed]} in the input {where[fixed]} and {size} in {wanted.name}: "
                "sizes of one name are one"
            )
        if isinstance(fixed, str):
            where.setdefault(fixed, wanted.name)


def _sizes(value: Any) -> Iterator[int]:
    yield from map(int, value.sizes if isinstance(value, TensorInput) else value.shape)


def _dtype(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")


def _tensor(wanted: GraphInput, value: Any, sizes: tuple[int | None, ...]) -> GraphTensor:
    """A tensor that goes in; of a few integers that are given with their values, with these."""
    tensor = GraphTensor(sizes, wanted.tensor.element_type, made_by=(-1,))
    if value is None or isinstance(value, TensorInput) or wanted.tensor.is_floating_point:
        return tensor
    array = tensor_of_array(np.asarray(value))
    return tensor._replace(values=array.values)
