"""Sparse matrices: the products of stored elements are counted, or said to be unknown."""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from costlab import count
from costlab.errors import DependsOnDataError
from tests.sampling import one_in
from tests.tracing.models import Applies

pytestmark = pytest.mark.filterwarnings("ignore:Sparse")

ROWS, INNER, COLUMNS = 6, 8, 4
DENSE = torch.where(torch.rand(ROWS, INNER, generator=torch.Generator().manual_seed(0)) < 0.4, 2.5, 0.0)
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "COO": lambda x: x.to_sparse(),
    "CSR": lambda x: x.to_sparse_csr(),
    "CSC": lambda x: x.to_sparse_csc(),
    "BSR": lambda x: x.to_sparse_bsr((2, 2)),
    "BSC": lambda x: x.to_sparse_bsc((2, 2)),
}


def blocks(x: Tensor, size: int) -> Tensor:
    """Where the blocks of a matrix are that are not all zeros."""
    n, m = x.shape
    kept = (x.reshape(n // size, size, m // size, size) != 0).any(3).any(1)
    return kept.repeat_interleave(size, 0).repeat_interleave(size, 1)


def pattern(name: str, x: Tensor = DENSE) -> Tensor:
    """Where a layout stores elements."""
    return blocks(x, 2) if name.startswith("B") else x != 0


def brute(left: Tensor, right: Tensor) -> int:
    """The products of elements that both matrices store, one by one."""
    (n, k), m = left.shape, right.shape[1]
    return sum(1 for i, j, c in product(range(n), range(m), range(k)) if left[i, c] and right[c, j])


def full(*sizes: int) -> Tensor:
    return torch.ones(*sizes, dtype=torch.bool)


class Held(nn.Module):
    """A product by a sparse matrix that a module holds, as a buffer, an attribute or a parameter."""

    def __init__(self, matrix: Tensor, how: str, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function
        if how == "buffer":
            self.register_buffer("matrix", matrix)
        elif how == "attribute":
            self.matrix = matrix
        elif how == "parameter":
            self.matrix = nn.Parameter(matrix)
        self.how = how

    def forward(self, x: Tensor, *given: Tensor) -> Any:
        return self.function(*given if self.how == "input" else (self.matrix,), x)


X = torch.rand(INNER, COLUMNS)
V = torch.rand(INNER)
Y = torch.rand(ROWS, COLUMNS)
DENSE_PRODUCTS: dict[str, tuple[Callable[..., Any], Tensor, Callable[[Tensor], int]]] = {
    "@": (lambda a, x: a @ x, X, lambda a: brute(a, full(INNER, COLUMNS))),
    "matmul": (torch.matmul, X, lambda a: brute(a, full(INNER, COLUMNS))),
    "mm": (torch.mm, X, lambda a: brute(a, full(INNER, COLUMNS))),
    "method mm": (lambda a, x: a.mm(x), X, lambda a: brute(a, full(INNER, COLUMNS))),
    "sparse.mm": (torch.sparse.mm, X, lambda a: brute(a, full(INNER, COLUMNS))),
    "operator": (torch.ops.aten.mm, X, lambda a: brute(a, full(INNER, COLUMNS))),
    "vector": (lambda a, x: a @ x, V, lambda a: brute(a, full(INNER, 1))),
    "mv": (torch.mv, V, lambda a: brute(a, full(INNER, 1))),
    "addmm": (lambda a, x: torch.addmm(Y, a, x), X, lambda a: brute(a, full(INNER, COLUMNS))),
    "sparse.addmm": (lambda a, x: torch.sparse.addmm(Y, a, x), X, lambda a: brute(a, full(INNER, COLUMNS))),
    "from the right": (lambda a, x: x.t() @ a.t(), X, lambda a: brute(a, full(INNER, COLUMNS))),
    "transposed": (lambda a, x: a.t() @ x, Y, lambda a: brute(a.t(), full(ROWS, COLUMNS))),
    "linear": (lambda a, x: functional.linear(x.t(), a), X, lambda a: brute(a, full(INNER, COLUMNS))),
    "detached": (lambda a, x: a.detach() @ x, X, lambda a: brute(a, full(INNER, COLUMNS))),
    "scaled": (lambda a, x: (a * 2.0) @ x, X, lambda a: brute(a, full(INNER, COLUMNS))),
}


def runs(call: Callable[[], Any]) -> bool:
    """Whether torch does it at all."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call()
    except (RuntimeError, NotImplementedError):
        return False
    return True


def _run(name: str, layout: str) -> Any:
    function, x, _ = DENSE_PRODUCTS[name]
    return function(LAYOUTS[layout](DENSE), x)


def drawn() -> Iterator[Any]:
    for layout, how, name in product(LAYOUTS, ("buffer", "attribute", "parameter", "input"), DENSE_PRODUCTS):
        if runs(partial(_run, name, layout)):
            yield layout, how, name


@pytest.mark.parametrize(("layout", "how", "name"), one_in(4, drawn(), several=True))
def test_products_of_stored_elements(layout: str, how: str, name: str) -> None:
    function, x, right = DENSE_PRODUCTS[name]
    matrix = LAYOUTS[layout](DENSE)
    before = matrix.to_dense().clone()
    given = (x, matrix) if how == "input" else (x,)
    within = count(Held(matrix, how, function), given)
    outputs = function(matrix, x).numel()
    assert (within.multiply_adds, within.activations) == (right(pattern(layout)), outputs)
    assert within.unsupported == {}
    assert torch.equal(matrix.to_dense(), before)


SQUARE = torch.where(torch.rand(6, 6, generator=torch.Generator().manual_seed(1)) < 0.4, 1.5, 0.0)


@pytest.mark.parametrize(("left", "right"), [("COO", "COO"), ("CSR", "CSR"), ("CSR", "CSC"), ("CSC", "CSC")])
@pytest.mark.parametrize("function", [torch.matmul, torch.mm, torch.sparse.mm])
def test_sparse_by_sparse(left: str, right: str, function: Any) -> None:
    a, b = LAYOUTS[left](SQUARE), LAYOUTS[right](SQUARE.t().contiguous())
    if not runs(lambda: function(a, b)):
        pytest.fail(f"torch does not multiply {left} by {right}") if left == right == "COO" else None
        return
    within = count(Applies(function), (a, b))
    assert within.multiply_adds == brute(SQUARE != 0, SQUARE.t() != 0)
    assert within.unsupported == {}


def test_a_chain_of_sparse_matrices() -> None:
    a = SQUARE.to_sparse()
    twice = SQUARE @ SQUARE
    within = count(Applies(lambda a, x: (a @ a) @ x), (a, torch.rand(6, 3)))
    assert within.multiply_adds == brute(SQUARE != 0, SQUARE != 0) + brute(twice != 0, full(6, 3))


NNZ = int((DENSE != 0).sum())


def told(a: Tensor, b: Tensor) -> list[Any]:
    """What torch says of a COO and of a CSR matrix."""
    return [
        (a.layout, a.is_sparse, a._nnz(), a.is_coalesced(), a.sparse_dim(), a.dense_dim(), a.shape),
        (a.coalesce().indices().tolist(), a.coalesce().values().shape),
        (b.layout, b.is_sparse, b.is_sparse_csr, b._nnz(), b.dtype, b.device),
        (b.crow_indices().tolist(), b.col_indices().tolist(), b.values().shape),
    ]


def test_what_is_said_of_a_sparse_tensor_holds() -> None:
    inputs = (DENSE.to_sparse(), DENSE.to_sparse_csr())
    right = told(*inputs)

    def ask(a: Tensor, b: Tensor) -> Tensor:
        assert told(a, b) == right
        return a @ b.to_dense().t()

    assert count(Applies(ask), inputs).multiply_adds == NNZ * ROWS


def test_stored_values_are_data() -> None:
    with pytest.raises(DependsOnDataError):
        count(Applies(lambda a: a if a.values().sum() > 0 else a @ a), (DENSE.to_sparse_csr(),))


UNKNOWN: list[Callable[..., Any]] = [
    lambda x: x.to_sparse() @ X,
    lambda x: x.to_sparse().t().coalesce().t() @ X,
    lambda x: x.relu().to_sparse_csr() @ X,
    lambda x: torch.sparse.mm(x.to_sparse(), X),
    lambda x: functional.linear(X.t(), x.to_sparse_csr()),
    lambda x: (x.to_sparse() * 2) @ (x.t().to_sparse()),
]


@pytest.mark.parametrize("place", range(len(UNKNOWN)))
def test_a_structure_that_comes_from_data(place: int) -> None:
    within = count(Applies(UNKNOWN[place]), DENSE)
    assert within.multiply_adds == 0
    assert within.unsupported


@pytest.mark.parametrize(
    "ask", [lambda a: a._nnz(), lambda a: a.coalesce().indices(), lambda a: a.coalesce().values()]
)
def test_a_structure_that_comes_from_data_is_not_told(ask: Any) -> None:
    with pytest.raises(DependsOnDataError):
        count(Applies(lambda x: ask(x.to_sparse())), DENSE)


class Graph(nn.Module):
    """Messages over the edges of a graph, whose weights are learned, or not."""

    def __init__(self, layout: str, learned: bool) -> None:
        super().__init__()
        self.layout = layout
        self.values = nn.Parameter(torch.ones(NNZ), requires_grad=learned)
        self.places = DENSE.to_sparse().indices()
        self.linear = nn.Linear(COLUMNS, COLUMNS)

    def forward(self, x: Tensor) -> Any:
        a = torch.sparse_coo_tensor(self.places, self.values, (ROWS, INNER))
        return (a if self.layout == "COO" else a.to_sparse_csr()) @ self.linear(x)


def test_a_step_by_a_sparse_matrix() -> None:
    forward = NNZ * COLUMNS + INNER * COLUMNS * COLUMNS
    assert count(Graph("COO", False), X).multiply_adds == forward
    step = count(Graph("COO", False), X, backward=True)
    assert step.multiply_adds == forward + NNZ * COLUMNS + INNER * COLUMNS * COLUMNS  # x asks for no gradient
    assert step.unsupported == {}


def test_a_step_with_learned_edges() -> None:
    """torch computes the gradient of a COO matrix whole, and keeps its stored elements."""
    step = count(Graph("COO", True), X, backward=True)
    plain = count(Graph("COO", False), X, backward=True)
    assert step.multiply_adds == plain.multiply_adds + ROWS * INNER * COLUMNS
    assert step.unsupported == {}


@pytest.mark.parametrize("layout", ["COO", "CSR"])
def test_a_step_by_a_held_matrix(layout: str) -> None:
    step = count(
        Held(LAYOUTS[layout](DENSE), "buffer", lambda a, x: a @ x), X.requires_grad_(), backward=True
    )
    X.requires_grad_(False)
    assert step.multiply_adds == 2 * NNZ * COLUMNS
    assert step.unsupported == {}


def test_an_embedding_with_sparse_gradients() -> None:
    def model(sparse: bool) -> nn.Module:
        return nn.Sequential(nn.Embedding(9, 8, sparse=sparse), nn.Linear(8, 3))

    tokens = torch.tensor([[1, 2, 2]])
    for inputs in (tokens, "1x3:int64"):
        sparse, dense = (count(model(each), inputs, backward=True) for each in (True, False))
        assert sparse.multiply_adds == dense.multiply_adds == 3 * 3 * 8 * 3
        assert sparse.unsupported == {}


def test_places_that_are_not_known_of_a_known_number_of_elements() -> None:
    class Edges(nn.Module):
        def forward(self, edges: Tensor, x: Tensor) -> Any:
            weights = torch.ones(edges.shape[1])
            return torch.sparse_coo_tensor(edges, weights, (5, 5)) @ x

    assert count(Edges(), ("2x7:int64", "5x3:float32")).multiply_adds == 7 * 3
