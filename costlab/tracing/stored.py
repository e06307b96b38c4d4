"""All tensors that a model holds, what each is held for, and its bytes."""

import re
from collections.abc import Collection, Iterator
from typing import Any

import torch
from torch import Tensor

from costlab.algebra.operands import Role, Stored
from costlab.tracing.module_tracker import Named
from costlab.tracing.packed_weights import Packed, objects_held_by
from costlab.tracing.sparse import COMPRESSED, SPARSE, values_of
from costlab.tracing.stand_in import Uninitialized
from costlab.tracing.weight_masks import bits_of, is_composed

NAMES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("masks", re.compile(r"(\w+_)?mask")),
    ("zero_points", re.compile(r"(\w+_)?zero_?points?")),
    ("scales", re.compile(r"(\w+_)?scales?(_and_zeros)?")),
    ("index", re.compile(r"(\w+_)?(indices|index|meta)")),
    ("biases", re.compile(r"(\w+_)?bias(_\w+)?")),
    ("weights", re.compile(r"q?weight")),
)
"""What tensors are held for, by their names."""


def stored_in(named: Named, packed: Packed, multiplied: Collection[int]) -> tuple[Stored, ...]:
    """All tensors that a model's modules hold, each once; ``multiplied`` are the ids of its weights."""
    seen: set[int] = set()
    found: list[Stored] = []
    for path, module in named:
        for held, is_parameter in ((module._parameters, True), (module._buffers, False)):
            for name, tensor in held.items():
                if tensor is None or isinstance(tensor, Uninitialized) or id(tensor) in seen:
                    continue
                seen.add(id(tensor))
                role = _role(name, tensor, is_parameter or id(tensor) in multiplied)
                found += (Stored(path, *each) for each in _parts(name, tensor, role))
        for name, one in objects_held_by(module):
            if hash(one) not in seen:
                seen.add(hash(one))
                for tensor in packed(one):
                    found += (Stored(path, *each) for each in _unpacked(name, tensor))
    return tuple(found)


def _role(name: str, tensor: Tensor, is_learned: bool) -> Role:
    known = next((role for role, form in NAMES if form.fullmatch(name)), None)
    if (
        known is not None
        and not (is_learned and known == "masks")
        and not (known == "weights" and tensor.dim() < 2)
    ):
        return known
    if not is_learned:
        return "buffers"
    return "weights" if tensor.dim() > 1 else "others"


def _unpacked(name: str, tensor: Tensor) -> Iterator[tuple[str, Role, int]]:
    """A tensor out of packed weights; of floating point a weight is packed in 16 bits."""
    if tensor.dim() == 1:
        yield "bias", "biases", tensor.nbytes
    elif tensor.is_floating_point():
        yield name, "weights", 2 * tensor.numel()
    else:
        yield from _parts(name, tensor, "weights")


def _parts(name: str, tensor: Any, role: Role) -> Iterator[tuple[str, Role, int]]:
    """A tensor as it is held: a sparse one with its index, a quantized one with its scales."""
    if is_composed(tensor):
        inner, _ = tensor.__tensor_flatten__()
        for each in inner:
            held = getattr(tensor, each)
            known = next((known for known, form in NAMES if form.fullmatch(each)), role)
            yield from _parts(f"{name}.{each}", held, known)
    elif tensor.layout in SPARSE:
        plain = tensor.detach()
        yield name, "weights" if role == "buffers" else role, values_of(plain).nbytes
        yield name, "index", sum(each.nbytes for each in _places_of(plain))
    else:
        yield name, role, (tensor.numel() * bits_of(tensor.dtype) + 7) // 8
        if tensor.is_quantized:
            yield from _scales_of(name, tensor)


def _places_of(tensor: Tensor) -> tuple[Tensor, ...]:
    if tensor.layout not in COMPRESSED:
        return (tensor._indices(),)
    if tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        return tensor.crow_indices(), tensor.col_indices()
    return tensor.ccol_indices(), tensor.row_indices()


def _scales_of(name: str, tensor: Tensor) -> Iterator[tuple[str, Role, int]]:
    """What quantized numbers are read by; of a whole tensor torch has a double and an integer of 8 bytes."""
    if tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        yield name, "scales", 8
        yield name, "zero_points", 8
    else:
        yield name, "scales", tensor.q_per_channel_scales().nbytes
        yield name, "zero_points", tensor.q_per_channel_zero_points().nbytes
