"""A tensor of a graph as far as it is known without running: its sizes, its type, and small values."""

import re
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from onnx import SparseTensorProto, TensorProto, TypeProto, helper, numpy_helper

from costlab.errors import TargetError

SMALL = 2**12
"""Elements up to which values are read and computed: shapes and indices, not weights."""
FEW = 2**6
"""Elements up to which values of floating point are computed: the factors of a resize, a slope."""

WHOLE = frozenset([TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL, TensorProto.STRING])
"""Types of sizes, places and choices, which are not learned; weights are quantized to fewer bits."""


class Origin(NamedTuple):
    """A tensor that the file holds, by the name that it has there.

    ``by_node`` says that a node holds it, a constant, and that it is no initializer; ``repeated`` that a node
    repeats one value; ``uniform`` that what is written down of it is the same throughout; ``whole`` that it
    holds whole numbers to count with, places and sizes, and not those that weights are quantized to.
    """

    name: str
    elements: int
    by_node: bool = False
    uniform: bool = False
    whole: bool = False
    repeated: bool = False


class GraphTensor(NamedTuple):
    """A tensor of a graph: ``sizes`` are None where its rank is unknown, and so is each that is.

    ``values`` are its elements where they are known: of constants, of shapes and of what is computed from
    them. ``origins`` are the tensors of the file that its elements come from where no data go in, as they
    are, moved or computed; none for what comes from data. ``made_by`` are the turns of the operations that it
    comes from, -1 what goes in. ``kind`` is the type of what is no tensor, but a sequence or the like, and
    ``items`` the tensors of a sequence where they are known.
    """

    sizes: tuple[int | None, ...] | None = None
    element_type: int = TensorProto.UNDEFINED
    values: np.ndarray[Any, Any] | None = None
    origins: tuple[Origin, ...] = ()
    made_by: tuple[int, ...] = ()
    kind: TypeProto | None = None
    items: "tuple[GraphTensor, ...] | None" = None

    @property
    def held(self) -> bool:
        """Whether the file holds its elements."""
        return bool(self.origins)

    @property
    def is_sized(self) -> bool:
        """Whether all its sizes are known."""
        return self.sizes is not None and None not in self.sizes

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes.

        Raises:
            UnsizedError: they are not all known.
        """
        if self.sizes is None or None in self.sizes:
            raise UnsizedError
        return tuple(size for size in self.sizes if size is not None)

    @property
    def elements(self) -> int:
        """How many elements it has, or the items of a sequence have. Raises as `shape` does."""
        return prod(self.shape) if self.items is None else sum(each.elements for each in self.items)

    @property
    def stands_in(self) -> bool:
        """Whether all is 1 or 0, as exporters write it where nothing is learned: a scale, or a shift."""
        if len(self.origins) != 1 or self.values is None:
            return False
        (origin,) = self.origins
        made_up = origin.by_node or re.fullmatch(r"val_\d+", origin.name) is not None
        return made_up and origin.uniform and self.values.flat[0] in (0, 1)

    @property
    def is_floating_point(self) -> bool:
        """Whether its elements are floating-point numbers of any width."""
        return self.element_type in FLOATING

    def as_type(self) -> TypeProto | None:
        """Itself as onnx's inference takes it; None where not even its type is known."""
        if self.kind is not None:
            return self.kind
        if self.element_type == TensorProto.UNDEFINED:
            return None
        return helper.make_tensor_type_proto(self.element_type, self.sizes)


class UnsizedError(TargetError):
    """What a rule needs the sizes of has none that are known."""

    def __init__(self) -> None:
        super().__init__("its sizes are not known")


FLOATING = frozenset(
    number
    for name, number in TensorProto.DataType.items()
    if name.startswith("FLOAT") or name in ("DOUBLE", "BFLOAT16")
)


