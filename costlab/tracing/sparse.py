"""Sparse tensors in a run: real ones with their structure, and ones in place of values that come from data.

Where it comes from data how many elements are stored, as of data that is made sparse, the values are
not-a-number; where it is known how many, and not at which places, they are infinite. So it is known of
what is computed from them too.
"""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_map_only

from costlab.tracing.arguments import tensors_in, written_in
from costlab.tracing.operator_facts import MAKERS, OperatorFacts
from costlab.tracing.stand_in import HOME, LARGE, ReadsDataError, StandIn, stand_in

if TYPE_CHECKING:
    from costlab.tracing.stand_ins import StandIns

COMPRESSED = frozenset([torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc])
SPARSE = COMPRESSED | {torch.sparse_coo}
BY_ROWS = frozenset([torch.sparse_csr, torch.sparse_bsr])
STRUCTURE = frozenset(["_indices", "indices", "crow_indices", "ccol_indices", "col_indices", "row_indices"])
"""Operators that give the places of the stored elements."""
READS_STRUCTURE = STRUCTURE | {"_nnz", "_values", "values"}
DENSE_PRODUCTS = frozenset(["mm", "mv", "addmm", "addmv", "bmm", "baddbmm", "_sparse_addmm"])
"""Products that give a dense matrix where one of the factors is dense."""


def is_sparse(value: Any) -> bool:
    """Whether it is a tensor of a sparse layout."""
    return isinstance(value, Tensor) and value.layout in SPARSE


def values_of(tensor: Tensor) -> Tensor:
    """The stored elements of a sparse tensor."""
    return tensor._values() if tensor.layout is torch.sparse_coo else tensor.values()


def stored(tensor: Tensor) -> int:
    """How many elements a tensor stores: of a sparse one those in its blocks too, whatever their values."""
    if tensor.layout not in SPARSE:
        return tensor.numel()
    with _disable_current_modes():
        return values_of(tensor.detach()).numel()


def are_unknown(tensors: Iterable[Any]) -> bool:
    """Whether it comes from data how many products of stored elements there are of two of the tensors."""
    sparse = [each for each in tensors if is_sparse(each)]
    return any(map(is_unknown, sparse)) or (len(sparse) > 1 and any(map(_is_moved, sparse)))


def is_unknown(tensor: Any) -> bool:
    """Whether it is a sparse tensor, and how many elements it stores comes from data."""
    if not is_sparse(tensor):
        return False
    with _disable_current_modes():
        return bool(values_of(tensor.detach()).isnan().any())


def sparse_products(a: Tensor, b: Tensor) -> int:
    """Multiply-adds of a product of which one factor is sparse, or both: those of stored elements."""
    if not is_sparse(b):
        return stored(a) * (b.shape[-1] if b.dim() > 1 else 1)
    if not is_sparse(a):
        return stored(b) * (a.shape[-2] if a.dim() > 1 else 1)
    inner = a.shape[-1]
    with _disable_current_modes():
        left = torch.bincount(_places(a)[-1], minlength=inner)
        right = torch.bincount(_places(b)[-2], minlength=inner)
        return int((left * right).sum())


def _places(matrix: Tensor) -> Tensor:
    places: Tensor = matrix.detach().to_sparse()._indices()
    return places


def sparse_copy(tensor: Tensor) -> Tensor:
    """A tensor of the same structure; its values, if they are of floating point, are ones."""
    structure = tensor.detach()
    unknown = tensor.device.type == "meta"
    if unknown:
        structure = torch.sparse_coo_tensor(
            torch.zeros(tensor.dim(), 1, dtype=torch.int64), torch.zeros(1, dtype=tensor.dtype), tensor.shape
        )
    made = _with_values(structure, _ones(values_of(structure)))
    if unknown:
        values_of(made).fill_(torch.nan)
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(made, requires_grad=tensor.requires_grad)
    return made.requires_grad_(tensor.requires_grad)


def _ones(values: Tensor) -> Tensor:
    floating = values.is_floating_point() or values.is_complex()
    return torch.ones_like(values) if floating else values.clone()


