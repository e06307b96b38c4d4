"""More definitions that ask: through objects, closures and operations of their own."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from costlab import Block, Conv2d, Dim, Shape, ShapeError, Work, block, seq
from costlab.algebra.block import Operation, value
from costlab.algebra.several import part
from tests.explore.derive.looks import case


@value
class Looking(Operation):
    """An operation that looks at sizes, and refuses some."""

    kind: ClassVar[str] = "looking"

    filters: Dim

    def output(self, x: Any) -> Shape:
        if x.height < 4:
            raise ShapeError("too small")
        if x.channels % 2:
            return Shape(self.filters, x.height // 2, x.width)
        return Shape(self.filters, math.floor(x.height / 2) + 1, x.width)

    def work(self, x: Any, y: Any) -> Work:
        many = x.channels * self.filters * y.height * (2 if y.height > 5 else 1)
        return Work(self.kind, multiply_adds=many, parameters=self.filters)

    def module(self, x: Any) -> Any:
        raise NotImplementedError


@value
class Large(Operation):
    """An operation whose work is multiplied by plain signs."""

    kind: ClassVar[str] = "large"

    filters: Any

    def output(self, x: Any) -> Shape:
        return Shape(self.filters, x.height + 1, x.width)

    def work(self, x: Any, y: Any) -> Work:
        return Work(self.kind, multiply_adds=x.channels**5 * y.height**5, parameters=self.filters**3)

    def module(self, x: Any) -> Any:
        raise NotImplementedError


@case(f=[3, 4, 5], w=[2, 3], input=[4, 6, 9, 12])
def own_operations(f: Dim = 4, w: Dim = 3) -> Block:
    return seq(Conv2d(w, 3), Looking(f), Looking(w))


@case(f=[3, 400, 500_000], input=[16, 1000, 9000])
def own_large_operations(f: Dim = 4) -> Block:
    return seq(Large(f), Large(3))


@dataclass
class Settings:
    """What a definition hands on in an object."""

    w: Any
    g: Any
    k: Any


@block()
def of_settings(settings: object) -> Block:
    """A definition that is given an object."""
    assert isinstance(settings, Settings)
    return seq(Conv2d(settings.w, settings.k), Conv2d(settings.w, 1, groups=settings.g))


@case(w=[4, 6, 8], g=[1, 2, 4], k=[1, 3])
def by_objects(w: Dim = 4, g: Dim = 2, k: int = 1) -> Block:
    return seq(Conv2d(w, 1), of_settings(Settings(w, g, k)))


@case(w=[4, 6, 8], g=[1, 2, 4], k=[1, 3])
def by_closures(w: Dim = 4, g: Dim = 2, k: int = 1) -> Block:
    parts = []
    for i in range(3):

        @block()
        def inner(i: int = i) -> Block:
            return seq(Conv2d(w * (i + 1), k), Conv2d(w * (i + 1), 1, groups=g))

        parts.append(inner())
    return seq(*parts)


@part
def marked(w: Dim, deep: bool) -> Block:
    """A part of its own."""
    return seq(Conv2d(w, 3), Conv2d(w, 3)) if deep else seq(Conv2d(w, 1))


@case(w=[4, 6], deep=[True, False], more=[True, False])
def by_parts(w: Dim = 4, deep: bool = False, more: bool = False) -> Block:
    return seq(marked(w, deep), marked(w, more), marked(2 * w, deep))
