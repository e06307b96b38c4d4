"""Operations element by element, reductions, and those that only move elements: none has weights."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.work import Work
from costlab.tracing.rules.registry import Seen, calls, operators, shapes
from costlab.tracing.shortcuts import concatenated

ALIASES = {
    "_softmax": "softmax",
    "_safe_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "cat": "concat",
    "stack": "concat",
    "_prelu_kernel": "prelu",
    "true_divide": "div",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "rsub": "sub",
    "square": "pow",
}


def kind_of(operator: str) -> str:
    """The kind of an operator of aten by its name."""
    name = operator.rstrip("_") if not operator.endswith("__") else operator
    return ALIASES.get(name, name)


def element_work(seen: Seen, operator: str, args: tuple[Any, ...]) -> Work:
    """Elements read and written, and no more."""
    outputs = seen.output if isinstance(seen.output, tuple | list) else (seen.output,)
    return Work(
        kind_of(operator),
        inputs=sum(each.numel() for each in args if isinstance(each, Tensor)),
        outputs=sum(each.numel() for each in outputs if isinstance(each, Tensor)),
    )


@calls(F.embedding, F.embedding_bag)
def embedding(seen: Seen, input: Tensor, weight: Tensor, *_: Any, **__: Any) -> Work:
    """``(*) -> (*, features)``: rows of a table, no multiply-adds."""
    return Work("embedding", inputs=input.numel(), outputs=seen.first.numel())


@calls(
    F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout, torch.dropout
)
def dropout(seen: Seen, input: Tensor, *_: Any, **__: Any) -> Work:
    """Any shape to the same."""
    return Work("dropout", inputs=input.numel(), outputs=input.numel())


@operators("embedding", "_embedding_bag")
def embedding_operator(seen: Seen, weight: Tensor, indices: Tensor, *_: Any, **__: Any) -> Work:
    """An embedding that was called as an operator of aten."""
    return embedding(seen, indices, weight)


@calls(torch.flatten, Tensor.flatten)
def flatten(seen: Seen, input: Tensor, *_: Any, **__: Any) -> Work:
    """Any shape to one with fewer axes."""
    return element_work(seen, "flatten", (input,))


shapes(torch.cat, torch.concat)(concatenated)


@calls(torch.cat, torch.concat, torch.stack)
def concat(seen: Seen, tensors: Any, *_: Any, **__: Any) -> Work:
    """Tensors concatenated or stacked."""
    return element_work(seen, "cat", tuple(tensors))
