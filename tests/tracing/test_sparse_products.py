"""Products with sparse matrices by other names, and with stored elements of other kinds."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from costlab import count
from tests.tracing.models import Applies
from tests.tracing.test_sparse import COLUMNS, DENSE, INNER, NNZ, ROWS, SQUARE, X

pytestmark = pytest.mark.filterwarnings("ignore:Sparse")


def added_in_a_list(a: Tensor, x: Tensor) -> Tensor:
    """What is written into lies in a list, and nothing comes out."""
    made = [x.clone()]
    torch._foreach_add_(made, [a])
    return made[0] @ x


OTHERS: dict[str, tuple[Callable[..., Any], tuple[Tensor, ...], int]] = {
    "sampled_addmm": (
        torch.sparse.sampled_addmm,
        (DENSE.to_sparse_csr(), torch.rand(ROWS, 5), torch.rand(5, INNER)),
        5 * NNZ,
    ),
    "bmm": (torch.bmm, (torch.stack([DENSE, DENSE]).to_sparse(), torch.rand(2, INNER, 3)), 2 * 3 * NNZ),
    "smm": (torch.smm, (DENSE.to_sparse(), X), NNZ * COLUMNS),
    "hspmm": (torch.hspmm, (DENSE.to_sparse(), X), NNZ * COLUMNS),
    "spmm": (torch.spmm, (DENSE.to_sparse(), X), NNZ * COLUMNS),
    "sspaddmm": (
        torch.sspaddmm,
        (DENSE.to_sparse(), SQUARE.to_sparse(), DENSE),
        int((SQUARE != 0).sum()) * INNER,
    ),
    "sparse.mm with a reduction": (
        lambda a, x: torch.sparse.mm(a, x, "sum"),
        (DENSE.to_sparse_csr(), X),
        NNZ * COLUMNS,
    ),
    "stored twice": (
        lambda a, x: torch.cat([a, a], 1) @ x,
        (DENSE.to_sparse(), torch.rand(2 * INNER, COLUMNS)),
        2 * NNZ * COLUMNS,
    ),
    "coalesced": (lambda a, x: (a + a).coalesce() @ x, (DENSE.to_sparse(), X), NNZ * COLUMNS),
    "dense again": (lambda a, x: a.to_dense() @ x, (DENSE.to_sparse(), X), ROWS * INNER * COLUMNS),
    "in another layout": (lambda a, x: a.to_sparse_csr() @ x, (DENSE.to_sparse(), X), NNZ * COLUMNS),
    "masked by another": (
        lambda a, x: x.sparse_mask(a) @ X,
        (DENSE.to_sparse(), torch.rand(ROWS, INNER)),
        NNZ * COLUMNS,
    ),
    "of its elements": (
        lambda a, x: (
            torch.sparse_coo_tensor(a.coalesce().indices(), a.coalesce().values().relu(), a.shape) @ x
        ),
        (DENSE.to_sparse(), X),
        NNZ * COLUMNS,
    ),
    "of integers and data": (
        lambda places, values, x: torch.sparse_coo_tensor(places, values, (ROWS, INNER)) @ x,
        (DENSE.to_sparse().indices(), DENSE.to_sparse().values(), X),
        NNZ * COLUMNS,
    ),
    "compressed, of integers and data": (
        lambda rows, columns, values, x: torch.sparse_csr_tensor(rows, columns, values, (ROWS, INNER)) @ x,
        (
            DENSE.to_sparse_csr().crow_indices(),
            DENSE.to_sparse_csr().col_indices(),
            DENSE.to_sparse_csr().values(),
            X,
        ),
        NNZ * COLUMNS,
    ),
    "of a constant": (lambda x: torch.eye(INNER).to_sparse() @ x, (X,), INNER * COLUMNS),
    "softmax": (lambda a, x: torch.sparse.softmax(a, 1) @ x, (DENSE.to_sparse(), X), NNZ * COLUMNS),
    "normalized": (
        lambda a, x: (a * torch.sparse.sum(a, 1).to_dense()[:, None]) @ x,
        (DENSE.to_sparse(), X),
        NNZ * COLUMNS,
    ),
    "a batch of one": (
        lambda a, x: torch.bmm(a.unsqueeze(0), x[None]),
        (DENSE.to_sparse(), X),
        NNZ * COLUMNS,
    ),
    "selected rows": (
        lambda a, x: a.index_select(0, torch.tensor([0, 1])) @ x,
        (DENSE.to_sparse(), X),
        int((DENSE[:2] != 0).sum()) * COLUMNS,
    ),
    "of no elements": (lambda a, x: a @ x, (torch.zeros(ROWS, INNER).to_sparse(), X), 0),
    "added in a list": (added_in_a_list, (SQUARE.to_sparse(), torch.rand(6, 6)), 6 * 6 * 6),
    "of both types": (lambda a, x: a.double() @ x.double(), (DENSE.to_sparse(), X), NNZ * COLUMNS),
    "of complex numbers": (lambda a, x: a @ x, (DENSE.to_sparse() * 1j, X * 1j), NNZ * COLUMNS),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_products(name: str) -> None:
    function, inputs, right = OTHERS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function(*inputs)
    within = count(Applies(function), inputs)
    assert (within.multiply_adds, within.unsupported) == (right, {})
