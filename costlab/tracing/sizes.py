"""Sizes that remember which products they come from.

A tool that follows a model by torch.jit.trace sees sizes as tensors: where two are multiplied and a call is
given the product, it counts one more product of tensors.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

SHAPE = Tensor.shape.__get__  # type: ignore[attr-defined]  # a descriptor has one
COUNTED = frozenset([Tensor.size, Tensor.numel, Tensor.nelement, torch.numel])
"""Functions whose answers are sizes of which products are counted; the attribute ``shape`` is another."""
SIZES = COUNTED | {
    *(SHAPE, Tensor.nbytes.__get__, Tensor.__len__, Tensor.__iter__),  # type: ignore[attr-defined]  # as above
    *(Tensor.stride, Tensor.storage, Tensor.untyped_storage),
}
"""Functions that read the sizes of a tensor."""
CONSTANT = frozenset([torch.tensor])
"""Functions to which tools do not follow a size."""


class TracedSize(int):
    """A size of a tensor, or a number reckoned from some: ``products`` are those on the way to it."""

    products: frozenset[object] = frozenset()

    def __mul__(self, other: Any) -> Any:
        return _reckoned(int.__mul__, self, other, frozenset([object()]))

    def __rmul__(self, other: Any) -> Any:
        return _reckoned(int.__rmul__, self, other, frozenset([object()]))


def _reckoned(operation: Callable[..., Any], size: TracedSize, other: Any, more: frozenset[object]) -> Any:
    value = operation(size, other)
    if type(value) is not int:  # one with a fraction, or nothing that an integer could do
        return value
    made = TracedSize(value)
    made.products = size.products | getattr(other, "products", more) | more
    return made


def _following(name: str) -> Callable[..., Any]:
    operation = getattr(int, name)

    def follow(size: TracedSize, other: Any, *modulus: int) -> Any:
        return operation(size, other, *modulus) if modulus else _reckoned(operation, size, other, frozenset())

    return follow


for each in ("add", "sub", "floordiv", "mod", "pow"):
    for name in (f"__{each}__", f"__r{each}__"):
        setattr(TracedSize, name, _following(name))


def traced(value: Any) -> Any:
    """What a tensor says of its sizes, such that products of them are remembered."""
    if type(value) is int:
        return TracedSize(value)
    known = type(value) is torch.Size and all(isinstance(each, int) for each in value)
    return torch.Size(map(TracedSize, value)) if known else value  # those of nested tensors are symbols


class Products:
    """The products of sizes that calls were given, each counted once; none unless they are followed."""

    def __init__(self, followed: bool) -> None:
        self._followed, self._reads = followed, False
        self._counted: set[object] = set()
        self._told = 0

    def read(self, func: Any, args: Any, kwargs: Any) -> Any:
        """What a function or an attribute says of a tensor; its sizes such that products are remembered."""
        value = func(*args, **kwargs)
        if not self._followed or (func not in COUNTED and func != SHAPE):
            return value
        self._reads = True
        return traced(value)

    def plain(self, func: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments of a call with plain numbers; products that these come from are counted."""
        if not self._reads:
            return args, kwargs
        given = [*_sizes_in(args), *(_sizes_in(kwargs) if kwargs else ())]
        if not given:
            return args, kwargs
        if func not in CONSTANT:
            self._counted.update(*(size.products for size in given))
        return _plain(args), _plain(kwargs)

    @property
    def pending(self) -> int:
        """How many were counted and not told."""
        return len(self._counted) - self._told

    def new(self) -> int:
        """How many were counted since this was asked last."""
        new = self.pending
        self._told += new
        return new

    def told_with_last(self, operations: list[Any]) -> bool:
        """Whether there is an operation that was described; the last of them is then told what is pending."""
        for place, operation in reversed([*enumerate(operations)]):
            if operation.call is not None:
                whole = operation.call.size_products + self.new()
                operations[place] = operation._replace(call=operation.call._replace(size_products=whole))
                return True
        return False


def _sizes_in(value: Any) -> Iterator[TracedSize]:
    kind = type(value)
    if kind is TracedSize:
        yield value
    elif kind in (tuple, list, torch.Size):
        for each in value:
            yield from _sizes_in(each)
    elif kind is dict:
        yield from _sizes_in(tuple(value.values()))
    elif kind is slice:
        yield from _sizes_in((value.start, value.stop, value.step))


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is TracedSize:
        return int(value)
    if kind in (tuple, list, torch.Size):
        return kind(map(_plain, value))
    if kind is dict:
        return {name: _plain(each) for name, each in value.items()}
    if kind is slice:
        return slice(_plain(value.start), _plain(value.stop), _plain(value.step))
    return value
