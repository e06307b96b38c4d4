"""Convolution."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from costlab.algebra.block import Operation, value
from costlab.algebra.dim import Dim, divides, equal, product, quotient, text, total
from costlab.algebra.misfits import is_noted
from costlab.algebra.saved import Saved
from costlab.algebra.shape import AnyShape, Shape, feature_map
from costlab.algebra.window import Pair, Size2d, as_pair, brief, check_fit, slide
from costlab.algebra.work import Work
from costlab.errors import DefinitionError, ShapeError
from costlab.messages import named

if TYPE_CHECKING:
    from torch import nn

Padding: TypeAlias = Size2d | Literal["same", "valid"]
"""Zeros added at each end of an axis; "same" keeps the size (stride 1 only), "valid" adds none."""


@value
class Conv2d(Operation):
    """2-D convolution, ``(C, H, W) -> (filters, H', W')``.

    ``H' = (H + 2 padding - dilation (kernel - 1) - 1) // stride + 1``, likewise ``W'``.
    Multiply-adds: one per weight per output position,
    ``(C / groups) * kernel height * kernel width * filters * H' * W'``; with a bias, ``filters * H' * W'``
    bias adds. Parameters: the weights, ``(C / groups) * kernel height * kernel width * filters``, and
    ``filters`` biases.

    Raises:
        DefinitionError: a size is not positive, ``groups`` does not divide ``filters``, or padding
            is "same" with a stride.
        ShapeError: ``groups`` does not divide the input's channels, or the kernel does not fit.
    """

    kind: ClassVar[str] = "conv2d"

    filters: Dim
    kernel: Size2d
    stride: Size2d = 1
    padding: Padding = 0
    dilation: Size2d = 1
    groups: Dim = 1
    bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_dims(filters=1, groups=1)
        self._check_pairs(kernel=1, stride=1, dilation=1)
        if isinstance(self.padding, str) and self.padding == "valid":
            object.__setattr__(self, "padding", 0)
        if isinstance(self.padding, str):
            if self.padding != "same":
                raise DefinitionError(
                    f'Conv2d: padding={named(self.padding)} must be a number, a pair, "same" or "valid"'
                )
            if any(equal(step, 1) is False for step in as_pair("stride", self.stride)):
                raise DefinitionError(f'Conv2d: padding="same" needs stride=1, got stride={self.stride}')
        else:
            self._check_pairs(padding=0)
        if divides(self.groups, self.filters) is False:
            raise DefinitionError(
                f"Conv2d: filters={text(self.filters)} must be divisible by groups={text(self.groups)}"
            )

    @property
    def title(self) -> str:
        name = "conv2d" if equal(self.groups, 1) else f"conv2d/{text(self.groups)} groups"
        return f"{name} {brief(self.kernel, self.stride)}"

    def output(self, x: AnyShape) -> Shape:
        size: Any = feature_map(x, self.kind)
        if divides(self.groups, size.channels) is False and not is_noted(size.channels % self.groups == 0):
            raise ShapeError(
                f"channels={text(size.channels)} must be divisible by groups={text(self.groups)}"
            )
        extent = size[1:]
        count = slide(extent, self.kernel, self.stride, self._total_padding(), self.dilation)
        check_fit(count, self.kernel, extent, self.padding, self.dilation)
        return Shape(self.filters, *count)

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        size, out = feature_map(x, self.kind), feature_map(y, self.kind)
        window = as_pair("kernel", self.kernel)
        weights = product(quotient(size.channels, self.groups), *window, self.filters)
        outputs = product(*out)
        return Work(
            self.kind,
            multiply_adds=product(weights, out.height, out.width),
            bias_adds=outputs if self.bias else 0,
            weights=weights,
            parameters=total((weights, self.filters)) if self.bias else weights,
            inputs=product(*size),
            outputs=outputs,
            activations=outputs,
        )

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        if not self._is_uneven:
            return Saved(input=True)
        # torch makes a larger input first, with one more zero where the padding is odd.
        size = feature_map(x, self.kind)
        sides: Any = zip(size[1:], self._total_padding(), strict=True)
        height, width = (side + both % 2 for side, both in sides)
        padded = product(size.channels, height, width)
        return Saved(elements=padded, scratch=padded, scratch_back=padded - product(*size))

    @property
    def _is_uneven(self) -> bool:
        """Whether more zeros are added at one end; torch has only the name "same" for that."""
        return self.padding == "same" and not all(divides(2, both) for both in self._total_padding())

    def quotients(self, x: AnyShape) -> tuple[Dim, Dim]:
        return quotient(feature_map(x, self.kind).channels, self.groups), quotient(self.filters, self.groups)

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        padding: Any = self.padding
        if padding == "same" and not self._is_uneven:
            # Even padding is written as numbers: fvcore and torchprofile do not see "same".
            padding = tuple(int(both) // 2 for both in self._total_padding())
        settings: dict[str, Any] = {"stride": self.stride, "dilation": self.dilation, "groups": self.groups}
        channels: Any = feature_map(x, self.kind).channels
        filters: Any = self.filters
        kernel: Any = self.kernel
        return nn.Conv2d(channels, filters, kernel, padding=padding, bias=self.bias, **settings)

    def _total_padding(self) -> Pair:
        """Zeros added along each axis, both ends together."""
        if self.padding == "same":
            (height, width), dilation = as_pair("kernel", self.kernel), as_pair("dilation", self.dilation)
            return (dilation[0] * (height - 1), dilation[1] * (width - 1))
        top, left = as_pair("padding", self.padding)
        return (2 * top, 2 * left)
