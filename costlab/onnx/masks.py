"""Where the weights of a graph are not zero, and how wide they are: what the file alone determines."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import GraphProto, NodeProto, OperatorSetIdProto, TensorProto, numpy_helper
from onnx.checker import ValidationError

from costlab.onnx.reference import run_node
from costlab.onnx.tensor import GraphTensor

WIDTHS = {"FLOAT": 32, "DOUBLE": 64, "BOOL": 8}
"""The bits of types in whose names there is no number."""
MOVES = frozenset(["Concat", "Flatten", "Reshape", "Slice", "Squeeze", "Unsqueeze"])
"""Operators that only move elements, by which exporters make the weights of recurrent layers."""
COMPUTED = frozenset(["Cast", "DequantizeLinear", "Identity", "Mul", "Transpose"])
"""Others that are followed from a weight to where it is used."""
Array = np.ndarray[Any, Any]
LARGEST_OF_HALF = 65504
"""The largest number of float16: masks hold such, and lower ones, in place of minus infinity."""
LOOK = 2**12
"""Elements by which most weights are told from masks."""


class Held(NamedTuple):
    """A tensor of the file: where it is not zero, None if that is not known, and the bits of an element.

    ``name`` is the tensor that it is, or that it is made of, with as many ``elements``; ``of`` is one of the
    file that is in it.
    """

    name: str
    bits: int
    elements: int
    mask: Array | None = None
    of: str = ""


def bits_of(element_type: int) -> int:
    """How many bits wide an element of a type is."""
    name = TensorProto.DataType.Name(element_type)
    number = re.search(r"\d+", name)
    return int(number[0]) if number else WIDTHS.get(name, 32)


class FileTensors:
    """The tensors that a graph holds, and those that its nodes make of them alone.

    Those whose values lie in other files are looked for in a ``folder``, if there is one. ``opsets`` say
    which operators the nodes are, where what they make is wanted.
    """

    def __init__(
        self, graph: GraphProto, folder: str = "", opsets: Sequence[OperatorSetIdProto] = ()
    ) -> None:
        self._folder, self._opsets = folder, opsets
        self.held = {each.name: each for each in graph.initializer}
        self._made: dict[str, NodeProto] = {}
        for node in graph.node:
            self._made.update(dict.fromkeys(node.output, node))
            for attribute in node.attribute:
                if node.op_type == "Constant" and attribute.name == "value":
                    self.held[node.output[0]] = attribute.t

    def find(self, name: str) -> Held | None:
        """A tensor by its name; None for one that comes from data, or by other nodes than are followed."""
        tensor = self.held.get(name)
        if tensor is not None:
            values = self.values(name)
            return _held(name, tensor, None if values is None else _differs(values, 0))
        node = self._made.get(name)
        return None if node is None else self._by(node)

    def of_input(self, name: str, tensor: GraphTensor) -> Held | None:
        """What goes into a node, by its name in this graph; None for data.

        Of what is computed by nodes that are not followed, and in functions, whose names are their own, the
        width alone.
        """
        if not tensor.held or not tensor.is_sized:
            return None
        origins = [each.name for each in tensor.origins]
        found = self.find(name)
        if found is not None and found.of in origins:
            return found
        return Held(origins[0], bits_of(tensor.element_type), tensor.elements)

    def values(self, name: str) -> Array | None:
        """The values of a tensor of the file; None where there is none, or its values cannot be read."""
        tensor = self.held.get(name)
        if tensor is None:
            return None
        if tensor.data_location == TensorProto.EXTERNAL:
            if not self._folder:
                return None
            place, tensor = tensor, TensorProto()
            tensor.CopyFrom(place)  # since some versions of onnx write the values that they read into it
        try:
            return numpy_helper.to_array(tensor, self._folder)
        except (ValueError, TypeError):  # it is damaged, or of a type that numpy has not
            return None
        except (OSError, ValidationError):  # the other file is not there, or not in this folder
            return None

    def are_turned(self, one: str, other: str) -> bool:
        """Whether two matrices, ``(a, b)`` and ``(b, a)``, are one, turned; not of ones that begin alike.

        Those are all of one number, or symmetric, as an identity is.
        """
        a, b = self.values(one), self.values(other)
        if a is None or b is None or a.dtype != b.dtype or not (a[0] == b[:, 0]).all():
            return False
        alike = (a == a[0, 0]).all() or (a.shape == b.shape and (a == a.T).all())
        return bool((a == b.T).all() and not alike)

    def data_bits(self, name: str, element_type: int) -> int:
        """How wide data is: what is dequantized for an operation is meant to be multiplied as it was."""
        node = self._made.get(name)
        if node is None or node.op_type != "DequantizeLinear":
            return bits_of(element_type)
        zero = self.held.get(node.input[2]) if len(node.input) > 2 else None
        return 8 if zero is None else bits_of(zero.data_type)

    def is_not(self, name: str, zero: str, axis: int) -> Array | None:
        """Where integers are not their zero point, one for all or one for each place of an axis."""
        values = self.values(name)
        if values is None:
            return None
        point = self.values(zero) if zero else np.zeros((), values.dtype)
        if point is None or point.size not in (1, values.shape[axis] if values.ndim else 1):
            return None
        sizes = [1] * values.ndim
        if point.size > 1:
            sizes[axis] = point.size
        return _differs(values, point.reshape(sizes) if values.ndim else point.reshape(()))

    def _by(self, node: NodeProto) -> Held | None:
        if node.op_type == "DequantizeLinear":
            zero = node.input[2] if len(node.input) > 2 else ""
            tensor = self.held.get(node.input[0])
            axis = next((each.i for each in node.attribute if each.name == "axis"), 1)
            if tensor is None or any(each.name == "block_size" and each.i for each in node.attribute):
                return None
            mask = self.is_not(node.input[0], zero, axis)
            return _held(node.input[0], tensor, mask)
        if node.op_type == "Mul":
            return self._product(node)
        if node.op_type in MOVES:
            return self._moved(node)
        inner = self.find(node.input[0]) if node.input else None
        if inner is None or node.op_type not in ("Identity", "Cast", "Transpose"):
            return None
        if node.op_type == "Cast":
            made = self._run(node.output[0])  # in a type of fewer bits small numbers are zero
            mask = None if made is None else _differs(made, 0)
            to = next(each.i for each in node.attribute if each.name == "to")
            return inner._replace(bits=bits_of(to), mask=mask)
        if node.op_type == "Transpose" and inner.mask is not None:
            order = next((list(each.ints) for each in node.attribute if each.name == "perm"), None)
            return inner._replace(mask=inner.mask.transpose(order))
        return inner

    def _moved(self, node: NodeProto) -> Held | None:
        """What a node makes that only moves elements, by running it where all that it reads is known."""
        parts = [self.find(name) for name in node.input if name]
        known = [each for each in parts if each is not None]
        made = self._run(node.output[0])
        if len(known) < len(parts) or made is None:
            return None
        same = known[0].elements == made.size
        name = known[0].name if same else node.output[0]
        return Held(name, known[0].bits, int(made.size), _differs(made, 0), known[0].of)

    def _run(self, name: str) -> Array | None:
        """The values of a tensor of the file, or of what nodes that are followed make of such."""
        if name in self.held:
            return self.values(name)
        node = self._made.get(name)
        if node is None or node.op_type not in MOVES | COMPUTED:
            return None
        given = {each: self._run(each) for each in node.input if each}
        if any(each is None for each in given.values()):
            return None
        try:
            made = run_node(
                node, self._opsets, {name: each for name, each in given.items() if each is not None}
            )
        except Exception:  # one that is malformed is told where it is counted
            return None
        return made[list(node.output).index(name)]

    def _product(self, node: NodeProto) -> Held | None:
        """A weight times a mask: of the larger tensor, zero where one of both is."""
        both = [self.find(name) for name in node.input]
        if None in both:
            return None
        first, second = sorted((each for each in both if each), key=lambda each: -each.elements)
        if first.mask is None or second.mask is None:
            return first._replace(mask=None)
        return first._replace(mask=first.mask & second.mask)

    def all(self) -> Iterator[tuple[str, TensorProto, int]]:
        """Each tensor of the file: its name, itself, its bytes."""
        for name, tensor in self.held.items():
            bits = bits_of(tensor.data_type)
            yield name, tensor, (int(np.prod(tensor.dims, dtype=object)) * bits + 7) // 8


def hides(values: Array) -> bool:
    """Whether numbers are a mask: some as large as infinity, or all 0 or one number of -1 or less."""
    flat = values.reshape(-1).astype(np.float32, copy=False)
    if not (np.abs(flat) < LARGEST_OF_HALF).all():
        return True
    low = flat.min()
    return bool(low <= -1 and all(((part == 0) | (part == low)).all() for part in (flat[:LOOK], flat)))


def _differs(values: Array, point: Any) -> Array:
    made: Array = np.asarray(values != point, dtype=np.bool_)
    return made


def _held(name: str, tensor: TensorProto, mask: Array | None) -> Held:
    elements = int(np.prod(tensor.dims, dtype=object))
    return Held(name, bits_of(tensor.data_type), elements, mask, name)
