"""Shapes: what flows between blocks. The batch is not part of a shape."""

from typing import Any, NamedTuple, Self, TypeAlias

from costlab.algebra.dim import Dim, as_dim, text
from costlab.errors import DefinitionError, ShapeError
from costlab.messages import named


class Shape(NamedTuple):
    """One feature map, ``(C, H, W)``."""

    channels: Dim
    height: Dim
    width: Dim

    def __str__(self) -> str:
        return "x".join(map(text, self))


class Vector(NamedTuple):
    """One flat vector, ``(F,)``: what `Flatten` gives and `Linear` takes."""

    features: Dim

    def __str__(self) -> str:
        return text(self.features)


class Sizes(tuple[int, ...]):
    """The sizes of a tensor, its batch among them, as it went through a module that was traced."""

    __slots__ = ()

    def __new__(cls, *sizes: Any) -> Self:
        """Sizes one by one, as the other shapes take them."""
        return super().__new__(cls, sizes)

    def __getnewargs__(self) -> tuple[int, ...]:
        return tuple(self)  # a copy, too, is made of sizes one by one

    def __str__(self) -> str:
        return "x".join(map(str, self)) or "scalar"


AnyShape: TypeAlias = Shape | Vector | Sizes


def parse_shape(value: str) -> AnyShape:
    """``"3x299x299"`` as a feature map, ``"2048"`` as a vector.

    Raises:
        DefinitionError: it is neither, or a size is not a whole number of at least 1.
    """
    parts = value.lower().split("x")
    numbers = all(part.isascii() and part.isdigit() and len(part) <= 20 for part in parts)
    if not numbers or len(parts) not in (1, 3):
        shown = value if len(value) <= 60 else f"{value[:60]}..."
        raise DefinitionError(
            f"input={shown!r} must be channels x height x width, such as 3x299x299; one number is a vector"
        )
    return as_shape([int(part) for part in parts])


def as_shape(dims: object) -> AnyShape:
    """Three dimensions as a feature map, one as a vector, each checked.

    Raises:
        DefinitionError: there are not three or one, or one of them is not a positive whole number.
    """
    if isinstance(dims, str):
        return parse_shape(dims)
    if not isinstance(dims, tuple | list) or len(dims) not in (1, 3):
        raise DefinitionError(f"input={named(dims)} must be (channels, height, width), or (features,)")
    if len(dims) == 1:
        return Vector(as_dim("input features", dims[0]))
    channels, height, width = dims
    return Shape(
        as_dim("input channels", channels), as_dim("input height", height), as_dim("input width", width)
    )


def feature_map(x: AnyShape, wanted_by: str) -> Shape:
    """``x`` where a feature map is needed.

    Raises:
        ShapeError: it is a vector.
    """
    if isinstance(x, Shape):
        return x
    raise ShapeError(f"{wanted_by} needs a feature map (channels, height, width), got a vector of {x}")


def vector(x: AnyShape, wanted_by: str) -> Vector:
    """``x`` where a vector is needed.

    Raises:
        ShapeError: it is a feature map.
    """
    if isinstance(x, Vector):
        return x
    raise ShapeError(f"{wanted_by} needs a vector, got a feature map of {x}: put Flatten() before it")
