"""Quantized operators cost what those of floats cost that they were made from."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from torch import Tensor
from torch._ops import OpOverload

from costlab.algebra.work import Work
from costlab.tracing.operator_facts import facts_of
from costlab.tracing.quantized import CONVOLUTION, LINEAR, SPACES, packed_in, weight_of
from costlab.tracing.rules.convolution import convolution, transposed
from costlab.tracing.rules.elements import element_work
from costlab.tracing.rules.products import linear
from costlab.tracing.rules.registry import Rule, Seen


def _linear_of_packed(seen: Seen, input: Tensor, packed: Any, *_: Any) -> Work:
    """``(*, features) -> (*, features')``, as the layer of floats that it was made from."""
    return linear(seen, input, *packed.unpack())


def _convolution_of_packed(seen: Seen, input: Tensor, *args: Any) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``, as the layer of floats that it was made from."""
    packed = packed_in(args)
    weight, bias = weight_of(packed, input.dim() - 2)
    return (transposed if packed.transpose() else convolution)(seen, input, weight, bias)


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
)


@cache
def rule_of(func: OpOverload) -> Rule | None:
    """The rule of a quantized operator; None for those of other kinds."""
    if func.namespace not in SPACES:
        return None
    name = facts_of(func).name

    def element(seen: Seen, *args: Any, **_: Any) -> Work:
        return element_work(seen, name, args)

    return next((rule for form, rule in RULES if form.fullmatch(name)), element)