def _with_values(tensor: Tensor, values: Tensor) -> Tensor:
    if tensor.layout is torch.sparse_coo:
        coalesced = tensor.is_coalesced()
        return torch.sparse_coo_tensor(
            tensor._indices().clone(), values, tensor.shape, is_coalesced=coalesced, check_invariants=False
        )
    rows = tensor.layout in BY_ROWS
    first, second = (
        (tensor.crow_indices(), tensor.col_indices())
        if rows
        else (tensor.ccol_indices(), tensor.row_indices())
    )
    return torch.sparse_compressed_tensor(
        first.clone(), second.clone(), values, tensor.shape, layout=tensor.layout, check_invariants=False
    )


def run_sparse(stand_ins: "StandIns", func: OpOverload, facts: OperatorFacts, args: Any, kwargs: Any) -> Any:
    """What comes out of an operator that takes, or makes, sparse tensors.

    Raises:
        ReadsDataError: it reads a structure that comes from data.
    """
    name = facts.name
    given = list(tensors_in((args, kwargs)))
    sparse = [each for each in given if is_sparse(each)]
    dense = [each for each in given if type(each) is StandIn]
    unknown, moved = any(map(is_unknown, sparse)), any(map(_is_moved, sparse))
    if unknown and name in READS_STRUCTURE:
        raise ReadsDataError(func._schema.name)
    into = (each for each in written_in(facts, args, kwargs) if type(each) is StandIn)
    if (written := next(into, None)) is not None:
        if written.known:
            stand_ins.forget(written)
        return written
    if name in DENSE_PRODUCTS and dense and not all(map(is_sparse, given[-2:])):
        output = func(*tree_map_only(Tensor, _on_meta, args), **tree_map_only(Tensor, _on_meta, kwargs))
        return stand_in(output.size(), output.dtype, dense[0].device)
    places = dense[:-1] if name in MAKERS else []
    where = next((each.device for each in sparse), HOME)
    valued = _Valued(stand_ins, places, where)
    output = func(*tree_map_only(Tensor, valued, args), **tree_map_only(Tensor, valued, kwargs))
    made_of_data = not sparse and not places and not all(each.known for each in dense)
    elsewhere = not all(each.known for each in places)
    for each in tensors_in(output):
        if not is_sparse(each) or any(each is one for one in sparse):
            continue
        kept = len(sparse) == 1 and stored(each) == stored(sparse[0])
        if unknown or made_of_data or (moved and not kept):
            _mark(func, each, torch.nan)
        elif elsewhere:
            _mark(func, each, torch.inf)
    return tree_map_only(Tensor, partial(_raised, stand_ins, name in STRUCTURE and not moved), output)


class _Valued:
    """A real tensor for a stand-in: its values, zeros for places that have none, ones for others."""

    def __init__(self, stand_ins: "StandIns", places: list[StandIn], where: torch.device) -> None:
        self._stand_ins, self._places, self._where = stand_ins, places, where

    def __call__(self, tensor: Tensor) -> Tensor:
        if type(tensor) is not StandIn:
            return tensor
        if tensor.known and tensor.numel() <= LARGE:
            return self._stand_ins.value(tensor).to(self._where)
        if any(tensor is each for each in self._places):
            return torch.zeros(tensor.shape, dtype=tensor.dtype, device=self._where)
        return torch.ones((), dtype=tensor.dtype, device=self._where).expand(tensor.shape)


def _is_moved(tensor: Tensor) -> bool:
    """Whether the places of its elements come from data."""
    with _disable_current_modes():
        return bool(values_of(tensor.detach()).isinf().any())


def _mark(func: OpOverload, tensor: Tensor, value: float) -> None:
    values = values_of(tensor.detach())
    if not (values.is_floating_point() or values.is_complex()):
        raise ReadsDataError(func._schema.name)
    values.fill_(value)


def _on_meta(tensor: Tensor) -> Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


def _raised(stand_ins: "StandIns", known: bool, output: Tensor) -> Tensor:
    if is_sparse(output):
        return output
    made = stand_in(output.size(), output.dtype, output.device, output.stride())
    if known:
        stand_ins.know(made, output.clone())
    return made
