"""Convolutions in two dimensions where they run, of a definition or of a module that was traced."""

from typing import Any, NamedTuple

from costlab.algebra.block import Node
from costlab.algebra.ops.convolution import Conv2d
from costlab.algebra.shape import Shape
from costlab.algebra.traced import Call, Traced
from costlab.algebra.window import as_pair, per_axis
from costlab.algebra.work import Work


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
    if not isinstance(block, Traced) or block.call is None or node.work is None or node.work.kind != "conv2d":
        return None
    return _of_call(block.call)


def _of_call(call: Call) -> Convolution | None:
    tensors = call.tensors
    if len(tensors) < 2 or len(tensors[1].sizes) != 4 or "weight" not in call.names:
        return None  # a kernel of one kind of processor, whose arguments are its own
    sizes, (filters, _, *kernel) = tensors[0].sizes, tensors[1].sizes
    padding: Any = call.argument("padding", 0)
    padded: Any = padding if isinstance(padding, str) else _pair(padding)
    conv = Conv2d(
        filters,
        (kernel[0], kernel[1]),
        stride=_pair(call.argument("stride", 1)),
        padding=padded,
        dilation=_pair(call.argument("dilation", 1)),
        groups=call.argument("groups", 1),
        bias=len(tensors) > 2,
    )
    batch = sizes[0] if len(sizes) == 4 else 1
    return Convolution(conv, Shape(*sizes[-3:]), batch)


def _pair(value: Any) -> tuple[int, int]:
    height, width = per_axis(value, 2)
    return height, width
