"""Quantized operators, by the sizes of what they take: torch runs them on values alone."""

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._pytree import tree_map_only

from costlab.tracing.arguments import tensors_in
from costlab.tracing.operator_facts import facts_of
from costlab.tracing.packed_weights import unpacked
from costlab.tracing.stand_in import HOME, StandIn, stand_in

if TYPE_CHECKING:
    from costlab.tracing.stand_ins import StandIns

SPACES = frozenset(["quantized", "_quantized", "onednn", "sparse"])
RECURRENT = frozenset(["quantized_lstm", "quantized_gru"])
"""Layers that are operators of aten, and take packed weights."""
FAKE = re.compile(r"_?fake_quantize\w*_cachemask\w*|_fake_quantize_learnable_\w+affine")
"""Operators that round to what quantized numbers can be; torch runs them on values only."""
LINEAR = re.compile(r"linear(_(relu|leaky_relu|tanh))?(_dynamic(_fp16)?)?")
CONVOLUTION = re.compile(r"conv(_transpose)?\dd(_(relu|add|add_relu))?(_dynamic)?")
ELEMENTWISE = re.compile(
    r"(add|mul)(_scalar)?(_relu)?|celu|clamp|dropout|elu|hardswish|leaky_relu|prelu|relu6|sigmoid|softmax|threshold"
    r"|(batch|group|instance|layer)_norm(\dd)?(_relu)?"
)
JOINED = re.compile(r"cat(_relu)?")
LINEAR_OF_BLOCKS = re.compile(r"qlinear(_relu)?(_dynamic)?")
EMBEDDING = re.compile(r"embedding(_bag)?_(byte|4bit)")
CELL = re.compile(r"quantized_(?P<kind>lstm|gru|rnn_tanh|rnn_relu)_cell_dynamic")
TYPES = frozenset([torch.qint8, torch.quint8, torch.qint32, torch.quint4x2, torch.quint2x4])
SETTINGS = {"q_scale": 1.0, "q_zero_point": 0}
"""What is answered of the numbers that a quantized tensor is read by: no sizes depend on them."""
IS_QUANTIZED = re.compile(
    r"\b_?(quantized|onednn)::\w+|\bquantized_\w+|\bq(u?int)\d+\b|\b(Q[Uu]?[Ii]nt\d+|Quantized\w*)\b"
)
"""What torch says where it does not run a quantized operator."""


class QuantizedError(Exception):
    """A quantized operator is not counted; no `RuntimeError`, which a model may catch."""


@cache
def is_quantized(func: OpOverload) -> bool:
    """Whether an operator makes numbers quantized, or takes quantized numbers only."""
    name = facts_of(func).name
    if func.namespace in SPACES or name in RECURRENT:
        return True
    return name.startswith("quantize_per_") or bool(FAKE.fullmatch(name))


def takes_quantized(args: Any) -> bool:
    """Whether a tensor among the arguments is quantized."""
    return any(each.dtype in TYPES for each in tensors_in(args))


def what_runs(func: OpOverload, args: Any, stand_ins: "StandIns") -> Callable[..., Any] | None:
    """What says what comes out of an operator of quantized numbers; None for others.

    Where weights are looked at it is none, either, for what rounds or reads these alone, which runs.
    """
    quantized = is_quantized(func)
    if quantized:
        stand_ins.quantized = True
    elif not (stand_ins.quantized and takes_quantized(args)):
        return None
    if stand_ins.with_weights and func.namespace in ("aten", "quantized_decomposed"):
        given = list(tensors_in(args))
        if given and all(each.known for each in given):
            return None
    return run_quantized if quantized else run_on_quantized


def run_on_quantized(func: OpOverload, args: Any, kwargs: Any) -> Any:
    """What comes out of an operator of aten that takes quantized tensors: as of floats, and quantized too."""
    name, first = facts_of(func).name, args[0]
    if name in SETTINGS:
        return SETTINGS[name]
    if name in ("dequantize", "int_repr"):
        return sized_as(first, torch.float32 if name == "dequantize" else torch.uint8)
    if func._schema.is_mutable:
        return first
    kind = next(tensors_in(args)).dtype
    output = func(*tree_map_only(Tensor, _floating, args), **kwargs)
    parts = output if isinstance(output, tuple | list) else (output,)
    made = [
        stand_in(each.size(), kind if each.is_floating_point() else each.dtype, HOME, each.stride())
        for each in parts
    ]
    return type(output)(made) if isinstance(output, tuple | list) else made[0]


def _floating(tensor: Tensor) -> Tensor:
    floating = tensor.dtype in TYPES or tensor.is_floating_point()
    return _empty(tensor, torch.float32 if floating else tensor.dtype)


def run_quantized(func: OpOverload, args: Any, kwargs: Any) -> Any:
    """What comes out of a quantized operator.

    Raises:
        QuantizedError: it is none of those that are known.
    """
    name, first = facts_of(func).name, args[0]
    if name.startswith("quantize_per_"):
        return sized_as(first, next(each for each in args if isinstance(each, torch.dtype)))
    if FAKE.fullmatch(name):
        made = sized_as(first)
        return (made, sized_as(first, torch.bool)) if len(func._schema.returns) > 1 else made
    if name in RECURRENT:
        return _recurrent(func, *args)
    output: Any = NotImplemented
    if func.namespace in ("quantized", "sparse"):
        output = _of_packed(name, args, kwargs)
    if output is NotImplemented and func.namespace in ("quantized", "_quantized"):
        output = _of_quantized(name, args)
    if output is NotImplemented:
        raise QuantizedError(func._schema.name)
    return output


