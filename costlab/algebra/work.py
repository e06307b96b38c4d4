"""Work: the quantities that one operation reports. What they cost is a convention's business."""

from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from costlab.algebra.dim import Dim, is_array, product, refuse_clashes, total

Form = Literal["module", "subclass", "function", "torch", "method", "operator", "multihead", "weighing"]
"""How an operation is asked for; some tools see a module only, others a function only.

``module``: a module of torch.nn that is the operation; ``subclass``: one of a class derived from it;
``function``: torch.nn.functional; ``torch``: a function of torch; ``method``: one of a tensor; ``operator``:
a sign such as ``+``; ``multihead`` and ``weighing``: within torch.nn.MultiheadAttention, without and with the
attention weights among its outputs.
"""
NOTHING_ELSE: Mapping[str, Dim] = MappingProxyType({})


class Work(NamedTuple):
    """What one operation does to one input.

    ``weights``, ``parameters`` and ``cost`` are held once; every other quantity is per input of the batch.
    ``cost`` is that of a sum under the convention it was asked for; operations leave it alone. ``also`` holds
    what only the conventions of some tools ask for, by name; a sum has none.
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
    cost: Dim = 0
    form: Form = "module"
    also: Mapping[str, Dim] = NOTHING_ELSE

    def __hash__(self) -> int:
        return hash(self[:11])  # a mapping has no hash

    @property
    def sizes(self) -> tuple[Dim, ...]:
        """Its quantities, in the order of `QUANTITIES`."""
        return self[1:9]

    def quantity(self, name: str) -> Dim:
        """A quantity by its name, one of ``also`` too; 0 where the operation has nothing of it."""
        if name in QUANTITIES:
            size: Dim = getattr(self, name)
            return size
        same = self.parameters if name == "sample_parameters" else 0
        return self.also.get(name, same)


HELD_ONCE = ("weights", "parameters")
QUANTITIES = Work._fields[1:9]
ALSO = {
    "samples": "inputs of the batch",
    "affine": "outputs of a normalization whose module says that it is affine",
    "scalars": "products of two numbers, sizes for instance",
    "resized": "elements of an interpolation's output, or its sizes multiplied where they are given",
    "interpolated": "elements of its input, or its sizes multiplied where they are given",
    "ungrouped": "multiply-adds too much where a weight's gradient is not divided by the groups",
    "truncated": "what is lost where a mean's size is reckoned in floating point",
    "lost_rows": "multiply-adds and bias adds of all rows but one of each input",
    "added": "elements of the matrix that is added to a product",
    "numpy_half": "half of the next, less the multiply-adds",
    "sample_parameters": "parameters, once for each input of the batch",
    "named_padding": "multiply-adds where padding is given by name",
    "edge": "multiply-adds of the last row and column where padding by name is uneven",
    "edge_bias": "additions of a bias there",
    "rows": "rows that a softmax goes through",
    "neighbours": "additions of neighbouring channels to a window's first",
    "window": "elements within the windows of a pooling, padding included where it counts",
    "statistics": "elements that statistics are taken of",
    "by_output": "multiply-adds of a transposed convolution, reckoned from the size of its output",
    "by_output_ungrouped": "the same, as if it had one group; not where it keeps the number of channels",
    "lost_positions": "multiply-adds and bias adds of all positions but one, by another name than Conv",
    "own_weights": "elements of weight and bias of a module without others in it, once for each input",
    "unasked_bias": "additions of a bias to what comes out of attention, where it has none",
    "plane": "elements of an interpolation's output, where it is one of height and width",
    "first_outputs": "elements of what comes out for the first input of the batch",
    "floored": "multiply-adds of a transposed convolution whose filters are divided by its groups twice",
    "input_bias": "additions of a bias, reckoned as of a convolution that is not transposed",
    "table": "elements of an embedding's table, once for each input of the batch",
    "fused_bias": "additions of a bias that are part of one matrix product",
    "states": "elements of hidden states, one for each step, layer and direction",
    "cell_parameters": "parameters of a recurrent cell, once for each element that it puts out",
    "gates": "multiply-adds of an LSTM but for its projections",
    "unprojected": "multiply-adds of an LSTM with projections, as if it had none",
    "narrow": "multiply-adds of an LSTM with projections, as if its states were as narrow as they",
    "crossed": "elements of the first of a matrix and a vector, by the size of the last axis of the other",
    "aligned_left": "elements of a broadcast whose shapes are aligned from the left",
    "sequence": "elements of a sequence that attention reads",
    "scores": "elements of the attention weights",
    "numpy_flops": "what NumPy's einsum_path prints as optimized FLOP count, less two for each multiply-add",
}
"""The quantities that ``also`` may hold."""


def add_up(kind: str, works: Iterable[Work], batch: Dim = 1) -> Work:
    """The sum of ``works``, for a batch of inputs, under one name.

    Raises:
        DefinitionError: they are for arrays that do not broadcast, or for arrays and symbols.
    """
    columns = zip(*works, strict=True)
    next(columns, None)  # the kinds
    quantities = dict(zip(QUANTITIES, columns, strict=False))
    try:
        sums = {name: total(column) for name, column in quantities.items()}
        sizes = {name: dim if name in HELD_ONCE else product(batch, dim) for name, dim in sums.items()}
    except (TypeError, ValueError):
        refuse_clashes([batch, *chain(*quantities.values())])
        raise
    for size in sizes.values():
        if is_array(size):
            size.setflags(write=False)  # a count is a value: doubling one of its sizes in place is refused
    summed: Any = sizes  # the rest of a work is as it is without
    return Work(kind, **summed)
