"""Convolutions in two dimensions where they run, of a definition or of a module that was traced."""

from typing import Any, NamedTuple

from costlab.algebra.block import Node
from costlab.algebra.ops.convolution import Conv2d
from costlab.algebra.shape import Shape, Sizes
from costlab.algebra.traced import Call, TensorSpec, Traced
from costlab.algebra.window import as_pair, per_axis
from costlab.algebra.work import Work
from costlab.errors import ShapeError


class Convolution(NamedTuple):
    """A convolution and one input of it, ``(C, H, W)``, of which a batch has several."""

    conv: Conv2d
    input: Shape
    batch: int = 1

    @property
    def work(self) -> Work:
        """What it does to one input."""
        return self.conv.work(self.input, self.conv.output(self.input))

    @property
    def is_dense(self) -> bool:
        """Whether every filter reads every channel."""
        return bool(self.conv.groups == 1)

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of its kernel."""
        height, width = as_pair("kernel", self.conv.kernel)
        return int(height), int(width)


def convolution_of(node: Node, batch: int = 1) -> Convolution | None:
    """The convolution that an operation is, if it is one in two dimensions and not transposed.

    ``batch`` is that of a definition; what was traced has its own.
    """
    block = node.block
    if isinstance(block, Conv2d) and isinstance(node.input, Shape):
        return Convolution(block, node.input, batch)
    if not isinstance(block, Traced) or node.work is None or node.work.kind != "conv2d":
        return None
    if block.step_of_graph is not None:
        found = _of_graph(block.step_of_graph.node)
    else:
        found = None if block.call is None else _of_call(block.call)
    return found if found is not None and _does_what_ran(found, node) else None


def _of_call(call: Call) -> Convolution | None:
    data = call.argument("input" if "input" in call.names else "self")
    weight = call.argument("weight")
    if not (isinstance(data, TensorSpec) and isinstance(weight, TensorSpec) and len(weight.sizes) == 4):
        return None  # an operator of some library, whose arguments are its own
    filters, _, *kernel = weight.sizes
    padding: Any = call.argument("padding", 0)
    padded: Any = padding if isinstance(padding, str) else _pair(padding)
    conv = Conv2d(
        filters,
        (kernel[0], kernel[1]),
        stride=_pair(call.argument("stride", 1)),
        padding=padded,
        dilation=_pair(call.argument("dilation", 1)),
        groups=call.argument("groups", 1),
        bias=isinstance(call.argument("bias"), TensorSpec),
    )
    batch = data.sizes[0] if len(data.sizes) == 4 else 1
    return Convolution(conv, Shape(*data.sizes[-3:]), batch)


def _of_graph(node: Any) -> Convolution | None:
    """The convolution that a node of a graph of ONNX is, if it pads both ends of an axis alike."""
    if (
        node is None
        or node.operator != "Conv"
        or not all(each is not None and each.is_sized for each in node.inputs[:2])
    ):
        return None
    given, weight = node.inputs[0].shape, node.inputs[1].shape
    pads = tuple(node.attributes.get("pads", (0, 0, 0, 0)))
    if pads[:2] != pads[2:] or node.text("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        return None
    conv = Conv2d(
        weight[0],
        (weight[2], weight[3]),
        stride=_pair(tuple(node.attributes.get("strides", (1, 1)))),
        padding=_pair(pads[:2]),
        dilation=_pair(tuple(node.attributes.get("dilations", (1, 1)))),
        groups=node.number("group", 1),
        bias=node.has(2),
    )
    return Convolution(conv, Shape(*given[1:]), given[0])


def _does_what_ran(found: Convolution, node: Node) -> bool:
    """Whether what was read from its arguments does what ran."""
    try:
        output, work = found.conv.output(found.input), found.work
    except ShapeError:
        return False
    assert node.work is not None
    ran = node.output if isinstance(node.output, Sizes) else ()
    return tuple(output) == tuple(ran)[-3:] and work.multiply_adds * found.batch == node.work.multiply_adds


def _pair(value: Any) -> tuple[int, int]:
    height, width = per_axis(value, 2)
    return height, width
