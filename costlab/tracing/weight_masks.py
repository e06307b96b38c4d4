"""Where the weights of an operation are not zero, axis by axis, and how many bits wide an element is."""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from costlab.tracing.sparse import SPARSE, values_of
from costlab.tracing.stand_in import StandIn

Axes: TypeAlias = Callable[[Tensor], Any]
"""Puts the axes of a mask into the order of `costlab.algebra.operands.Look`."""
PACKED_BITS = {"torch.quint4x2": 4, "torch.quint2x4": 2}
"""Types of several numbers in a byte, by the bits of one."""


def bits_of(dtype: torch.dtype) -> int:
    """How many bits wide an element of a type is."""
    return PACKED_BITS.get(str(dtype), 8 * dtype.itemsize)


def values_in(tensor: Tensor) -> Tensor | None:
    """The values of a tensor for reading alone, perhaps the caller's own memory; None where it has none."""
    value = tensor
    if type(tensor) is StandIn:
        known = tensor.original if tensor.held is None else tensor.held
        if known is None:
            return None
        value = known
    return None if value.device.type == "meta" or is_composed(value) else value


def is_composed(tensor: Tensor) -> bool:
    """Whether a tensor of a class of its own consists of others, which alone know its values."""
    return hasattr(type(tensor), "__tensor_flatten__")


def width_of(tensor: Any, dtype: torch.dtype) -> int:
    """How many bits wide an element is held; of a composed tensor, in the largest that it consists of."""
    if not is_composed(tensor):
        return bits_of(dtype)
    names, _ = tensor.__tensor_flatten__()
    held = max((getattr(tensor, each) for each in names), key=lambda each: int(each.nbytes))
    if held.is_floating_point():  # of a 2:4 tensor half of the elements are there
        return bits_of(held.dtype)
    return int(8 * held.nbytes // max(tensor.numel(), 1)) or bits_of(dtype)


def nonzero(values: Tensor) -> Tensor:
    """Where a tensor is not zero; of a quantized one, where the number that it stands for is not."""
    plain = values.detach()
    if plain.layout in SPARSE:
        plain = values_of(plain)
    if plain.is_quantized:
        plain = plain.dequantize()
    if plain.dtype.is_floating_point and plain.dtype.itemsize == 1:
        plain = plain.float()  # torch compares none of 8 bits
    return (plain != 0).cpu()


def is_masked(tensor: Tensor, values: Tensor) -> bool:
    """Whether values are those of a tensor, in their type, but for some that are zero."""
    whole = values_in(tensor)
    if whole is None or whole.layout in SPARSE or values.is_quantized:
        return False
    kept = whole.detach().cpu() * nonzero(values)
    return torch.equal(kept.to(values.dtype), values.detach().cpu())


def of_linear(mask: Tensor) -> Any:
    """``(outputs, inputs)`` in one group."""
    return mask[None, :, :, None].numpy()


def of_columns(mask: Tensor) -> Any:
    """``(inputs, outputs)``, as the second factor of a product has it."""
    return mask.T[None, :, :, None].numpy()


def of_convolution(mask: Tensor, groups: int) -> Any:
    """``(filters, inputs of a group, *kernel)``."""
    filters, inputs = mask.shape[:2]
    return mask.reshape(groups, filters // groups, inputs, -1).numpy()


def of_transposed(mask: Tensor, groups: int) -> Any:
    """``(inputs, filters of a group, *kernel)``."""
    inputs, filters = mask.shape[:2]
    return mask.reshape(groups, inputs // groups, filters, -1).transpose(1, 2).numpy()


def of_steps(mask: Tensor) -> Any:
    """``(steps, inputs, filters)``, as `torch.conv_tbc` has it."""
    return mask.permute(2, 1, 0)[None].numpy()


def of_gates(mask: Tensor, gates: int) -> Any:
    """``(gates * hidden, inputs)``: an output is a hidden unit, with all of its gates."""
    rows, inputs = mask.shape
    return mask.reshape(gates, rows // gates, inputs).permute(1, 2, 0)[None].numpy()


def of_pairs(mask: Tensor) -> Any:
    """``(outputs, inputs, inputs)`` of a bilinear layer: the first input is summed up with these."""
    return mask[None].numpy()


def of_any(mask: Tensor) -> Any:
    """Elements of which it is not known which axis is which."""
    return mask.reshape(-1).numpy()


def of_rows(mask: Tensor, first: int, size: int) -> Any:
    """Some of the rows of ``(outputs, inputs)``."""
    return of_linear(mask[first : first + size])
