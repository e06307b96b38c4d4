"""Quantized operators cost what those of floats cost that they were made from."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from torch import Tensor
from torch._ops import OpOverload

from costlab.algebra.work import Work
from costlab.tracing.operator_facts import facts_of
from costlab.tracing.packed_weights import unpacked
from costlab.tracing.quantized import (
    CELL,
    CONVOLUTION,
    EMBEDDING,
    LINEAR,
    LINEAR_OF_BLOCKS,
    SPACES,
    packed_in,
    weight_of,
)
from costlab.tracing.rules.convolution import convolution, transposed
from costlab.tracing.rules.elements import element_work
from costlab.tracing.rules.products import linear
from costlab.tracing.rules.recurrent import recurrent
from costlab.tracing.rules.registry import Rule, Seen, operators


def _linear_of_packed(seen: Seen, input: Tensor, packed: Any, *_: Any) -> Work:
    """``(*, features) -> (*, features')``, as the layer of floats that it was made from."""
    return linear(seen, input, *packed.unpack())


def _convolution_of_packed(seen: Seen, input: Tensor, *args: Any) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``, as the layer of floats that it was made from."""
    packed = packed_in(args)
    weight, bias = weight_of(packed, input.dim() - 2)
    return (transposed if packed.transpose() else convolution)(seen, input, weight, bias)


def _linear_of_blocks(seen: Seen, input: Tensor, packed: Any, *_: Any) -> Work:
    """``(*, features) -> (*, features')`` by a weight in sparse blocks: as dense, whatever is zero in it."""
    return linear(seen, input, *unpacked(packed))


def _embedding_of_packed(seen: Seen, packed: Any, indices: Tensor, *_: Any, **__: Any) -> Work:
    """Rows of a table, no multiply-adds."""
    return Work("embedding", inputs=indices.numel(), outputs=seen.first.numel())


def _cell_of_packed(kind: str) -> Callable[..., Work]:
    def cell(seen: Seen, input: Tensor, hx: Any, *packed: Any, **_: Any) -> Work:
        """``(N, features) -> (N, hidden)``: each weight once for a row."""
        weights = [each for one in packed[:2] for each in unpacked(one)]
        return recurrent(kind, seen, input.numel() // max(input.shape[-1], 1), weights, input.numel())

    return cell


@operators("quantized_lstm", "quantized_gru")
def recurrent_of_packed(seen: Seen, data: Tensor, *args: Any, **_: Any) -> Work:
    """``(steps, N, features) -> (steps, N, hidden)``, or a packed sequence, as the layer of floats."""
    lists = [each for each in args if isinstance(each, tuple | list)]
    weights = [tensor for each in lists[-1] for tensor in unpacked(each)]
    steps = data.numel() // max(data.shape[-1], 1)
    return recurrent(seen.operator.removeprefix("quantized_"), seen, steps, weights, data.numel())


def _matmul(seen: Seen, a: Tensor, b: Tensor, *_: Any) -> Work:
    """A product of matrices."""
    outputs = seen.output.numel()
    return Work(
        "matmul",
        multiply_adds=outputs * a.shape[-1],
        inputs=a.numel() + b.numel(),
        outputs=outputs,
        activations=outputs,
    )


RULES: tuple[tuple[re.Pattern[str], Callable[..., Work]], ...] = (
    (LINEAR, _linear_of_packed),
    (CONVOLUTION, _convolution_of_packed),
    (re.compile("matmul"), _matmul),
    (LINEAR_OF_BLOCKS, _linear_of_blocks),
    (EMBEDDING, _embedding_of_packed),
)


@cache
def rule_of(func: OpOverload) -> Rule | None:
    """The rule of a quantized operator; None for those of other kinds."""
    if func.namespace not in SPACES:
        return None
    name = facts_of(func).name
    if found := CELL.fullmatch(name):
        return _cell_of_packed(f"{found['kind'].partition('_')[0]}_cell")

    def element(seen: Seen, *args: Any, **_: Any) -> Work:
        return element_work(seen, name, args)

    return next((rule for form, rule in RULES if form.fullmatch(name)), element)
