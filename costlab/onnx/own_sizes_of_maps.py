"""The sizes of what comes out of onnxruntime's operators on maps and sequences, and of models of vectors."""

from collections.abc import Sequence

from costlab.onnx.call import NodeCall
from costlab.onnx.own_sizes import KIN, SIZES, like, sized
from costlab.onnx.rules.registry import BLOCKED, ML
from costlab.onnx.tensor import GraphTensor

__all__ = ["KIN", "SIZES"]


@sized("BiasSplitGelu")
def halved(call: NodeCall) -> list[GraphTensor]:
    """One half of the channels, by the other."""
    *rows, channels = call.input(0).shape
    return [like(call.input(0), (*rows, channels // 2))]


@sized("NhwcConv", "NhwcFusedConv", "QLinearConv")
def convolved(call: NodeCall) -> list[GraphTensor]:
    """A convolution, its channels last or first."""
    weight = call.input(3 if call.operator == "QLinearConv" else 1)
    last = call.operator != "QLinearConv" or bool(call.number("channels_last"))
    return [like(call.input(0), _slid(call, weight.shape[2:], weight.shape[0], last))]


@sized("Conv", domain=BLOCKED)
def convolved_in_blocks(call: NodeCall) -> list[GraphTensor]:
    """A convolution whose map may have more channels than its weights are for, filled up to whole blocks."""
    weight = call.input(1)
    return [like(call.input(0), _slid(call, weight.shape[2:], weight.shape[0], False))]


@sized("GlobalAveragePool", "GlobalMaxPool", domain=BLOCKED)
def pooled_whole(call: NodeCall) -> list[GraphTensor]:
    """A pooling of whole maps."""
    batch, channels, *size = call.input(0).shape
    return [like(call.input(0), (batch, channels, *(1 for _ in size)))]


@sized("Upsample", domain=BLOCKED)
def enlarged(call: NodeCall) -> list[GraphTensor]:
    """A map whose sizes are multiplied."""
    pairs = zip(call.input(0).shape, call.attributes["scales"], strict=True)
    return [like(call.input(0), tuple(size * int(scale) for size, scale in pairs))]


@sized("ReorderInput", domain=BLOCKED)
def into_blocks(call: NodeCall) -> list[GraphTensor]:
    """A map, its channels first."""
    batch, *rest = call.input(0).shape
    first = (rest[-1], *rest[:-1]) if call.number("channels_last") else rest
    return [like(call.input(0), (batch, *first))]


@sized("ReorderOutput", domain=BLOCKED)
def out_of_blocks(call: NodeCall) -> list[GraphTensor]:
    """A map with as many channels as it has without those that fill up, first or last."""
    batch, _, *size = call.input(0).shape
    channels = call.number("channels")
    sizes = (*size, channels) if call.number("channels_last") else (channels, *size)
    return [like(call.input(0), (batch, *sizes))]


@sized("MaxPool", "AveragePool", domain=BLOCKED)
@sized("NhwcMaxPool", "QLinearAveragePool")
def pooled(call: NodeCall) -> list[GraphTensor]:
    """A pooling, its channels last or first."""
    last = call.operator == "NhwcMaxPool" or bool(call.number("channels_last"))
    channels = call.input(0).shape[-1 if last else 1]
    return [like(call.input(0), _slid(call, call.attributes["kernel_shape"], channels, last))]


def _slid(call: NodeCall, kernel: Sequence[int], channels: int, last: bool) -> tuple[int, ...]:
    """The sizes of a map over which a kernel went."""
    shape, rank = call.input(0).shape, len(kernel)
    once, none = (1,) * rank, (0,) * rank * 2
    strides, dilations, pads = (
        call.attributes.get(name) or default
        for name, default in (("strides", once), ("dilations", once), ("pads", none))
    )
    axes = zip(shape[1:-1] if last else shape[2:], kernel, strides, dilations, strict=True)
    made = [
        -(-size // stride)
        if call.text("auto_pad", "NOTSET").startswith("SAME")
        else _windows(size, (extent - 1) * dilation + 1, stride, pads[axis], pads[axis + rank], call)
        for axis, (size, extent, stride, dilation) in enumerate(axes)
    ]
    return (shape[0], *made, channels) if last else (shape[0], channels, *made)


def _windows(size: int, reach: int, stride: int, before: int, after: int, call: NodeCall) -> int:
    """How many windows there are along an axis; with ``ceil_mode`` one more where it begins in the map."""
    room = size + before + after - reach
    if not call.number("ceil_mode"):
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - ((count - 1) * stride >= size + before)


@sized("DynamicQuantizeLSTM")
def recurrent(call: NodeCall) -> list[GraphTensor]:
    """A recurrent layer, its matrices turned: ``(steps, N, features) -> (steps, directions, N, hidden)``."""
    steps, batch, _ = call.input(0).shape
    directions, hidden, _ = call.input(2).shape
    last = like(call.input(0), (directions, batch, hidden))
    return [like(call.input(0), (steps, directions, batch, hidden)), last, last]


@sized("LinearRegressor", domain=ML)
def regressed(call: NodeCall) -> list[GraphTensor]:
    """A number for each target: ``(N, features) -> (N, targets)``."""
    return [like(call.input(0), (*call.input(0).shape[:-1], call.number("targets", 1)))]


@sized("LinearClassifier", domain=ML)
def classified(call: NodeCall) -> list[GraphTensor]:
    """A label, and a score for each class."""
    *rows, features = call.input(0).shape
    classes = len(call.attributes["coefficients"]) // features
    return [GraphTensor(tuple(rows)), like(call.input(0), (*rows, max(classes, 2)))]
