"""Fake tensors that are as those on a CPU also where torch's fake implementations say otherwise."""

from threading import get_ident
from typing import Any

import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode

from costlab.tracing.stand_in import STRAYED, StrayedError

aten = torch.ops.aten
NORMALIZATIONS = frozenset(
    [
        aten.native_batch_norm.default,
        aten._native_batch_norm_legit.default,
        aten._native_batch_norm_legit.no_stats,
        aten.native_group_norm.default,
        aten.native_layer_norm.default,
    ]
)
BAGS = frozenset([aten._embedding_bag.default, aten._embedding_bag_forward_only.default])
PRODUCTS = frozenset(
    [
        aten.mm.default,
        aten.addmm.default,
        aten.bmm.default,
        aten.baddbmm.default,
        aten.convolution.default,
    ]
)
"""Which refuse factors of several types, as fake ones do not."""
CPU = torch.device("cpu")
HERE = ("cpu", "meta")
"""Types of devices that are left; what asks for another is on the CPU, as all is."""
REDUCED = frozenset([torch.bfloat16, torch.float16])


class CPUFakes(FakeTensorMode):  # type: ignore[no-untyped-call]  # torch leaves it without types
    """The mode in which they run.

    Source: in torch's ATen/native, ``param_scalar_type`` of cpu/mixed_data_type.h, ``make_offset2bag`` of
    EmbeddingBag.cpp, and Col2Im.cpp, whose output is made as large as its input.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if STRAYED and STRAYED[0] != get_ident():
            error = StrayedError(f"{func}: a tensor of a trace is used in another thread")
            STRAYED.append(error)
            raise error
        if kwargs and (asked := kwargs.get("device")) is not None and torch.device(asked).type not in HERE:
            kwargs = {**kwargs, "device": CPU}
        if func in PRODUCTS:
            _refuse_several_types(args)
        output: Any = super().__torch_dispatch__(func, types, args, kwargs)
        if output is NotImplemented:
            return output
        if func in NORMALIZATIONS and args[0].dtype in REDUCED:
            return _with_statistics(args, output)
        if func in BAGS and output[1].numel():
            return (output[0], _within(output[1].numel() + 1, output[1]), *output[2:])
        return _within(args[0].numel(), output) if func is aten.col2im.default else output


def _refuse_several_types(args: Any) -> None:
    types = {str(each.dtype).removeprefix("torch.") for each in args if isinstance(each, Tensor)}
    if len(types) > 1:
        raise RuntimeError(f"the factors of a product must have one type, not {' and '.join(sorted(types))}")


def _with_statistics(args: Any, output: Any) -> Any:
    """Those of a normalization are of float32 where its weights are, and what comes in is of half that."""
    own = next((each for each in args[1:] if isinstance(each, Tensor)), None)
    if own is None or own.dtype != torch.float32:
        return output
    return (output[0], *(each.new_empty(each.shape, dtype=torch.float32) for each in output[1:]))


def _within(elements: int, tensor: Tensor) -> Tensor:
    """A tensor in memory for so many elements, if it needs no more."""
    whole = tensor.new_empty(max(elements, tensor.numel()))
    return whole.as_strided(tensor.size(), tensor.stride())
