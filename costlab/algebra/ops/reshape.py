"""Operations that only rearrange."""

from typing import TYPE_CHECKING, ClassVar

from costlab.algebra.block import Operation
from costlab.algebra.dim import product
from costlab.algebra.saved import Saved
from costlab.algebra.shape import AnyShape, Vector
from costlab.algebra.work import Work

if TYPE_CHECKING:
    from torch import nn


class Flatten(Operation):
    """``(C, H, W) -> (C * H * W,)``; a vector stays as it is."""

    kind: ClassVar[str] = "flatten"

    def output(self, x: AnyShape) -> Vector:
        return Vector(product(*x))

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        elements = product(*y)
        return Work(self.kind, inputs=elements, outputs=elements)

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(is_view=True)

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        return nn.Flatten()
