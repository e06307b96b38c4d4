"""Regularization that is a layer."""

from typing import TYPE_CHECKING, ClassVar

from costlab.algebra.block import value
from costlab.algebra.dim import product
from costlab.algebra.ops.elementwise import Elementwise
from costlab.algebra.saved import Saved
from costlab.algebra.shape import AnyShape
from costlab.errors import DefinitionError
from costlab.messages import named

if TYPE_CHECKING:
    from torch import nn


@value
class Dropout(Elementwise):
    """Zeroes elements with probability ``p`` in training, any shape to the same shape.

    Raises:
        DefinitionError: ``p`` is no probability.
    """

    kind: ClassVar[str] = "dropout"
    only_in_training: ClassVar[bool] = True

    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.p <= 1:
            raise DefinitionError(f"Dropout: p={named(self.p)} must be between 0 and 1")

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        if self.p == 0:
            return Saved(is_view=True)
        if self.p == 1:
            return Saved(constants=1)  # a single zero
        return Saved(elements=product(*x))  # on a CPU the mask is of the data's type

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        return nn.Dropout(self.p)