def tensor_of_type(kind: TypeProto) -> GraphTensor:
    """What is known of a tensor by its type; of sequences, maps and the like the type alone."""
    if kind.HasField("optional_type") and kind.optional_type.elem_type.HasField("tensor_type"):
        return tensor_of_type(kind.optional_type.elem_type)._replace(kind=kind)
    if not kind.HasField("tensor_type"):
        return GraphTensor(kind=kind if kind.WhichOneof("value") else None)
    tensor = kind.tensor_type
    if not tensor.HasField("shape"):
        return GraphTensor(None, tensor.elem_type)
    sizes = (dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim)
    known = (None if size is None or size < 0 else size for size in sizes)  # some write -1 where it is open
    return GraphTensor(tuple(known), tensor.elem_type)


def held_tensor(tensor: TensorProto, name: str, by_node: bool = False) -> GraphTensor:
    """An initializer or a constant; what lies in another file has sizes and no values."""
    sizes = tuple(tensor.dims)
    elsewhere = tensor.data_location == TensorProto.EXTERNAL
    values = None if elsewhere or prod(sizes) > SMALL else _values(tensor)
    return _held(name, sizes, tensor.data_type, values, by_node)


def held_sparse(tensor: SparseTensorProto, name: str, by_node: bool = False) -> GraphTensor:
    """An initializer or a constant that holds only what is not zero: its sizes are those of all."""
    return _held(name, tuple(tensor.dims), tensor.values.data_type, None, by_node)


def held_array(array: np.ndarray[Any, Any], name: str) -> GraphTensor:
    """A constant that a node holds as numbers or words."""
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    return _held(name, array.shape, kind, array, by_node=True)


def _held(
    name: str,
    sizes: tuple[int, ...],
    element_type: int,
    values: np.ndarray[Any, Any] | None,
    by_node: bool,
) -> GraphTensor:
    uniform = values is not None and values.size > 0 and bool((values == values.flat[0]).all())
    origin = Origin(name, prod(sizes), by_node, uniform, element_type in WHOLE)
    return GraphTensor(sizes, element_type, values, (origin,))


def tensor_of_array(array: np.ndarray[Any, Any], origins: tuple[Origin, ...] = ()) -> GraphTensor:
    """A tensor whose elements are computed; they are kept where they are few."""
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    return GraphTensor(array.shape, kind, array if array.size <= most_known(kind) else None, origins)


def most_known(element_type: int) -> int:
    """The elements up to which values of a type are kept."""
    return FEW if element_type in FLOATING else SMALL


def _values(tensor: TensorProto) -> np.ndarray[Any, Any] | None:
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError):  # it is damaged, or of a type that numpy has not: its sizes are known
        return None


def origins_of(
    operator: str, output: str, made: GraphTensor, given: Sequence[GraphTensor]
) -> tuple[Origin, ...]:
    """The tensors of the file that what a node makes comes from; none where data go in.

    Of several inputs those of the same type count: a weight, and not the sizes that it is given.
    """
    given = given[:1] if operator == "CastLike" else given  # what it is like gives its type alone
    if not any(each.held for each in given) or any(not each.held and each.values is None for each in given):
        return ()
    if operator == "ConstantOfShape" and made.is_sized:
        return (Origin(output, made.elements, whole=made.element_type in WHOLE, repeated=True),)
    first = given[0].origins
    if operator == "Identity" and len(first) == 1 and first[0].uniform and not first[0].by_node:
        return (first[0]._replace(name=output),)  # an exporter keeps equal tensors once
    alike = [each for each in given if each.element_type == made.element_type]
    if operator in ("DequantizeLinear", "QuantizeLinear") and first:
        return first
    found = _all_origins(alike) or _all_origins(given)
    return tuple(each for each in found if not each.whole) or found


def _all_origins(tensors: Iterable[GraphTensor]) -> tuple[Origin, ...]:
    return tuple(dict.fromkeys(origin for each in tensors for origin in each.origins))
