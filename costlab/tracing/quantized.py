"""Quantized operators, by the sizes of what they take: torch runs them on values alone."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

from costlab.algebra.work import Work
from costlab.tracing.rules.convolution import convolution, transposed
from costlab.tracing.rules.elements import element_work
from costlab.tracing.rules.registry import Rule, Seen
from costlab.tracing.stand_in import HOME, StandIn, stand_in

SPACES = frozenset(["quantized", "_quantized", "onednn"])
FAKE = re.compile(r"_?fake_quantize\w*_cachemask\w*|_fake_quantize_learnable_\w+affine")
"""Operators that round to what quantized numbers can be; torch runs them on values only."""
LINEAR = re.compile(r"linear(_(relu|leaky_relu|tanh))?(_dynamic(_fp16)?)?")
CONVOLUTION = re.compile(r"conv(_transpose)?\dd(_(relu|add|add_relu))?(_dynamic)?")
ELEMENTWISE = re.compile(
    r"(add|mul)(_scalar)?(_relu)?|celu|clamp|dropout|elu|hardswish|leaky_relu|prelu|relu6|sigmoid|softmax|threshold"
    r"|(batch|group|instance|layer)_norm(\dd)?(_relu)?"
)
JOINED = re.compile(r"cat(_relu)?")
TYPES = frozenset([torch.qint8, torch.quint8, torch.qint32, torch.quint4x2, torch.quint2x4])
SETTINGS = {"q_scale": 1.0, "q_zero_point": 0}
"""What is answered of the numbers that a quantized tensor is read by: no sizes depend on them."""
IS_QUANTIZED = re.compile(
    r"\b_?(quantized|onednn)::\w+|\bquantized_\w+|\bq(u?int)\d+\b|\b(Q[Uu]?[Ii]nt\d+|Quantized\w*)\b"
)
"""What torch says where it does not run a quantized operator."""


class QuantizedError(Exception):
    """A quantized operator is not counted."""


@cache
def is_quantized(func: OpOverload) -> bool:
    """Whether an operator makes numbers quantized, or takes quantized numbers only."""
    name = _name(func)
    return func.namespace in SPACES or (name.startswith("quantize_per_") or bool(FAKE.fullmatch(name)))


def _name(func: OpOverload) -> str:
    return func._schema.name.partition("::")[2]


def takes_quantized(args: Any) -> bool:
    """Whether a tensor among the arguments is quantized."""
    flat = (each for value in args for each in (value if isinstance(value, tuple | list) else (value,)))
    return any(isinstance(each, Tensor) and each.dtype in TYPES for each in flat)


def run_on_quantized(func: OpOverload, args: Any, kwargs: Any) -> Any:
    """What comes out of an operator of aten that takes quantized tensors: as of floats, and quantized too."""
    name, first = _name(func), args[0]
    if name in SETTINGS:
        return SETTINGS[name]
    if name in ("dequantize", "int_repr"):
        return like(first, torch.float32 if name == "dequantize" else torch.uint8)
    if func._schema.is_mutable:
        return first
    kind = next(
        each.dtype for each in _tensors([*args, *(args[0] if type(args[0]) in (tuple, list) else ())])
    )
    output = func(*_floats(args), **kwargs)
    parts = output if isinstance(output, tuple | list) else (output,)
    made = [
        stand_in(each.size(), kind if each.is_floating_point() else each.dtype, HOME, each.stride())
        for each in parts
    ]
    return type(output)(made) if isinstance(output, tuple | list) else made[0]


def _floats(value: Any) -> Any:
    if isinstance(value, Tensor):
        floating = value.dtype in TYPES or value.is_floating_point()
        return _empty(value, torch.float32 if floating else value.dtype)
    return type(value)(_floats(each) for each in value) if type(value) in (tuple, list) else value


def run_quantized(func: OpOverload, args: Any) -> Any:
    """What comes out of a quantized operator.

    Raises:
        QuantizedError: it is none of those that are known.
    """
    name, first = _name(func), args[0]
    if name.startswith("quantize_per_"):
        return like(first, next(each for each in args if isinstance(each, torch.dtype)))
    if FAKE.fullmatch(name):
        made = like(first)
        return (made, like(first, torch.bool)) if len(func._schema.returns) > 1 else made
    dtype: Any = torch.float32 if "dynamic" in name else getattr(first, "dtype", None)
    if func.namespace != "onednn":
        if LINEAR.fullmatch(name):
            weight, _ = args[1].unpack()
            return stand_in((*first.shape[:-1], weight.shape[0]), dtype, first.device)
        if CONVOLUTION.fullmatch(name):
            return stand_in(_convolved(name, first, _packed(args)), dtype, first.device)
        if ELEMENTWISE.fullmatch(name) and (tensors := _tensors(args)):
            both = tensors if name[:3] in ("add", "mul") else tensors[:1]
            sizes = sum(map(_empty, both), torch.empty((), device="meta")).shape
            return stand_in(sizes, tensors[0].dtype, tensors[0].device)
        if JOINED.fullmatch(name):
            parts = [torch.empty(each.shape, device="meta") for each in first]
            return stand_in(torch.cat(parts, args[1]).shape, first[0].dtype, first[0].device)
        if name == "matmul":
            return stand_in(torch.matmul(*(_empty(each) for each in args[:2])).shape, dtype, first.device)
    raise QuantizedError(func._schema.name)


def like(tensor: Tensor, dtype: torch.dtype | None = None) -> StandIn:
    """A stand-in of the same sizes."""
    return stand_in(tensor.size(), dtype or tensor.dtype, tensor.device)


def _tensors(args: Any) -> list[Tensor]:
    return [each for each in args if isinstance(each, Tensor)]


def _empty(tensor: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=dtype, device="meta")


def _packed(args: Any) -> Any:
    """The weight and settings of a convolution, in an object of torch's own."""
    return next(each for each in args if isinstance(each, torch.ScriptObject))


