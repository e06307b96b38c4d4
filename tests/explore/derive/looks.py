"""Definitions that ask for their values in many ways, each with axes: all are followed."""

import math
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any, Literal

from costlab import (
    Block,
    Conv2d,
    DefinitionError,
    Dim,
    Dropout,
    Flatten,
    Linear,
    Ratio,
    ReLU,
    block,
    scale,
    seq,
)
from costlab.algebra.define import Definition

Case = tuple[Definition[...], dict[str, Any]]
CASES: dict[str, Case] = {}
W: Any = [3, 4, 9]
K: Any = [1, 3, 5]
FLAG: Any = [True, False]


def case(**axes: Any) -> Callable[[Callable[..., Block]], Definition[...]]:
    """Make a function a definition, and a case with these axes."""

    def made(function: Callable[..., Block]) -> Definition[...]:
        definition = block(input="3x16x16")(function)
        CASES[function.__name__] = (definition, axes)
        return definition

    return made


@case(n=[0, 1, 2, 3], w=W)
def ranged(n: int = 2, w: Dim = 4) -> Block:
    return seq(*(Conv2d(w * (i + 1), 3, padding=1) for i in range(n)))


@case(a=FLAG, b=FLAG, w=W)
def flags_by_is(a: bool = True, b: bool = False, w: Dim = 4) -> Block:
    return seq(
        Conv2d(w if a is True else 2 * w, 3), Conv2d(7, 1) if b else seq(), Conv2d(w, 1, bias=(b is False))
    )


@case(k=[None, 1, 3], w=W)
def none_by_is(k: int | None = None, w: Dim = 4) -> Block:
    return seq(Conv2d(w, 3) if k is None else Conv2d(w, k))


@case(k=[1, "abc"], w=W)
def kinds_by_isinstance(k: object = 3, w: Dim = 4) -> Block:
    return seq(Conv2d(w, k) if isinstance(k, int) else Conv2d(w, len(k)))  # type: ignore[arg-type]  # a text


@case(w=W)
def dims_by_isinstance(w: Any = 4) -> Block:
    return seq(Conv2d(w, 3) if isinstance(w, int) else Conv2d(w, 1))


dims_by_isinstance.function.__annotations__["w"] = Dim


@case(k=["a", "b", "c"], w=W)
def looked_up(k: Literal["a", "b", "c"] = "a", w: Dim = 4) -> Block:
    again = {"a": 1, "b": 3}.get(k, 2)
    known: dict[Any, int] = {3: 5, 4: 9}
    return seq(Conv2d(w, {"a": 1, "b": 3, "c": 5}[k]), Conv2d(known.get(w, 2), again))


@case(k=["a", "b", "c"], w=W)
def in_sets(k: Literal["a", "b", "c"] = "a", w: Any = 4) -> Block:
    return seq(
        Conv2d(w, 3 if k in {"a", "b"} else 1),
        Conv2d(w, 3 if k in ("c", "a") else 2),
        Conv2d(1 + (w in (3, 9)), 1),
    )


@case(k=["1x1", "3x3"], w=W)
def texts(k: Literal["1x1", "3x3"] = "1x1", w: Dim = 4) -> Block:
    height, _, width = k.partition("x")
    named = {
        f"conv_{k}": Conv2d(w, (int(height), int(width))),
        f"w{w}": Conv2d(w, 2),
        "s" + str(w): Conv2d(1, 1),
    }
    return seq(**named)


@case(k=[1, 2, 3], w=W, t=["a", 3])
def matched(k: int = 1, w: Any = 4, t: object = "a") -> Block:
    match (k, w):
        case (1, 4):
            first = Conv2d(w, 1)
        case (2, _):
            first = Conv2d(w, 3)
        case _:
            first = Conv2d(w, 5)
    match t:
        case "a":
            return seq(first)
        case int():
            return seq(first, Conv2d(3, 3))
    raise AssertionError


def helper(w: Dim, k: int = 3, flag: bool | None = None) -> Block:
    """Not a definition: what it looks at, its caller does."""
    return Conv2d(w, k) if flag else seq(Conv2d(w, k), ReLU(), Conv2d(w, 1))


@case(w=W, k=K, flag=FLAG)
def by_helpers(w: Dim = 4, k: int = 3, flag: bool = False) -> Block:
    def conv(filters: Dim) -> Block:
        return Conv2d(filters, k)

    made = (lambda filters: seq(conv(filters), ReLU())) if flag else conv
    return seq(helper(w, k, flag=flag), helper(2 * w, flag=flag), made(w), made(w + 1))


@case(w=W, k=K)
def caught(w: Any = 4, k: int = 3) -> Block:
    try:
        n = int(w)
    except BaseException:
        n = 7
    j = 2
    with suppress(BaseException):
        j = {1: 5}[k]
    try:
        size = len(w)
    except TypeError:
        size = 1
    return seq(Conv2d(n, j), Conv2d(size, 1))


@case(w=[3, 4, 6, 12], g=[1, 2, 3])
def caught_misfits(w: Dim = 4, g: Dim = 2) -> Block:
    try:
        made = Conv2d(w, 1, groups=g)
    except DefinitionError:
        made = Conv2d(w, 1)
    return seq(Conv2d(6, 1), made)


