"""Activation functions."""

from typing import TYPE_CHECKING, Any, ClassVar

from costlab.algebra.block import value
from costlab.algebra.dim import Dim, product
from costlab.algebra.ops.elementwise import Elementwise
from costlab.algebra.saved import Saved
from costlab.algebra.shape import AnyShape

if TYPE_CHECKING:
    from torch import nn


class ReLU(Elementwise):
    """``max(0, x)``, any shape to the same shape."""

    kind: ClassVar[str] = "relu"

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(output=True)

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        return nn.ReLU()  # not in place: an addition's other branch may still need the input


@value
class PReLU(Elementwise):
    """``x`` where positive, else ``slope * x``, any shape to the same shape.

    One learned slope, or one per channel (per feature of a vector).
    """

    kind: ClassVar[str] = "prelu"

    per_channel: bool = False

    def parameters(self, x: AnyShape) -> Dim:
        return x[0] if self.per_channel else 1

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(input=True, whole_back=True, unreduced=product(*x))

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        slopes: Any = self.parameters(x)
        return nn.PReLU(slopes)


class Softmax(Elementwise):
    """``exp(x) / sum of exp(x)`` over the channels (the features of a vector), any shape to the same."""

    kind: ClassVar[str] = "softmax"

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(output=True)

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        return nn.Softmax(dim=1)
