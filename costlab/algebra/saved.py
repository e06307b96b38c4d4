"""Saved: what autograd keeps of one operation for the way back, and what the operation needs besides."""

from typing import NamedTuple

from costlab.algebra.dim import Dim


class Saved(NamedTuple):
    """What autograd keeps of one operation, beside its parameters, until its gradients are computed.

    ``elements``, ``indices`` and all that is needed in passing are per input of the batch, as the quantities
    of a `Work` are; ``statistics`` and ``constants`` are held once for the batch. Elements are of the type of
    the data, but for ``statistics``, which are of the parameters' type, and ``indices``, which are int64.
    Source: the derivative formulas of PyTorch's operators; tests hold them against what autograd saves.
    """

    input: bool = False  # the tensor that it reads, which is kept once however many want it
    output: bool = False  # the tensor that it writes
    elements: Dim = 0  # of other tensors that it makes for that
    statistics: Dim = 0
    constants: int = 0
    indices: Dim = 0
    is_view: bool = False  # it writes no tensor: what it gives is its input, in other sizes perhaps
    scratch: Dim = 0  # elements that it needs while it runs without gradients, beside input and output
    scratch_back: Dim = 0  # the same on the way back, where the gradient of its input is wanted
    whole_back: bool = False  # the gradient of its input is made even where it is not wanted
    unreduced: Dim = 0  # elements of a parameter's gradient before they are added up to the parameter's size
