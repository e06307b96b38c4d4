"""Normalization layers."""

from typing import TYPE_CHECKING, Any, ClassVar

from costlab.algebra.block import value
from costlab.algebra.dim import Dim, maximum, product, total
from costlab.algebra.ops.elementwise import Elementwise
from costlab.algebra.saved import Saved
from costlab.algebra.shape import AnyShape, Shape, feature_map
from costlab.algebra.work import Work

if TYPE_CHECKING:
    from torch import nn


@value
class BatchNorm2d(Elementwise):
    """Batch normalization, ``(C, H, W) -> (C, H, W)``, with a learned shift per channel.

    ``(x - mean) / sqrt(variance + eps) * scale + shift``. ``scale`` says whether a scale per channel
    is learned too, or 1; TF-slim's Inception networks do without it. Parameters: ``2 C`` or ``C``.

    Raises:
        DefinitionError: ``eps`` or ``momentum`` is no number.
        ShapeError: the input is a vector.
    """

    kind: ClassVar[str] = "batch_norm2d"

    scale: bool = True
    eps: float = 1e-5
    momentum: float = 0.1

    def output(self, x: AnyShape) -> Shape:
        return feature_map(x, self.kind)

    def parameters(self, x: AnyShape) -> Dim:
        return product(2, x[0]) if self.scale else x[0]

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        elements = product(*x)
        return Work(
            self.kind,
            parameters=self.parameters(x),
            inputs=elements,
            outputs=elements,
            scalings=elements if self.scale else 0,
        )

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(input=True, statistics=product(2, x[0]))  # mean, and 1 / standard deviation

    def buffers(self, x: AnyShape) -> tuple[Dim, int]:
        return product(2, x[0]), 1  # running mean and variance; batches so far

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        channels: Any = feature_map(x, self.kind).channels
        module = nn.BatchNorm2d(channels, eps=self.eps, momentum=self.momentum)
        if not self.scale:
            module.register_parameter("weight", None)
        return module


@value
class LocalResponseNorm(Elementwise):
    """Normalization over ``size`` neighbouring channels, ``(C, H, W) -> (C, H, W)``.

    ``x / (k + alpha / size * sum of squares) ** beta``, torch's form.

    Raises:
        DefinitionError: ``size`` is not positive.
        ShapeError: the input is a vector.
    """

    kind: ClassVar[str] = "local_response_norm"

    size: Dim = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_dims(size=1)

    def output(self, x: AnyShape) -> Shape:
        return feature_map(x, self.kind)

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        # torch squares, pads the channels, averages, scales, shifts, takes the power, and divides.
        size = feature_map(x, self.kind)
        elements = product(*size)
        padded = product(size.channels + self.size - 1, size.height, size.width)
        return Saved(
            input=True,
            elements=total((padded, elements, elements)),
            scratch=maximum(padded, product(2, elements)),
            scratch_back=maximum(product(3, elements), padded - product(2, elements)),
        )

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        size: Any = self.size
        return nn.LocalResponseNorm(size, alpha=self.alpha, beta=self.beta, k=self.k)
