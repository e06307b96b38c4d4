"""Pooling."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from costlab.algebra.block import Operation, value
from costlab.algebra.dim import Dim, at_least, equal, is_number, product
from costlab.algebra.saved import Saved
from costlab.algebra.shape import AnyShape, Shape, feature_map
from costlab.algebra.window import Size2d, adapted, as_pair, brief, check_fit, once, slide, times, windowed
from costlab.algebra.work import Work
from costlab.errors import DefinitionError

if TYPE_CHECKING:
    from torch import nn


class Pooling(Operation):
    """What every pooling has in common: it keeps the channels and learns nothing."""

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        return Work(self.kind, inputs=product(*x), outputs=product(*y))


@value
class _WindowPooling(Pooling):
    """Pooling over a sliding window, ``(C, H, W) -> (C, H', W')``."""

    kernel: Size2d
    stride: Size2d | None = None
    padding: Size2d = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride is None:
            object.__setattr__(self, "stride", self.kernel)
        self._check_pairs(kernel=1, stride=1, padding=0)
        for window, zeros in zip(
            as_pair("kernel", self.kernel), as_pair("padding", self.padding), strict=True
        ):
            if at_least(window, 2 * zeros) is False:
                raise DefinitionError(
                    f"{type(self).__name__}: padding={once(self.padding)} must be at most half of "
                    f"kernel={times(self.kernel)}"
                )

    def margins(self) -> Iterator[Dim]:
        yield from super().margins()
        for window, zeros in zip(
            as_pair("kernel", self.kernel), as_pair("padding", self.padding), strict=True
        ):
            yield window - 2 * zeros + 1

    @property
    def title(self) -> str:
        assert self.stride is not None
        return f"{self.kind} {brief(self.kernel, self.stride)}"

    def _slide(self, x: AnyShape, dilation: Size2d, ceil_mode: bool) -> Shape:
        size = feature_map(x, self.kind)
        extent = size[1:]
        top, left = as_pair("padding", self.padding)
        count = slide(extent, self.kernel, self.stride, (2 * top, 2 * left), dilation, ceil_mode)
        check_fit(count, self.kernel, extent, self.padding, dilation)
        return Shape(size.channels, *count)


@value
class MaxPool2d(_WindowPooling):
    """Maximum over a window, ``(C, H, W) -> (C, H', W')``; ``stride`` defaults to ``kernel``.

    ``H' = (H + 2 padding - dilation (kernel - 1) - 1) // stride + 1``; ``ceil_mode`` rounds up, but
    drops a last window that would start in the padding.

    Raises:
        DefinitionError: a size is not positive, or padding exceeds half of the kernel.
        ShapeError: the kernel does not fit, or the input is a vector.
    """

    kind: ClassVar[str] = "max_pool2d"

    dilation: Size2d = 1
    ceil_mode: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_pairs(dilation=1)

    def output(self, x: AnyShape) -> Shape:
        return self._slide(x, self.dilation, self.ceil_mode)

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(input=True, indices=product(*y))

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        window: dict[str, Any] = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        kernel: Any = self.kernel
        return nn.MaxPool2d(kernel, ceil_mode=self.ceil_mode, **window)


@value
class AvgPool2d(_WindowPooling):
    """Mean over a window, ``(C, H, W) -> (C, H', W')``; ``stride`` defaults to ``kernel``.

    Shapes as `MaxPool2d`. ``count_include_pad`` says whether padded zeros count in the mean.

    Raises:
        DefinitionError: a size is not positive, or padding exceeds half of the kernel.
        ShapeError: the kernel does not fit, or the input is a vector.
    """

    kind: ClassVar[str] = "avg_pool2d"

    ceil_mode: bool = False
    count_include_pad: bool = True

    def output(self, x: AnyShape) -> Shape:
        return self._slide(x, (1, 1), self.ceil_mode)

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        window, strides = as_pair("kernel", self.kernel), as_pair("stride", self.stride)
        within = product(*y, *window)
        if not self.count_include_pad and is_number(*x, *y, *window):
            zeros = as_pair("padding", self.padding)
            each = zip(x[1:], y[1:], window, strides, zeros, strict=True)
            within = product(y[0], *(windowed(*map(int, sizes)) for sizes in each))
        return super().work(x, y)._replace(window_elements=within)

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(input=True)

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        window: dict[str, Any] = {"stride": self.stride, "padding": self.padding}
        kernel: Any = self.kernel
        return nn.AvgPool2d(
            kernel, ceil_mode=self.ceil_mode, count_include_pad=self.count_include_pad, **window
        )


@value
class _AdaptivePooling(Pooling):
    """Pooling to a given size, ``(C, H, W) -> (C, *size)``."""

    size: Size2d = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_pairs(size=1)

    @property
    def title(self) -> str:
        return f"{self.kind} to {times(self.size)}"

    def output(self, x: AnyShape) -> Shape:
        return Shape(feature_map(x, self.kind).channels, *as_pair("size", self.size))


class AdaptiveAvgPool2d(_AdaptivePooling):
    """Mean over windows chosen to give ``size``, ``(C, H, W) -> (C, *size)``; 1 is global pooling.

    Raises:
        DefinitionError: ``size`` is not positive.
        ShapeError: the input is a vector.
    """

    kind: ClassVar[str] = "adaptive_avg_pool2d"

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        work = super().work(x, y)
        if not is_number(*x, *y):
            return work
        within = product(y[0], *(adapted(int(n), int(m)) for n, m in zip(x[1:], y[1:], strict=True)))
        return work._replace(window_elements=within)

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        is_mean = all(equal(size, 1) for size in as_pair("size", self.size))
        return Saved(input=not is_mean)  # the way back of a plain mean needs nothing

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        size: Any = self.size
        return nn.AdaptiveAvgPool2d(size)


class AdaptiveMaxPool2d(_AdaptivePooling):
    """Maximum over windows chosen to give ``size``, ``(C, H, W) -> (C, *size)``; 1 is global pooling.

    Raises:
        DefinitionError: ``size`` is not positive.
        ShapeError: the input is a vector.
    """

    kind: ClassVar[str] = "adaptive_max_pool2d"

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(input=True, indices=product(*y))

    def module(self, x: AnyShape) -> "nn.Module":
        from torch import nn

        size: Any = self.size
        return nn.AdaptiveMaxPool2d(size)
