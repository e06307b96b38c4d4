"""Attention, as one operator."""

from collections.abc import Iterator
from math import prod

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.products import multiplied
from costlab.onnx.rules.registry import MICROSOFT, PREVIEW, operators
from costlab.onnx.tensor import GraphTensor, UnsizedError


def attended(pairs: int, width: int, value_width: int, given: int, outputs: int) -> Work:
    """``width + value_width`` multiply-adds for each pair of a query and a key, those of every head."""
    return Work("attention", multiply_adds=pairs * (width + value_width), inputs=given, outputs=outputs)


def _heads(tensor: GraphTensor, heads: int) -> tuple[int, int, int, int]:
    """Batch, heads, length and width of ``(N, heads, L, d)``, or of ``(N, L, heads * d)``."""
    if len(tensor.shape) == 4:
        batch, heads, length, width = tensor.shape
        return batch, heads, length, width
    batch, length, features = tensor.shape
    if not heads:
        raise UnsizedError
    return batch, heads, length, features // heads


@operators("Attention")
@operators("FlexAttention", domain=PREVIEW)
def attention(call: NodeCall) -> Work:
    """``(N, heads, Lq, d), (N, held, Lk, d), (N, held, Lk, dv) -> (N, heads, Lq, dv)``, or with heads last.

    ``heads * Lq * Lk * (d + dv)`` for each of the batch, past keys among ``Lk``, masked pairs too.
    """
    batch, heads, queries, width = _heads(call.input(0), call.number("q_num_heads"))
    _, _, keys, _ = _heads(call.input(1), call.number("kv_num_heads"))
    _, _, _, value_width = _heads(call.input(2), call.number("kv_num_heads"))
    if call.has(4):
        keys += call.input(4).shape[-2]
    pairs = batch * heads * queries * keys
    given = sum(call.input(place).elements for place in (0, 1, 2, 4, 5) if call.has(place))
    return attended(pairs, width, value_width, given, batch * heads * queries * value_width)


@operators("LinearAttention")
def linear_attention(call: NodeCall) -> Work:
    """``(N, L, heads * d), (N, L, held * d), (N, L, held * dv) -> (N, L, heads * dv)``, step by step.

    A state of ``(d, dv)`` for each head of the keys: a step adds a product to each of its elements, a
    rule of deltas takes one with the key before, and each head of the queries one with theirs.
    """
    batch, heads, length, width = _heads(call.input(0), call.number("q_num_heads"))
    _, held, _, value_width = _heads(call.input(2), call.number("kv_num_heads"))
    updates = 2 if "delta" in call.text("update_rule", "gated_delta") else 1
    state = batch * length * width * value_width
    return Work(
        "linear_attention",
        multiply_adds=state * (held * updates + heads),
        inputs=call.elements_in,
        outputs=batch * heads * length * value_width,
    )


@operators("Attention", domain=MICROSOFT, learned=(1, 2))
@operators("QAttention", domain=MICROSOFT, learned=(1, 2))
def projected(call: NodeCall) -> Iterator[Work]:
    """``(N, L, d) -> (N, L, dv)``: a linear layer to queries, keys and values, then attention among them."""
    data, weight = call.input(0), call.input(1)
    batch, length, features = data.shape
    widths = list(call.attributes.get("qkv_hidden_sizes", [weight.shape[-1] // 3] * 3))
    outputs = batch * length * sum(widths)
    layer = multiplied(call, "linear", weight, features)
    yield layer._replace(
        multiply_adds=outputs * features,
        bias_adds=outputs if call.has(2) else 0,
        inputs=data.elements,
        outputs=outputs,
        activations=outputs,
    )
    place = 8 if call.operator == "QAttention" else 4
    keys = length + (call.input(place).shape[-2] if call.has(place) else 0)
    pairs = batch * length * keys
    yield attended(pairs, widths[0], widths[2], outputs, batch * length * widths[2])


@operators("MultiHeadAttention", domain=MICROSOFT, learned=(3,))
def multihead(call: NodeCall) -> Work:
    """``(N, Lq, d), (N, Lk, d), (N, Lk, dv) -> (N, Lq, dv)``, past keys among ``Lk``.

    Queries, keys and values may be packed in one, ``(N, L, heads, 3, d)``, keys and values in one so.
    Source: the documentation of onnxruntime's contrib operators.
    """
    query, key, value = call.input(0), call.optional(1), call.optional(2)
    heads, past = call.number("num_heads"), call.optional(6)
    before = 0 if past is None else past.shape[-2]
    given = sum(call.input(place).elements for place in (0, 1, 2, 6, 7) if call.has(place))
    if key is None:
        batch, length, _, _, width = query.shape
        queries, keys, value_width = length, length, width
    else:
        batch, queries, features = query.shape
        width = value_width = features // max(heads, 1)
        keys = key.shape[2] if len(key.shape) == 4 else key.shape[1]
        if value is not None:
            value_width = value.shape[-1] if len(value.shape) == 4 else value.shape[-1] // max(heads, 1)
    keys += before
    outputs = batch * queries * heads * value_width
    work = attended(batch * heads * queries * keys, width, value_width, given, outputs)
    added = batch * heads * (queries * width + keys * (width + value_width)) if call.has(3) else 0
    return work._replace(bias_adds=added)


@operators("GroupQueryAttention", domain=MICROSOFT, learned=())
def group_query(call: NodeCall) -> Work:
    """``(N, L, heads * d), (N, L, held * d), (N, L, held * d) -> (N, L, heads * d)``, past keys among them.

    How many of the past keys are used is known by data only: all that there is room for are counted.
    """
    query, key, past = call.input(0), call.optional(1), call.optional(3)
    heads, held = call.number("num_heads"), call.number("kv_num_heads")
    batch, length, features = query.shape
    width = features // max(heads if key is not None else heads + 2 * held, 1)
    keys = _room(call, length, past)
    given = sum(call.input(place).elements for place in (0, 1, 2, 3, 4) if call.has(place))
    pairs = batch * heads * length * keys
    return attended(pairs, width, width, given, batch * length * heads * width)


def _room(call: NodeCall, length: int, past: GraphTensor | None) -> int:
    """How many keys there are: as long as the sequence where its whole length is known, else past and new."""
    total = call.optional(6)
    if total is not None and total.values is not None:
        return int(total.values.max())
    return length + (0 if past is None else past.shape[-2])


@operators("RotaryEmbedding", learned=())
@operators("RotaryEmbedding", "GemmaRotaryEmbedding", domain=MICROSOFT, learned=())
def rotated(call: NodeCall) -> Work:
    """Any shape to the same: pairs of elements are turned, by sines and cosines that are given."""
    return Work("rotary_embedding", inputs=call.input(0).elements, outputs=prod(call.output.shape))
