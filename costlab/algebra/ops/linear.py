"""The fully connected layer."""

from typing import TYPE_CHECKING, Any, ClassVar

from costlab.algebra.block import Operation, value
from costlab.algebra.dim import Dim, product, total
from costlab.algebra.saved import Saved
from costlab.algebra.shape import AnyShape, Vector, vector
from costlab.algebra.work import Work

if TYPE_CHECKING:
    from torch import nn


@value
class Linear(Operation):
    """Fully connected layer, ``(F,) -> (features,)``.

    Multiply-adds: one per weight, ``F * features``; with a bias, ``features`` bias adds and parameters
    besides the weights.

    Raises:
        DefinitionError: ``features`` is not positive.
        ShapeError: the input is a feature map; put `Flatten` before it.
    """

    kind: ClassVar[str] = "linear"

    features: Dim
    bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_dims(features=1)

    def output(self, x: AnyShape) -> Vector:
        vector(x, self.kind)
        return Vector(self.features)

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        inputs = vector(x, self.kind).features
        weights = product(inputs, self.features)
        return Work(
            self.kind,
            multiply_adds=weights,
            bias_adds=self.features if self.bias else 0,
            weights=weights,
            parameters=total((weights, self.features)) if self.bias else weights,
            inputs=inputs,
            outputs=self.features,
            activations=self.features,
        )

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(input=True)

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        inputs: Any = vector(x, self.kind).features
        outputs: Any = self.features
        return nn.Linear(inputs, outputs, bias=self.bias)
