"""Convolutions of any dimension, transposed ones, and those of integers."""

from math import prod

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.registry import BLOCKED, MICROSOFT, operators
from costlab.onnx.tensor import GraphTensor


def convolved(call: NodeCall, kind: str, weight: GraphTensor, bias: bool, positions: int) -> Work:
    """The work where each weight is used once at each of ``positions``, those of all inputs of a batch."""
    outputs = call.output.elements
    return Work(
        kind,
        multiply_adds=weight.elements * positions,
        bias_adds=outputs if bias else 0,
        weights=weight.elements,
        inputs=call.input(0).elements,
        outputs=outputs,
        activations=outputs,
    )


def _positions(map: tuple[int, ...], channels_last: bool = False) -> int:
    size = map[1:-1] if channels_last else map[2:]
    return map[0] * prod(size)


def _kind(call: NodeCall, name: str) -> str:
    return f"{name}{len(call.output.shape) - 2}d"


@operators("Conv", learned=(1, 2))
@operators("FusedConv", domain=MICROSOFT, learned=(1, 2))
@operators("Conv", domain=BLOCKED, learned=(1, 2))
def convolution(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``: one multiply-add per weight per output position."""
    positions = _positions(call.output.shape)
    return convolved(call, _kind(call, "conv"), call.input(1), call.has(2), positions)


@operators("NhwcConv", "NhwcFusedConv", domain=MICROSOFT, learned=(1, 2))
def channels_last(call: NodeCall) -> Work:
    """``(N, *size, C) -> (N, *size', filters)``: the same."""
    positions = _positions(call.output.shape, channels_last=True)
    return convolved(call, _kind(call, "conv"), call.input(1), call.has(2), positions)


@operators("ConvTranspose", learned=(1, 2))
def transposed(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``: one multiply-add per weight per input position."""
    positions = _positions(call.input(0).shape)
    return convolved(call, _kind(call, "conv_transpose"), call.input(1), call.has(2), positions)


@operators("ConvInteger", learned=(1,))
def of_integers(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``, a convolution of integers."""
    return convolved(call, _kind(call, "conv"), call.input(1), False, _positions(call.output.shape))


@operators("QLinearConv", learned=(3, 8))
@operators("QLinearConv", domain=MICROSOFT, learned=(3, 8))
def quantized(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``, or with channels last, of integers that stand for floats."""
    positions = _positions(call.output.shape, bool(call.number("channels_last")))
    return convolved(call, _kind(call, "conv"), call.input(3), call.has(8), positions)


@operators("DeformConv", learned=(1, 3))
def deformable(call: NodeCall) -> Work:
    """``(N, C, H, W) -> (N, filters, H', W')``, each weight at positions between those of the map."""
    positions = _positions(call.output.shape)
    work = convolved(call, _kind(call, "deform_conv"), call.input(1), call.has(3), positions)
    return work._replace(inputs=call.elements_in)


@operators("CausalConvWithState", learned=(1, 2))
def causal(call: NodeCall) -> Work:
    """``(N, C, L) -> (N, C, L)``: each channel by a kernel of its own, with what came before."""
    positions = _positions(call.output.shape)
    work = convolved(call, "conv1d", call.input(1), call.has(2), positions)
    return work._replace(inputs=call.elements_in)
