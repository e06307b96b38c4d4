"""Parameters that are used several ways, and data whose values are known, against arithmetic by hand."""

from typing import Any

import torch
import torch.nn.utils.prune
from torch import nn
from torch.nn import functional, utils

from costlab import compression
from tests.hardware.compression.models import Calls, with_zeros

prune: Any = utils.prune  # torch leaves it without types
ROWS = torch.rand(3, 8)


def left(tensor: Any) -> int:
    return int(tensor.count_nonzero())


def test_a_weight_of_two_layers_of_which_one_is_pruned() -> None:
    for pruned in (0, 1):
        layers: Any = [nn.Linear(8, 8, bias=False) for _ in range(2)]
        layers[1].weight = layers[0].weight
        prune.l1_unstructured(layers[pruned], "weight", 0.5)
        told = compression(nn.Sequential(*layers), ROWS)
        assert told.effective_multiply_adds == 3 * (64 + 32)
        assert (told.parameters, told.nonzero_parameters) == (64, 64)  # whole in the other layer
        assert (told.zeros.elements, told.zeros.zeros) == (64, 0)


def test_products_of_rows_that_indices_choose_are_of_data() -> None:
    table = with_zeros(nn.Embedding(50, 16))
    weight, scale = (with_zeros(nn.Linear(16, n, bias=False)).weight for n in (6, 1))
    model = Calls(
        lambda m, i: torch.relu((m.table(i) * m.scale) @ m.weight.t()),
        table=table,
        weight=weight,
        scale=scale,
    )
    told = compression(model, torch.randint(0, 50, (2, 5)))
    assert (told.multiply_adds, told.effective_multiply_adds) == (10 * 96, 10 * left(weight))
    assert told.nonzero_parameters == left(table.weight) + left(weight) + left(scale)


def test_integers_that_a_model_is_called_with_are_data() -> None:
    weight = torch.randint(-1, 2, (8, 16), dtype=torch.int8)
    told = compression(
        Calls(lambda m, x: torch._int_mm(x, m.weight), weight=weight),
        torch.randint(-3, 3, (32, 8), dtype=torch.int8),
    )
    assert (told.multiply_adds, told.effective_multiply_adds) == (32 * 128, 32 * left(weight))
    assert told.bit_operations == 64 * 32 * 128
    chosen = nn.Parameter((torch.rand(20, 6) > 0.5).float())
    told = compression(
        Calls(lambda m, i: functional.one_hot(i, 20).float() @ m.weight, weight=chosen),
        torch.randint(0, 20, (4,)),
    )
    assert told.effective_multiply_adds == 4 * left(chosen)


def test_a_mask_that_a_model_is_called_with_is_not_known() -> None:
    model = Calls(
        lambda m, x, mask: functional.linear(x, m.weight * (mask > 0)), weight=nn.Parameter(torch.rand(5, 8))
    )
    told = compression(model, (ROWS, torch.randint(0, 2, (5, 8))))
    assert (told.multiply_adds, told.effective_multiply_adds, told.not_known) == (120, None, ("linear",))


def test_a_weight_that_is_written_between_two_uses() -> None:
    def twice(m: Any, x: Any) -> Any:
        first = m.layer(x)
        with torch.no_grad():
            m.layer.weight.fill_(1)
        return m.layer(first)

    layer = with_zeros(nn.Linear(8, 8, bias=False))
    told = compression(Calls(twice, layer=layer), ROWS)
    assert told.effective_multiply_adds == 3 * (left(layer.weight) + 64)
    assert told.nonzero_parameters == 64
    assert left(layer.weight) < 64


def test_two_weights_that_are_computed_before_they_are_used() -> None:
    def both(m: Any, x: Any) -> Any:
        one, other = 2 * m.one.relu(), 2 * m.other.relu()
        return functional.linear(x, one) + functional.linear(x, other)

    one, other = (nn.Parameter(torch.randn(4, 8) + shift) for shift in (0, 1))
    told = compression(Calls(both, one=one, other=other), ROWS)
    kept = left(one.relu()) + left(other.relu())
    assert left(one.relu()) != left(other.relu())
    assert (told.effective_multiply_adds, told.nonzero_parameters) == (3 * kept, kept)
    assert (told.zeros.elements, told.zeros.nonzero) == (64, kept)


def test_a_weight_whose_rows_a_sparse_tensor_chooses_is_not_known() -> None:
    near = torch.eye(5, 8).to_sparse()
    weight = with_zeros(nn.Linear(6, 8)).weight
    alone = compression(Calls(lambda m, a: torch.sparse.mm(a, m.weight), weight=weight), near)
    assert (alone.multiply_adds, alone.effective_multiply_adds, alone.nonzero_parameters) == (
        30,
        None,
        left(weight),
    )
    model = Calls(lambda m, x, a: torch.sparse.mm(a, x @ m.weight.t()), weight=weight)
    told = compression(model, (torch.rand(8, 6), near))
    assert told.effective_multiply_adds == 8 * left(weight) + 5 * 8