def _of_packed(name: str, args: Any, kwargs: Any) -> Any:
    """What comes out of a table of rows, a recurrent cell, or a linear layer in sparse blocks."""
    first = args[0]
    if LINEAR_OF_BLOCKS.fullmatch(name):
        weight, *_ = unpacked(args[1])
        dtype = torch.float32 if "dynamic" in name else first.dtype
        return stand_in((*first.shape[:-1], weight.shape[0]), dtype, first.device)
    if EMBEDDING.fullmatch(name):
        return _embedded(name, unpacked(first)[0], *args[1:], **kwargs)
    if CELL.fullmatch(name):
        states = args[1] if isinstance(args[1], tuple | list) else (args[1],)
        made = tuple(map(sized_as, states))
        return made if len(made) > 1 else made[0]
    return NotImplemented


def _of_quantized(name: str, args: Any) -> Any:
    """What comes out of a layer or a function of numbers that are quantized."""
    first = args[0]
    dtype: Any = torch.float32 if "dynamic" in name else getattr(first, "dtype", None)
    if LINEAR.fullmatch(name):
        weight, _ = args[1].unpack()
        return stand_in((*first.shape[:-1], weight.shape[0]), dtype, first.device)
    if CONVOLUTION.fullmatch(name):
        return stand_in(_convolved(name, first, packed_in(args)), dtype, first.device)
    if ELEMENTWISE.fullmatch(name) and (tensors := _tensors(args)):
        both = tensors if name[:3] in ("add", "mul") else tensors[:1]
        sizes = sum(map(_empty, both), torch.empty((), device="meta")).shape
        return stand_in(sizes, tensors[0].dtype, tensors[0].device)
    if JOINED.fullmatch(name):
        parts = [torch.empty(each.shape, device="meta") for each in first]
        return stand_in(torch.cat(parts, args[1]).shape, first[0].dtype, first[0].device)
    if name == "matmul":
        return stand_in(torch.matmul(*(_empty(each) for each in args[:2])).shape, dtype, first.device)
    return NotImplemented


def _recurrent(func: OpOverload, data: Tensor, *args: Any) -> tuple[StandIn, ...]:
    """``(steps, N, features) -> (steps, N, hidden)`` and the states, of a packed sequence without the N."""
    hidden, *_ = args = args[1:] if func._overloadname.startswith("data") else args  # without the batches
    states = hidden if isinstance(hidden, tuple | list) else (hidden,)
    width = states[0].shape[-1] * (2 if args[6] else 1)
    return (stand_in((*data.shape[:-1], width), data.dtype, data.device), *map(sized_as, states))


def _embedded(
    name: str, weight: Tensor, indices: Tensor, offsets: Any = None, *rest: Any, **named: Any
) -> StandIn:
    """Rows of a table, ``(*) -> (*, features)``; of bags their sums, ``-> (bags, features)``."""
    features = weight.shape[1]
    if "bag" not in name:
        return stand_in((*indices.shape, features), torch.float32, indices.device)
    last = bool(rest[5] if len(rest) > 5 else named.get("include_last_offset", False))
    bags = indices.shape[0] if indices.dim() > 1 or offsets is None else offsets.shape[0] - last
    return stand_in((bags, features), torch.float32, indices.device)


def sized_as(tensor: Tensor, dtype: torch.dtype | None = None) -> StandIn:
    """A stand-in of the same sizes."""
    return stand_in(tensor.size(), dtype or tensor.dtype, tensor.device)


def _tensors(args: Any) -> list[Tensor]:
    return [each for each in args if isinstance(each, Tensor)]


def _empty(tensor: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=dtype, device="meta")


def packed_in(args: Any) -> Any:
    """The weight and settings of a convolution, in an object of torch's own."""
    return next(each for each in args if isinstance(each, torch.ScriptObject))


def weight_of(packed: Any, rank: int) -> tuple[Tensor, Tensor | None]:
    """The weight of a convolution, without the axis that torch adds to that of one axis, and its bias."""
    weight, bias = packed.unpack()
    return (weight.squeeze(2) if rank == 1 and weight.dim() == 4 else weight), bias


def _convolved(name: str, input: Tensor, packed: Any) -> torch.Size:
    rank = int(re.findall(r"(\d)d", name)[0])
    weight, _ = weight_of(packed, rank)
    settings: dict[str, Any] = {
        each: list(getattr(packed, each)())[-rank:] for each in ("stride", "padding", "dilation")
    }
    settings["groups"] = packed.groups()
    if "transpose" in name:
        settings["output_padding"] = list(packed.output_padding())[-rank:]
    function = getattr(torch, f"conv{'_transpose' if 'transpose' in name else ''}{rank}d")
    output: Tensor = function(_empty(input), torch.empty(weight.shape, device="meta"), **settings)
    return output.shape
