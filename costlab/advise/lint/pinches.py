"""Pinches: where all that is alive becomes less than half as large at once."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from math import ceil, prod

from costlab.advise.graph import Graph, Step
from costlab.advise.lint.cuts import between_blocks, first_of_answer, is_map, narrows, waists
from costlab.advise.lint.finding import PINCH, Finding
from costlab.advise.lint.text import place_of
from costlab.algebra.window import times
from costlab.counting.family import family_of

MOST = 2
"""How many times smaller a waist may be than the one before it."""


def pinches(graph: Graph) -> Iterator[tuple[int, Finding]]:
    """The pinches of a network, each with the number of its step.

    They are between feature maps with as many axes. The answer of the network, scores for each place say, has
    as many channels as are asked for, and is no pinch.
    """
    found = waists(graph)
    begin = first_of_answer(graph, found)
    steps = graph.steps
    for before, number in pairwise(between_blocks(graph, found)):
        a, b = steps[before], steps[number]
        alike = is_map(a) and is_map(b) and len(a.sizes) == len(b.sizes)
        if (
            alike
            and a.elements > MOST * b.sizes[1] * _places(a, b)
            and not (number >= begin and narrows(a, b))
        ):
            yield number, _finding(a, b)


def _places(before: Step, step: Step) -> Fraction:
    """The places of the whole batch; half of an odd number of them is not rounded down.

    Whether a stride of 2 is a pinch hangs on the channels then, and not on the size of the input.
    """
    pairs = zip(before.grid, step.grid, strict=True)
    return prod(
        (Fraction(a, 2) if a == 2 * b + 1 else Fraction(b) for a, b in pairs), start=Fraction(step.sizes[0])
    )


def _finding(before: Step, step: Step) -> Finding:
    ratio = before.elements / step.elements
    return Finding(
        PINCH,
        place_of(step),
        "warning",
        f"all that is passed on becomes {times(step.sizes[1:])}, from {times(before.sizes[1:])} "
        f"after {place_of(before)}: {ratio:.2f} times fewer elements",
        {
            "before": place_of(before),
            "from_sizes": before.sizes[1:],
            "to_sizes": step.sizes[1:],
            "from_elements": before.elements,
            "to_elements": step.elements,
            "ratio": ratio,
        },
        _change(before, step),
    )


def _change(before: Step, step: Step) -> str:
    """With how many channels the elements are halved, and no more."""
    wanted = ceil(before.elements / (MOST * _places(before, step)))
    if family_of(step.kind) == "pooling":
        return (
            f"put a convolution of {wanted - step.sizes[1]} filters with the pooling's stride beside it, and "
            f"concatenate both: {wanted} channels halve the elements"
        )
    return f"{wanted} channels in place of {step.sizes[1]} halve the elements"
