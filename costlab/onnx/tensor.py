"""A tensor of a graph as far as it is known without running: its sizes, its type, and small values."""

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from onnx import TensorProto, TypeProto, helper, numpy_helper

from costlab.errors import TargetError

SMALL = 2**12
"""Elements up to which values are read and computed: shapes and indices, not weights."""


class Origin(NamedTuple):
    """A tensor that the file holds, by the name that it has there.

    ``by_node`` says that a node makes it, a constant or one value repeated, and that it is no initializer;
    ``uniform`` that all its elements are known to be the same.
    """

    name: str
    elements: int
    by_node: bool = False
    uniform: bool = False


class GraphTensor(NamedTuple):
    """A tensor of a graph: ``sizes`` are None where its rank is unknown, and so is each that is.

    ``values`` are its elements where they are known: of constants, of shapes and of what is computed from
    them. ``origins`` are the tensors of the file that its elements come from where no data go in, as they
    are, moved or computed; none for what comes from data.
    """

    sizes: tuple[int | None, ...] | None = None
    element_type: int = TensorProto.UNDEFINED
    values: np.ndarray[Any, Any] | None = None
    origins: tuple[Origin, ...] = ()

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
        """How many elements it has. Raises as `shape` does."""
        return prod(self.shape)

    @property
    def is_floating_point(self) -> bool:
        """Whether its elements are floating-point numbers of any width."""
        return self.element_type in FLOATING

    def as_type(self) -> TypeProto:
        """Itself as onnx's inference takes it."""
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
    """What is known of a tensor by its type; of sequences, maps and the like nothing."""
    if not kind.HasField("tensor_type"):
        return GraphTensor()
    tensor = kind.tensor_type
    if not tensor.HasField("shape"):
        return GraphTensor(None, tensor.elem_type)
    sizes = (dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim)
    return GraphTensor(tuple(sizes), tensor.elem_type)


def held_tensor(tensor: TensorProto, name: str, by_node: bool = False) -> GraphTensor:
    """An initializer or a constant; what lies in another file has sizes and no values."""
    sizes = tuple(tensor.dims)
    elsewhere = tensor.data_location == TensorProto.EXTERNAL
    known = not elsewhere and prod(sizes) <= SMALL
    values = numpy_helper.to_array(tensor) if known else None
    uniform = values is not None and values.size > 0 and bool((values == values.flat[0]).all())
    return GraphTensor(sizes, tensor.data_type, values, (Origin(name, prod(sizes), by_node, uniform),))


def origins_of(
    operator: str, output: str, made: GraphTensor, given: Sequence[GraphTensor]
) -> tuple[Origin, ...]:
    """The tensors of the file that what a node makes comes from; none where data go in.

    Of several inputs those of the same type count: a weight, and not the sizes that it is given.
    """
    if not any(each.held for each in given) or any(not each.held and each.values is None for each in given):
        return ()
    if operator == "ConstantOfShape" and made.is_sized:
        return (Origin(output, made.elements, by_node=True, uniform=True),)
    first = given[0].origins
    if operator == "Identity" and len(first) == 1 and first[0].uniform and not first[0].by_node:
        return (first[0]._replace(name=output),)  # an exporter keeps equal tensors once
    alike = [each for each in given if each.element_type == made.element_type]
    if operator == "DequantizeLinear" and first:
        return first
    return _all_origins(alike) or _all_origins(given)


def _all_origins(tensors: Iterable[GraphTensor]) -> tuple[Origin, ...]:
    return tuple(dict.fromkeys(origin for each in tensors for origin in each.origins))