def _weight(packed: Any, rank: int) -> tuple[Tensor, Tensor | None]:
    """The weight of a convolution, without the axis that torch adds to that of one axis, and its bias."""
    weight, bias = packed.unpack()
    return (weight.squeeze(2) if rank == 1 and weight.dim() == 4 else weight), bias


def _convolved(name: str, input: Tensor, packed: Any) -> torch.Size:
    rank = int(re.findall(r"(\d)d", name)[0])
    weight, _ = _weight(packed, rank)
    settings: dict[str, Any] = {
        each: list(getattr(packed, each)())[-rank:] for each in ("stride", "padding", "dilation")
    }
    settings["groups"] = packed.groups()
    if "transpose" in name:
        settings["output_padding"] = list(packed.output_padding())[-rank:]
    function = getattr(torch, f"conv{'_transpose' if 'transpose' in name else ''}{rank}d")
    output: Tensor = function(_empty(input), torch.empty(weight.shape, device="meta"), **settings)
    return output.shape


def _linear(seen: Seen, input: Tensor, packed: Any, *_: Any) -> Work:
    """``(*, features) -> (*, features')``, as the layer of floats that it was made from."""
    weight, bias = packed.unpack()
    outputs = seen.output.numel()
    return Work(
        "linear",
        multiply_adds=outputs * weight.shape[1],
        bias_adds=0 if bias is None else outputs,
        weights=weight.numel(),
        inputs=input.numel(),
        outputs=outputs,
        activations=outputs,
    )


def _convolution(seen: Seen, input: Tensor, *args: Any) -> Work:
    """``(N, C, *size) -> (N, filters, *size')``, as the layer of floats that it was made from."""
    packed = _packed(args)
    weight, bias = _weight(packed, input.dim() - 2)
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
    (LINEAR, _linear),
    (CONVOLUTION, _convolution),
    (re.compile("matmul"), _matmul),
)


@cache
def rule_of(func: OpOverload) -> Rule | None:
    """The rule of a quantized operator; None for those of other kinds."""
    if func.namespace not in SPACES:
        return None
    name = _name(func)

    def element(seen: Seen, *args: Any, **_: Any) -> Work:
        return element_work(seen, name, args)

    return next((rule for form, rule in RULES if form.fullmatch(name)), element)
