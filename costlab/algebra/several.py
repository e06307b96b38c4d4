"""What stands for several networks at once, beside arrays: values that are no dimensions; who makes blocks.

A definition that is called with a `OneOf` makes one block for all its values, as one that is called with an
array does, where somebody knows how (`making`): `costlab.explore` does.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
B = TypeVar("B")


class LookedAt(BaseException):  # code that is explored may catch every Exception
    """Code wants to know which of several values there is, along ``axes``.

    Who makes blocks is told, too: code may catch it.
    """

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__(axes)
        self.axes = axes
        if (looks := _looks.get()) is not None:
            looks.append(self)


def _look(self: "OneOf", *_: object) -> Any:
    raise LookedAt((object.__getattribute__(self, "axis"),))


LOOKS = (  # what code may ask of a value, each a method of Python's
    *(
        "bool",
        "index",
        "int",
        "float",
        "complex",
        "round",
        "trunc",
        "floor",
        "ceil",
        "iter",
        "len",
        "contains",
    ),
    *("getitem", "call", "str", "format", "hash", "eq", "ne", "lt", "le", "gt", "ge", "neg", "pos", "abs"),
    *("invert", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "floordiv", "rfloordiv"),
    *("mod", "rmod", "pow", "rpow", "divmod", "rdivmod", "and", "rand", "or", "ror", "xor", "rxor"),
)


class OneOf:
    """One of several values of a parameter, along an axis of a design space; what looks at it raises.

    So it can be handed on from definition to definition, to the one that looks.
    """

    __slots__ = ("axis", "values")
    axis: int
    values: tuple[Any, ...]

    def __init__(self, axis: int, values: tuple[Any, ...]) -> None:
        object.__setattr__(self, "axis", axis)
        object.__setattr__(self, "values", values)

    def __getattr__(self, name: str) -> Any:  # what is known of the values: none is asked for here
        raise LookedAt((self.axis,))

    @property  # type: ignore[misc]  # `isinstance` asks for it
    def __class__(self) -> Any:
        raise LookedAt((self.axis,))

    def __repr__(self) -> str:  # for debuggers
        return f"<one of {len(self.values)} values>"


for _name in LOOKS:
    setattr(OneOf, f"__{_name}__", _look)

OWN = ("costlab.", "numpy.")
"""Modules that ask on behalf of nobody."""
Looks = list[LookedAt]
_looks: ContextVar[Looks | None] = ContextVar("looks", default=None)
Maker = Callable[[object, Callable[..., Any], tuple[Any, ...], Mapping[str, Any]], Any]
_maker: ContextVar[Maker | None] = ContextVar("maker", default=None)


def maker() -> Maker | None:
    """Who makes the blocks of definitions, if not they themselves."""
    return _maker.get()


@contextmanager
def making(by: Maker) -> Iterator[Looks]:
    """Let blocks be made by somebody else, who is given a definition, what makes its block, and arguments.

    Gives what code wanted to know meanwhile.
    """
    looks: Looks = []
    tokens = _maker.set(by), _looks.set(looks)
    try:
        yield looks
    finally:
        _maker.reset(tokens[0])
        _looks.reset(tokens[1])


def asked_by_code() -> bool:
    """Whether a block is being made, and the caller was called by what makes it, and not by costlab."""
    if _maker.get() is None:
        return False
    frame = sys._getframe(2)  # noqa: SLF001  # who asks is known from nothing else
    while (name := str(frame.f_globals.get("__name__"))) == "abc" and frame.f_back is not None:
        frame = frame.f_back  # on behalf of `isinstance`
    return not name.startswith(OWN)


def part(function: Callable[P, B]) -> Callable[P, B]:
    """Make a function that returns a block a part of its own: it is here that its choices are looked at.

    Without it they are where the definition that calls it is, and a space has a network for each combination.
    """
    from functools import wraps

    @wraps(function)
    def made(*args: P.args, **kwargs: P.kwargs) -> B:
        by = _maker.get()
        return function(*args, **kwargs) if by is None else cast("B", by(function, function, args, kwargs))

    return made
