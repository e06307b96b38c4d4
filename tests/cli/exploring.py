"""A small space of a definition with an axis of each kind, for the tests of ``costlab explore``."""

from typing import Any

NETS = '''
from typing import Literal

from costlab import Conv2d, Dim, Flatten, Linear, Ratio, ReLU, block, scale, seq


@block(input="3x9x9")
def net(
    filters: Dim = 4, width: Ratio = 1.0, n: int = 3, deep: bool = False, kind: Literal["a", "b"] = "a"
):
    """A network with an axis of each kind."""
    more = [Conv2d(scale(8, width), 3), ReLU()] if deep else []
    last = Conv2d(filters, 1) if kind == "a" else Conv2d(2 * filters, 2)
    return seq(Conv2d(filters, n), *more, last, Flatten(), Linear(5))
'''
NET = "nets.py:net"
AXES: dict[str, list[Any]] = {
    "filters": [2, 5],
    "width": [0.5, 0.75, 1.0],
    "n": [1, 3, 7, 8],
    "deep": [True, False],
    "kind": ["a", "b"],
    "input": [7, 9],
}
VARY = ("filters=2,5", "width=0.5:1:0.25", "n=1,3,7:8", "deep", "kind", "input=7:9:2")
OPTIONS = tuple(word for each in VARY for word in ("--vary", each))
SPACE = (NET, *OPTIONS)
SIZES = ("multiply_adds", "parameters", "activations")
