"""Probes: products of matrices that broadcast, by every way that torch has to ask for them."""
# ruff: noqa: PLW0108  # a tool puts another function in the place of a name: it is looked up when called

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor

from tests.checking.unbatched_probes import Drawn
from tests.tracing.models import Applies

Sizes = tuple[int, ...]
FACTORS: Mapping[str, tuple[Sizes, Sizes]] = {
    "1x1": ((8,), (8,)),
    "1x2": ((8,), (8, 5)),
    "2x1": ((4, 8), (8,)),
    "2x2": ((4, 8), (8, 5)),
    "1x3": ((8,), (3, 8, 5)),
    "3x1": ((3, 4, 8), (8,)),
    "2x3": ((4, 8), (3, 8, 5)),
    "3x2": ((2, 4, 8), (8, 5)),
    "one_x3": ((1, 4, 8), (3, 8, 5)),
    "3x_one": ((3, 4, 8), (1, 8, 5)),
    "4x3": ((2, 3, 4, 8), (3, 8, 5)),
    "4_one_x3": ((2, 1, 4, 8), (3, 8, 5)),
    "4x4": ((2, 1, 4, 8), (1, 3, 8, 5)),
    "5x2": ((2, 3, 2, 4, 8), (8, 5)),
    "2x5": ((4, 8), (2, 3, 1, 8, 5)),
    "5x5": ((2, 1, 2, 4, 8), (3, 1, 8, 5)),
    "ones": ((1, 1, 1, 1), (2, 3, 1, 1)),
}
WAYS: Mapping[str, Callable[[Tensor, Tensor], Any]] = {
    "@": lambda a, b: a @ b,
    "torch.matmul": lambda a, b: torch.matmul(a, b),
    "x.matmul": lambda a, b: a.matmul(b),
    "torch.linalg.matmul": lambda a, b: torch.linalg.matmul(a, b),
}
OTHERS: Mapping[str, tuple[Callable[..., Any], tuple[Sizes, ...]]] = {
    "torch.bmm_expanded": (lambda a, b: torch.bmm(a.expand(3, -1, -1), b), ((1, 4, 8), (3, 8, 5))),
    "x.bmm_expanded": (lambda a, b: a.bmm(b.expand(3, -1, -1)), ((3, 4, 8), (1, 8, 5))),
    "torch.baddbmm_spread": (lambda x, a, b: torch.baddbmm(x, a, b), ((1, 1, 5), (3, 4, 8), (3, 8, 5))),
    "torch.baddbmm_times_0": (
        lambda x, a, b: torch.baddbmm(x, a, b, beta=0, alpha=0.5),
        ((3, 4, 5), (3, 4, 8), (3, 8, 5)),
    ),
    "torch.addmm_spread": (lambda x, a, b: torch.addmm(x, a, b), ((5,), (4, 8), (8, 5))),
    "torch.addmm_times_0": (lambda x, a, b: torch.addmm(x, a, b, beta=0), ((5,), (4, 8), (8, 5))),
    "F.linear_vector": (lambda a, b: F.linear(a, b), ((8,), (5, 8))),
    "F.conv1d_unbatched": (lambda a, b: F.conv1d(a, b), ((3, 8), (5, 3, 3))),
    "F.conv2d_unbatched_same": (lambda a, b: F.conv2d(a, b, padding="same"), ((3, 8, 8), (5, 3, 2, 2))),
    "F.conv_transpose1d_unbatched": (lambda a, b: F.conv_transpose1d(a, b), ((3, 8), (3, 5, 3))),
}
ATTENTION: Mapping[str, tuple[Sizes, Sizes]] = {
    "2": ((4, 8), (5, 8)),
    "3": ((2, 4, 8), (2, 5, 8)),
    "4": ((2, 3, 4, 8), (2, 3, 5, 8)),
    "4_one": ((2, 3, 4, 8), (2, 1, 5, 8)),
    "5": ((2, 2, 3, 4, 8), (2, 2, 3, 5, 8)),
}
EQUATIONS: Mapping[str, tuple[Sizes, ...]] = {
    "bi,bj->bij": ((2, 3), (2, 4)),
    "i,j->ij": ((3,), (4,)),
    "i,i->": ((3,), (3,)),
    "ij,ij->ij": ((3, 4), (3, 4)),
    "ij,ij->i": ((3, 4), (3, 4)),
    "bij,jk->bik": ((2, 3, 4), (4, 5)),
    "ijk,k->ij": ((2, 3, 4), (4,)),
    "bi,bj->ij": ((2, 3), (2, 4)),
    "nctw,cd->ndtw": ((2, 3, 4, 5), (3, 6)),
    "...ij,...jk->...ik": ((2, 3, 4), (2, 4, 5)),
    " b i , b j -> b i j ": ((2, 3), (2, 4)),
    "ij,jk": ((3, 4), (4, 5)),
    "ii->i": ((4, 4),),
    "ij->j": ((3, 4),),
    "ij,jk,kl->il": ((3, 4), (4, 5), (5, 6)),
    "xyz,xyw->xzw": ((7, 53, 91), (7, 53, 83)),
    "xyz,xwz->xwy": ((7, 53, 91), (7, 83, 91)),
    "xyz,xzw->xyw": ((7, 53, 91), (7, 91, 83)),
}


def _called(function: Callable[..., Any], sizes: tuple[Sizes, ...]) -> Drawn:
    return partial(Applies, function), tuple(torch.rand(each) + 0.1 for each in sizes)


def _einsum(*operands: Tensor, equation: str) -> Any:
    return torch.einsum(equation, *operands)


PRODUCTS: Mapping[str, Drawn] = {
    **{f"{way}_{name}": _called(WAYS[way], FACTORS[name]) for way in WAYS for name in FACTORS},
    **{name: _called(*given) for name, given in OTHERS.items()},
    **{
        f"F.scaled_dot_product_attention_{name}": _called(
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v), (query, key, key)
        )
        for name, (query, key) in ATTENTION.items()
    },
    **{each: _called(partial(_einsum, equation=each), EQUATIONS[each]) for each in EQUATIONS},
}
