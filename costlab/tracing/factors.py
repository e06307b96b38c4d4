"""Which of what an operation is given are weights, the order of their axes, and how often each is used."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.algebra.recurrent import GATES
from costlab.algebra.work import Work
from costlab.tracing.arguments import tensors_in
from costlab.tracing.rules.product_operators import OF_WEIGHTS
from costlab.tracing.sparse import SPARSE, stored
from costlab.tracing.stand_in import StandIn
from costlab.tracing.stand_ins import StandIns
from costlab.tracing.weight_masks import (
    Axes,
    of_any,
    of_columns,
    of_convolution,
    of_gates,
    of_linear,
    of_pairs,
    of_rows,
    of_steps,
    of_transposed,
)

_ORDINARY = "matmul matvec mm bmm mv addmm baddbmm addmv linear mixed_mm scaled_mm"
PRODUCTS = frozenset((*_ORDINARY.split(), "einsum", "tensordot", "inner", "dot", "vecdot"))
"""Kinds of products of two factors that sum up one axis, or several."""
DATA_ONLY = frozenset(["attention"])


class Factor(NamedTuple):
    """A weight as an operation is given it, the axes of its mask, and how often each element is used.

    Without ``axes`` its values are not told, since they are packed; it has ``elements`` then.
    """

    tensor: Tensor
    axes: Axes | None
    uses: int
    bits: int | None = None
    elements: int = 0
    only_a_part: bool = False


def factors(
    work: Work, part: int, given: tuple[Any, Any], output: Any, func: Any, stand_ins: StandIns
) -> list[Factor] | None:
    """The weights of an operation, none where data is multiplied by data; None where they are not found."""
    args, kwargs = given
    packed = [each for each in _flat((args, kwargs)) if isinstance(each, torch.ScriptObject)]
    if packed:
        return _of_packed(work, packed, stand_ins)
    if work.kind in DATA_ONLY:
        return []
    if func is F.multi_head_attention_forward:
        return _of_heads(part, *args, **kwargs)
    stem = work.kind.partition("_")[0]
    if work.kind.startswith("conv"):
        weight = args[1] if len(args) > 1 else kwargs["weight"]
        return _each_as_often(
            work, [(weight, _convolved(work.kind, args, kwargs, weight, output, str(func)))]
        )
    if stem in GATES:
        return _each_as_often(work, list(_recurrent(work.kind, args, kwargs)))
    if any(name in str(func) for name in OF_WEIGHTS):
        return _of_few_bits(work, args, str(func))
    if func is F.bilinear:
        weight = args[2] if len(args) > 2 else kwargs["weight"]
        return [Factor(weight, of_pairs, args[0].numel() // max(args[0].shape[-1], 1))]
    if func is F.linear or str(func).startswith(("aten.linear", "aten.mkldnn_linear")):
        weight = args[1] if len(args) > 1 else kwargs["weight"]
        return _each_as_often(work, [(weight, of_linear)])
    return _of_product(work, args, kwargs, func, stand_ins)


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for each in value:
            yield from _flat(each)
    elif isinstance(value, dict):
        yield from _flat(tuple(value.values()))
    else:
        yield value


def _each_as_often(
    work: Work, weights: list[tuple[Tensor, Axes]], bits: int | None = None
) -> list[Factor] | None:
    """Weights of which each element is used as often; None where the multiply-adds do not go by them."""
    held = sum(stored(each) for each, _ in weights)
    uses, rest = divmod(int(work.multiply_adds), held) if held else (0, 1)
    if rest:
        return None
    return [Factor(each, of_any if each.layout in SPARSE else axes, uses, bits) for each, axes in weights]


def _convolved(kind: str, args: Any, kwargs: Any, weight: Tensor, output: Any, name: str) -> Axes:
    if "conv_tbc" in name:
        return of_steps
    channels = -(weight.dim() - 1)  # the axis, with a batch or without
    made = "transpose" in kind
    data = output if made else args[0] if args else kwargs["input"]
    groups = data.shape[channels] // max(weight.shape[1], 1)
    if not groups or weight.shape[0] % groups:
        return of_any
    return partial(of_transposed if made else of_convolution, groups=groups)


def _recurrent(kind: str, args: Any, kwargs: Any) -> Iterator[tuple[Tensor, Axes]]:
    """The matrices of a cell, or of a layer, in the last list; what projects the output has no gates."""
    if kind.endswith("_cell"):
        given: Any = (*args[2:], *(each for name, each in kwargs.items() if name not in ("input", "hx")))
    else:
        given = kwargs.get("params") or next(
            (each for each in reversed(args) if type(each) in (tuple, list)), ()
        )
    matrices = [each for each in given if isinstance(each, Tensor) and each.dim() == 2]
    for each in matrices:
        gated = each.shape[0] == matrices[0].shape[0]
        yield each, partial(of_gates, gates=GATES[kind.partition("_")[0]]) if gated else of_linear


def _of_packed(work: Work, packed: list[Any], stand_ins: StandIns) -> list[Factor] | None:
    """Weights that quantized operators take packed; of floating point they are packed in 16 bits."""
    matrices = [each for one in packed for each in stand_ins.packed(one) if each.dim() > 1]
    stem = work.kind.partition("_")[0]
    axes: Axes
    if work.kind.startswith("conv"):
        settings = packed[0]
        groups = settings.groups()
        axes = partial(of_transposed if settings.transpose() else of_convolution, groups=groups)
    elif stem in GATES:
        axes = partial(of_gates, gates=GATES[stem])
    else:
        axes = of_linear
    found = _each_as_often(work, [(each, axes) for each in matrices])
    return found and [each._replace(bits=16 if each.tensor.is_floating_point() else None) for each in found]


def _of_heads(part: int, *args: Any, **kwargs: Any) -> list[Factor]:
    """The projections of several heads: of each input apart, since they have rows of their own."""
    named = dict(zip(HEADS, args, strict=False)) | kwargs
    rows = [named[name].numel() // max(named[name].shape[-1], 1) for name in ("query", "key", "value")]
    if part == 1:
        return []
    if part == 2:
        return [Factor(named["out_proj_weight"], of_linear, rows[0])]
    if named["in_proj_weight"] is None:
        weights = [named[f"{name}_proj_weight"] for name in "qkv"]
        return [Factor(each, of_linear, n) for each, n in zip(weights, rows, strict=True)]
    if len(set(rows)) == 1:
        return [Factor(named["in_proj_weight"], of_linear, rows[0])]
    size = named["embed_dim_to_check"]
    return [
        Factor(
            named["in_proj_weight"], partial(of_rows, first=i * size, size=size), n, None, size * size, True
        )
        for i, n in enumerate(rows)
    ]


HEADS = (
    "query",
    "key",
    "value",
    "embed_dim_to_check",
    "num_heads",
    "in_proj_weight",
    "in_proj_bias",
    "bias_k",
    "bias_v",
    "add_zero_attn",
    "dropout_p",
    "out_proj_weight",
)
"""The first arguments of `F.multi_head_attention_forward`."""


def _of_few_bits(work: Work, args: Any, name: str) -> list[Factor]:
    """The weight of an operator that takes it in few bits: 8 as they are, fewer packed."""
    held = int(work.weights)
    uses = int(work.multiply_adds) // max(held, 1)
    if "int8pack" in name:
        return [Factor(args[1], of_linear, uses)]
    return [Factor(args[1], None, uses, 4, held)]


def _of_product(work: Work, args: Any, kwargs: Any, func: Any, stand_ins: StandIns) -> list[Factor] | None:
    """Of the factors of a product the one that the model holds, or that comes from what it holds alone.

    None where it cannot be told how often its elements are used.
    """
    tensors = list(tensors_in((args, kwargs)))
    if work.kind not in PRODUCTS:
        numbers = [each for each in tensors if each.is_floating_point()]
        weights = sum(_is_weight(each, stand_ins) for each in numbers)
        return None if 0 < weights < len(numbers) else []
    two = tensors[-2:] if work.kind != "einsum" or len(tensors) == 2 else tensors
    if work.kind in ("mixed_mm", "scaled_mm"):  # with scales, or with what is added, in front
        two = tensors[int("_addmm" in str(func)) :][:2]
    if any(map(_is_given_sparse, two)) and any(type(each) is StandIn and each.constant for each in two):
        return None  # a sparse tensor takes some elements of a weight more often than others
    held = [each for each in two if _is_weight(each, stand_ins)]
    if not held or len(held) == len(two):
        return []  # of weights by each other nothing is left out
    if len(two) != 2:
        return None
    (weight,) = held
    axes: Callable[[Tensor], Any] = of_any
    if weight.dim() == 2 and work.kind != "einsum":
        axes = of_linear if weight is two[0] else of_columns
    return _each_as_often(work, [(weight, axes)])


def _is_weight(tensor: Any, stand_ins: StandIns) -> bool:
    if type(tensor) is not StandIn or tensor.dtype is torch.bool:
        return tensor.layout in SPARSE
    return tensor.constant or stand_ins.has_parameter((tensor,), {})


def _is_given_sparse(tensor: Tensor) -> bool:
    """Whether a tensor is sparse and no parameter, such as what is next to what in a graph."""
    return tensor.layout in SPARSE and not isinstance(tensor, torch.nn.Parameter)
