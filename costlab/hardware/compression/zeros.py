"""Zeros in a weight, told apart: whole channels, N of every M, and those at any place."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy import bool_
    from numpy.typing import NDArray

PATTERNS = ((1, 8), (1, 4), (2, 8), (2, 4), (4, 8), (8, 16))
"""N of every M that are looked for: the fewest first, of as few those of M = 4 first.

What holds of fewer holds of these too: 1:2 is 2:4, which sparse tensor cores take.
"""


class Zeros(NamedTuple):
    """How many of the elements of weights are zero, and why they may be left out.

    ``in_outputs`` lie in features that come out of it and are zero as a whole (``outputs`` filters),
    ``in_inputs`` in others that it reads with zeros alone (``inputs`` channels). ``in_pattern`` are left out
    of the rest by an N:M ``pattern``: along the inputs, at each place of a kernel, no more than N of M that
    follow each other, from the first on, are not zero. ``unstructured`` are at any place, ``untold`` those of
    a weight of which it is not known which axis is which.
    """

    elements: int = 0
    in_outputs: int = 0
    in_inputs: int = 0
    in_pattern: int = 0
    unstructured: int = 0
    untold: int = 0
    outputs: int = 0
    inputs: int = 0
    pattern: str = ""

    @property
    def zeros(self) -> int:
        """All zeros."""
        return self.in_outputs + self.in_inputs + self.in_pattern + self.unstructured + self.untold

    @property
    def in_channels(self) -> int:
        """The zeros in whole channels, which can be cut away."""
        return self.in_outputs + self.in_inputs

    @property
    def nonzero(self) -> int:
        """The elements that are not zero."""
        return self.elements - self.zeros


def zeros_in(mask: "NDArray[bool_]") -> Zeros:
    """The zeros of one weight, by its mask, ``(groups, outputs, inputs, places)``, True where it is not zero.

    A zero counts once: in a whole output, else in a whole input, else by the pattern, else unstructured.
    """
    elements = int(mask.size)
    zeros = elements - int(mask.sum())
    if not zeros or mask.ndim == 1:
        return Zeros(elements, untold=zeros)
    groups, outputs, inputs, places = mask.shape
    out_used, in_used = mask.any(axis=(2, 3)), mask.any(axis=(1, 3))  # (groups, outputs), (groups, inputs)
    left = out_used.sum(axis=1)
    cut_outputs = int(groups * outputs - left.sum())
    in_outputs = cut_outputs * inputs * places
    unread = inputs - in_used.sum(axis=1)
    in_inputs = int((unread * left).sum()) * places
    pattern, in_pattern = _pattern(mask, in_used, left)
    rest = zeros - in_outputs - in_inputs - in_pattern
    return Zeros(
        elements,
        in_outputs,
        in_inputs,
        in_pattern,
        rest,
        0,
        cut_outputs,
        int(unread[left > 0].sum()) if left.any() else 0,
        pattern,
    )


def _pattern(mask: Any, in_used: Any, left: Any) -> tuple[str, int]:
    """The first of `PATTERNS` that holds, and the zeros that it leaves out of channels that are not cut."""
    import numpy as np

    groups, outputs, inputs, places = mask.shape
    most: dict[int, int] = {}
    for few, of in PATTERNS:
        if inputs % of:
            continue
        if of not in most:
            blocks = mask.reshape(groups, outputs, inputs // of, of, places)
            most[of] = int(blocks.sum(axis=3, dtype=np.uint8).max(initial=0))
        if 0 < most[of] <= few:
            used = in_used.reshape(groups, inputs // of, of).sum(axis=2)
            spared = np.maximum(used - few, 0).sum(axis=1)
            left_out = int((spared * left).sum()) * places
            return (f"{few}:{of}", left_out) if left_out else ("", 0)
    return "", 0


def added(many: Iterable[Zeros]) -> Zeros:
    """The zeros of several weights; patterns that differ are all named."""
    every = list(many)
    sums = [sum(column) for column in zip(*(each[:-1] for each in every), strict=True)]
    patterns = dict.fromkeys(each.pattern for each in every if each.pattern)
    return Zeros._make((*sums, ", ".join(patterns))) if every else Zeros()
