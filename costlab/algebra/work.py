"""Work: the quantities that one operation reports. What they cost is a convention's business."""

from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

from costlab.algebra.dim import Dim, is_array, product, refuse_clashes, total


class Work(NamedTuple):
    """What one operation does to one input.

    ``weights`` and ``parameters`` are held once; every other quantity is per input of the batch.
    """

    kind: str
    multiply_adds: Dim = 0  # one per weight per output position; one per product that matrices sum up
    bias_adds: Dim = 0
    weights: Dim = 0  # elements of a convolution's or linear layer's weight
    parameters: Dim = 0  # every learned element: weights, biases, scales, shifts, slopes
    inputs: Dim = 0  # elements read
    outputs: Dim = 0  # elements written
    activations: Dim = 0  # outputs of convolutions and linear layers (fvcore's definition)
    scalings: Dim = 0  # outputs multiplied by a learned scale in a normalization
    window_elements: Dim = 0  # elements within the windows of a mean, padding included where it counts

    @property
    def sizes(self) -> tuple[Dim, ...]:
        """Its quantities, in the order of `QUANTITIES`."""
        return self[1:9]

    @property
    def tensors(self) -> tuple[Dim, ...]:
        """The elements of each tensor of parameters: weights; biases, or scales and shifts."""
        weights, parameters = self.weights, self.parameters
        if isinstance(parameters, int) and not parameters:
            return ()
        has_weights = not isinstance(weights, int) or weights > 0
        others: Any = parameters - weights if has_weights else parameters
        is_all = (
            others == 0 if isinstance(others, int) else isinstance(self.bias_adds, int) and not self.bias_adds
        )
        if has_weights and is_all:
            return (weights,)
        is_scaled = not isinstance(self.scalings, int) or self.scalings > 0
        rest = (others - others // 2, others // 2) if is_scaled else (others,)
        return (weights, *rest) if has_weights else rest


HELD_ONCE = ("weights", "parameters")
QUANTITIES = Work._fields[1:9]
"""The quantities that tables show; the others are for conventions only."""


def add_up(kind: str, works: Iterable[Work], batch: Dim = 1) -> Work:
    """The sum of ``works``, for a batch of inputs, under one name.

    Raises:
        DefinitionError: they are for arrays that do not broadcast, or for arrays and symbols.
    """
    columns = zip(*works, strict=True)
    next(columns, None)  # the kinds
    quantities = dict(zip(Work._fields[1:], columns, strict=False))
    try:
        sums = {name: total(column) for name, column in quantities.items()}
        sizes = {name: dim if name in HELD_ONCE else product(batch, dim) for name, dim in sums.items()}
    except (TypeError, ValueError):
        refuse_clashes([batch, *chain(*quantities.values())])
        raise
    for size in sizes.values():
        if is_array(size):
            size.setflags(write=False)  # a count is a value: doubling one of its sizes in place is refused
    summed: Any = sizes
    return Work(kind, **summed)
