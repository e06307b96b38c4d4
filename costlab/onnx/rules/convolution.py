"""Convolutions of any dimension, and transposed ones."""

from math import prod

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.registry import operators


@operators("Conv")
def convolution(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``: one multiply-add per weight per output position."""
    return convolved(call, "conv", positions_of=call.output.shape)


@operators("ConvTranspose")
def transposed(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``: one multiply-add per weight per input position."""
    return convolved(call, "conv_transpose", positions_of=call.input(0).shape)


def convolved(call: NodeCall, kind: str, positions_of: tuple[int, ...]) -> Work:
    """The work where each weight is used once at every position of a feature map, of each input."""
    weight, outputs = call.input(1), call.output.elements
    batch, _, *size = positions_of
    return Work(
        f"{kind}{len(size)}d",
        multiply_adds=weight.elements * batch * prod(size),
        bias_adds=0 if call.optional(2) is None else outputs,
        weights=weight.elements,
        inputs=call.input(0).elements,
        outputs=outputs,
        activations=outputs,
    )
