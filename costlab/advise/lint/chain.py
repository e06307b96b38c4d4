"""Steps in a row, between which nothing branches off."""

from collections.abc import Callable

from costlab.advise.graph import INPUT, Graph, Step
from costlab.advise.lint.cuts import is_depthwise, is_pointwise, on_the_way
from costlab.counting.family import family_of

PASSING = ("activation functions", "normalization")
"""The families of what stands between a convolution and a pooling, and changes no sizes."""


class Chain:
    """Which step alone reads another, past activations, norms and dropout.

    A separable convolution, a depthwise and then a pointwise one, is taken for a single one.
    """

    def __init__(self, graph: Graph) -> None:
        """Of what is on the way to an output."""
        self._graph = graph
        self._counted = frozenset(on_the_way(graph))

    def reader(self, number: int, wanted: Callable[[Step], bool]) -> int | None:
        """The step that alone reads one, if it is such."""
        steps = self._graph.steps
        while number not in self._graph.outputs:
            readers = [each for each in self._graph.readers[number] if each in self._counted]
            if len(readers) != 1 or steps[readers[0]].reads != (number,):
                return None
            number = readers[0]
            if wanted(steps[number]):
                return number
            if not passes(steps[number]):
                return None
        return None

    def convolution_after(self, number: int) -> int | None:
        """The convolution that alone reads a step, the last part of a separable one."""
        found = self.reader(number, is_convolution)
        if found is None or not is_depthwise(self._graph.steps[found]):
            return found
        last = self.reader(found, is_pointwise)
        return found if last is None else last

    def given(self, number: int) -> int | None:
        """The step that one reads, if it is a single one; what comes in from outside is none."""
        reads = self._graph.steps[number].reads
        return reads[0] if len(reads) == 1 and reads != (INPUT,) else None

    def channels_and_grid(self, number: int) -> tuple[int, tuple[int, ...]] | None:
        """What comes into a convolution, the first part of a separable one, as far as it is known."""
        step = self._graph.steps[self._first_part(number)]
        if step.convolution is not None:
            channels, *grid = map(int, step.convolution.input)
            return channels, tuple(grid)
        given = self.given(number)
        sizes = self._graph.steps[given].sizes if given is not None else ()
        if step.reads == (INPUT,):
            sizes = self._graph.input
        return None if len(sizes) < 3 else (sizes[1], sizes[2:])

    def _first_part(self, number: int) -> int:
        """The depthwise convolution before a pointwise one; else the convolution itself."""
        steps = self._graph.steps
        before = self.given(number) if is_pointwise(steps[number]) else None
        while before is not None and passes(steps[before]):
            before = self.given(before)
        return number if before is None or not is_depthwise(steps[before]) else before


def is_convolution(step: Step) -> bool:
    """Whether it is a convolution in any number of dimensions, and not transposed."""
    return family_of(step.kind) == "convolution" and "transpose" not in step.kind


def passes(step: Step) -> bool:
    """Whether it is an activation, a norm or dropout."""
    return family_of(step.kind) in PASSING or "dropout" in step.kind