@case(n=[0, 1, 3], w=W)
def recursive(n: int = 2, w: Dim = 4) -> Block:
    return seq(Conv2d(w, 1)) if n == 0 else seq(Conv2d(w, 1), recursive(n - 1, w + 1))


@case(w=[1, 3, 4, 9])
def halved(w: Any = 4) -> Block:
    c, made = w, [Conv2d(2, 1)]
    while c > 1:
        made.append(Conv2d(c, 1))
        c //= 2
    return seq(*made)


@case(w=W)
def in_place(w: Any = 4) -> Block:
    c = w
    first = Conv2d(c, 1)
    c *= 2
    second = Conv2d(c, 1)
    c += 1
    return seq(first, second, Conv2d(c, 1), Conv2d(w, 1))


@case(width=[0.1, 0.3, 1.0, 1.4], d=[8, 15, 16])
def rounded(width: Ratio = 1.0, d: Dim = 8) -> Block:
    def divisible(value: Any) -> Any:
        new = max(8, int(value + 4) // 8 * 8)
        return new + 8 if new < 0.9 * value else new

    w: Any = width
    even: Any = d
    sizes = [
        int(w * 64),
        max(8, round(w * 16)),
        divisible(32 * w),
        math.ceil(even / 3),
        int(Decimal(str(w)) * 10),
    ]
    scaled: Any = scale(64, width)
    sizes += [max(8, scaled), min(even, 12), max(even, scaled), sum([even, even]), abs(even)]
    sizes += [divmod(even, 2)[0] + 1, even**2, pow(even, 2), int(even**0.5), 1 << (even % 4), int(2**w * 4)]
    return seq(*(Conv2d(size, 1) for size in sizes))


@case(a=[3, 4, 5], b=[3, 4, 6])
def compared(a: Any = 4, b: Any = 4) -> Block:
    return seq(
        Conv2d(a, 1), Conv2d(b, 1) if a == b else Conv2d(b, 3), seq() if a < b else Conv2d(a - b + 1, 1)
    )


@case(w=[1, 2, 70_000, 2_000_000_000])
def beyond_64_bits(w: Any = 4) -> Block:
    return seq(Conv2d(w**4 // w**3, 1), Conv2d((w * w * w * w) // (w * w) // w, 1), Conv2d(w << 40 >> 40, 1))


@case(w=[1, 2, 3])
def divided_by_zero(w: Any = 4) -> Block:
    return seq(Conv2d(6 // (w - 1) + 1, 1), Conv2d(7 % (w - 2) + 1, 1))


@case(w=[4, 6], n=[1, 2, 3])
def repeated_lists(w: Any = 4, n: Any = 2) -> Block:
    return seq(
        *(Conv2d(c, 1) for c in [w] * n), Conv2d(1 if n == (1, 2) else 2, 1), Conv2d(1 if w == "x" else 3, 1)
    )


for _definition in (
    in_sets,
    matched,
    caught,
    halved,
    in_place,
    compared,
    beyond_64_bits,
    divided_by_zero,
    repeated_lists,
):
    _given = _definition.function.__annotations__
    _given.update({name: Dim for name, kind in _given.items() if kind is Any})


@case(layers=[(1, 2), (2, 1), (1, 1, 1)], w=W)
def tuples(layers: tuple[int, ...] = (1, 2), w: Dim = 4) -> Block:
    a, b = layers
    return seq(*(Conv2d(w, 1) for _ in range(a)), *(Conv2d(2 * w, 3, padding=1) for _ in range(b)))


@case(p=[0.1, 0.5], w=W)
def dropped(p: float = 0.5, w: Dim = 4) -> Block:
    return seq(Conv2d(w, 1), Dropout(p), *([Conv2d(2, 1)] if p > 0.3 else []))


@case(head=["flat", "map"], w=W, tail=FLAG, k=[1, 15, 17])
def two_kinds_of_shape(head: str = "flat", w: Dim = 4, tail: bool = False, k: Dim = 1) -> Block:
    first = seq(Conv2d(w, k), Flatten() if head == "flat" else Conv2d(3, 1))
    return seq(first, Linear(5) if tail else seq())


@case(n=[1, 2, 3, 4], w=[3, 5, 6])
def raising(n: int = 1, w: Any = 4) -> Block:
    if n == 2:
        raise ValueError("two")
    if n == 3:
        raise DefinitionError("three")
    assert w != 5
    return seq(Conv2d(w, n))


@case(a=[1, 2, 3], f=FLAG, w=W, one=[1])
def of_no_difference(a: int = 1, w: Dim = 4, f: bool = False, one: Dim = 1) -> Block:
    return seq(Conv2d(w, 3), Conv2d(one, 1))


@case(n=range(1, 41), m=[0, 2], w=[3, 4])
def deep(n: int = 1, m: int = 1, w: Dim = 4) -> Block:
    return seq(Conv2d(w, 1), *(Conv2d(w, 3, padding=1) for _ in range(n)), *(Conv2d(w, 1) for _ in range(m)))


@case(k=[1, 3])
def starred(*_: Dim, k: int = 1, **__: int) -> Block:
    return Conv2d(8, k)


@case(k=[3, 5], i=[2, 3], t=["a", "b"], input=[5, 9, 25])
def one_part_before_another(k: int = 3, i: int = 1, t: str = "a") -> Block:
    return seq(Conv2d(6 if t == "a" else 12, k), seq(*(Conv2d(4, k) for _ in range(i))))
