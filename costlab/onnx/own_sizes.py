"""The sizes of what comes out where onnx's inference knows nothing: of onnxruntime's operators, mostly."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from costlab.onnx.call import NodeCall
from costlab.onnx.rules.registry import MICROSOFT
from costlab.onnx.tensor import GraphTensor, UnsizedError

Sized: TypeAlias = Callable[[NodeCall], list[GraphTensor]]
KIN = {
    (MICROSOFT, "FusedConv"): "Conv",
    (MICROSOFT, "FusedGemm"): "Gemm",
    (MICROSOFT, "QuantizeLinear"): "QuantizeLinear",
    (MICROSOFT, "DequantizeLinear"): "DequantizeLinear",
    (MICROSOFT, "Pad"): "Pad",
    (MICROSOFT, "GridSample"): "GridSample",
    (MICROSOFT, "Inverse"): "Identity",
    (MICROSOFT, "Unique"): "Unique",
}
"""Operators that give what one of onnx gives, by its name."""
SIZES: dict[tuple[str, str], Sized] = {}


def sized(*names: str, domain: str = MICROSOFT) -> Callable[[Sized], Sized]:
    """Let a rule tell the sizes of what operators give; what it does not know is left open."""

    def register(rule: Sized) -> Sized:
        def told(call: NodeCall) -> list[GraphTensor]:
            try:
                return rule(call)
            except (UnsizedError, ValueError, IndexError):
                return []

        for name in names:
            SIZES[domain, name] = told
        return told

    return register


@sized("GroupNormalization", "MeanVarianceNormalization", "SimplifiedLayerNormalization", domain="")
@sized(
    *("BiasAdd", "BiasDropout", "BiasGelu", "BiasSoftmax", "BitmaskDropout", "FastGelu", "Gelu", "GroupNorm"),
    *("LayerNormalization", "QuickGelu", "SwiGLU"),
    *("QLinearLeakyRelu", "QLinearSigmoid", "QLinearSoftmax", "RotaryEmbedding", "SkipGroupNorm"),
    *("SimplifiedLayerNormalization", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"),
)
def as_first(call: NodeCall) -> list[GraphTensor]:
    """What is as large as the first input."""
    return [like(call.input(0), call.input(0).shape)]


@sized("STFT", domain="")
def spectra(call: NodeCall) -> list[GraphTensor]:
    """The spectrum of each frame: ``(N, samples, ...) -> (N, frames, frequencies, 2)``.

    onnx's inference forgets that half of the frequencies of a real signal are left out.
    """
    signal, step, window, given = call.input(0), call.input(1), call.optional(2), call.optional(3)
    length = given.values if given is not None else None
    wide = int(length.item()) if length is not None else window.elements if window is not None else 0
    if step.values is None or not wide:
        return []
    frames = 1 + (signal.shape[1] - wide) // int(step.values.item())
    bins = wide // 2 + 1 if call.number("onesided", 1) else wide
    return [like(signal, (signal.shape[0], frames, bins, 2))]


@sized("QLinearAdd", "QLinearMul")
def broadcast(call: NodeCall) -> list[GraphTensor]:
    """A sum or product of quantized tensors, at places 0 and 3."""
    return [like(call.input(0), np.broadcast_shapes(call.input(0).shape, call.input(3).shape))]


@sized("QLinearConcat")
def joined(call: NodeCall) -> list[GraphTensor]:
    """Quantised tensors, each with its scale and zero point, side by side."""
    tensors = [call.input(place) for place in range(2, len(call.inputs), 3)]
    sizes, axis = list(tensors[0].shape), call.attributes["axis"]
    sizes[axis] = sum(each.shape[axis] for each in tensors)
    return [like(tensors[0], tuple(sizes))]


@sized("QLinearGlobalAveragePool")
def pooled(call: NodeCall) -> list[GraphTensor]:
    """The mean of each channel."""
    first = call.input(0).shape
    last = bool(call.attributes.get("channels_last"))
    ones = (1,) * (len(first) - 2)
    return [like(call.input(0), (first[0], *ones, first[-1]) if last else (*first[:2], *ones))]


@sized("FusedMatMul", "TransposeMatMul")
def product(call: NodeCall) -> list[GraphTensor]:
    """A product of matrices, either of which may be transposed."""
    a, b = list(call.input(0).shape), list(call.input(1).shape)
    if call.attributes.get("transA"):
        a[-2:] = a[:-3:-1]
    if call.attributes.get("transB"):
        b[-2:] = b[:-3:-1]
    return [like(call.input(0), _multiplied(tuple(a), tuple(b)))]


@sized("MatMulIntegerToFloat")
def of_integers(call: NodeCall) -> list[GraphTensor]:
    """A product of quantized matrices, as floating point: of the type of the scale."""
    return [like(call.input(2), _multiplied(call.input(0).shape, call.input(1).shape))]


@sized("DynamicQuantizeMatMul")
def quantized_first(call: NodeCall) -> list[GraphTensor]:
    """A product of a matrix that is quantized here and one that is."""
    return [like(call.input(0), _multiplied(call.input(0).shape, call.input(1).shape))]


@sized("MatMulNBits", "MatMulBnb4", "MatMulFpQ4")
def packed(call: NodeCall) -> list[GraphTensor]:
    """A linear layer whose weights are packed: ``(..., K) -> (..., N)``."""
    return [like(call.input(0), (*call.input(0).shape[:-1], call.attributes["N"]))]


@sized("QGemm")
def layer(call: NodeCall) -> list[GraphTensor]:
    """A quantized linear layer: A with scale and zero point, B likewise."""
    a, b = call.input(0).shape, call.input(3).shape
    rows = a[1] if call.attributes.get("transA") else a[0]
    return [like(call.input(0), (rows, b[0] if call.attributes.get("transB") else b[1]))]


@sized("Attention", "QAttention")
def attention(call: NodeCall) -> list[GraphTensor]:
    """Attention of a sequence to itself, with the weights of all three: ``(N, L, E) -> (N, L, values)``."""
    data, weight = call.input(0), call.input(1)
    wide = call.attributes.get("qkv_hidden_sizes") or [0, 0, weight.shape[1] // 3]
    return [like(data, (*data.shape[:-1], int(wide[-1])))]


@sized("MultiHeadAttention", "GroupQueryAttention", "DecoderMaskedMultiHeadAttention")
def of_queries(call: NodeCall) -> list[GraphTensor]:
    """Attention of queries to keys and values, heads side by side; all three may be packed in one."""
    query, value = call.input(0), call.optional(2)
    *rows, last = query.shape
    if len(query.shape) == 5:  # heads, three of each, their width
        return [like(query, (rows[0], rows[1], rows[2] * last))]
    if call.operator == "GroupQueryAttention":
        heads, held = call.number("num_heads"), call.number("kv_num_heads")
        return [like(query, (*rows, last if value is not None else last // (heads + 2 * held) * heads))]
    if value is None:
        return []
    return [
        like(query, (*rows, value.shape[-1] if len(value.shape) == 3 else value.shape[1] * value.shape[-1]))
    ]


@sized("EmbedLayerNormalization")
def embedded(call: NodeCall) -> list[GraphTensor]:
    """Tokens as vectors, normalized: ``(N, L) -> (N, L, E)``."""
    table = call.input(2)
    return [like(table, (*call.input(0).shape, table.shape[1]))]


def _multiplied(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of a product of matrices."""
    if a[-1] != b[-2]:
        raise ValueError
    return (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])


def like(tensor: GraphTensor, sizes: tuple[int, ...]) -> GraphTensor:
    """A tensor of the type of another."""
    return GraphTensor(sizes, tensor.element_type)
