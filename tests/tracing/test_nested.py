"""Nested tensors count as their sequences do one by one, as inputs and where they are made."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn

import costlab
from costlab.errors import DefinitionError
from tests.tracing.models import Calls

pytestmark = pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype stage")
LENGTHS = (3, 5, 1)
ROWS, SQUARES = sum(LENGTHS), sum(each * each for each in LENGTHS)


def nested(layout: torch.layout = torch.jagged, width: int = 8) -> Tensor:
    return torch.nested.nested_tensor([torch.rand(each, width) for each in LENGTHS], layout=layout)


def attend(m: Any, x: Tensor) -> Any:
    q, k, v = (each(x).unflatten(-1, [2, 4]).transpose(1, 2) for each in (m.q, m.k, m.v))
    return m.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2))


def linear(to: int = 8) -> nn.Linear:
    return nn.Linear(8, to)


ONE = ROWS * 64
# What is called, what it costs, and how much of that has a gradient to its input too.
CASES: dict[str, tuple[nn.Module, int, int]] = {
    "linear": (linear(4), ROWS * 32, 0),
    "mlp": (
        nn.Sequential(linear(16), nn.ReLU(), nn.LayerNorm(16), nn.Dropout(0.1), nn.Linear(16, 8), nn.GELU()),
        2 * ROWS * 128,
        ROWS * 128,
    ),
    "product": (Calls(lambda m, x: x @ m.w, w=nn.Parameter(torch.rand(8, 6))), ROWS * 48, 0),
    "softmax": (Calls(lambda m, x: F.softmax(m.l(x), -1), l=linear()), ONE, 0),
    "padded": (
        Calls(lambda m, x: m.l(torch.nested.to_padded_tensor(x, 0.0)), l=linear()),
        len(LENGTHS) * max(LENGTHS) * 64,
        0,
    ),
    "residual": (Calls(lambda m, x: x + m.l(x) * 2, l=linear()), ONE, 0),
    "unbound": (Calls(lambda m, x: [m.l(each) for each in x.unbind()], l=linear()), ONE, 0),
    "summed": (Calls(lambda m, x: m.l(x.sum(1)), l=linear()), len(LENGTHS) * 64, 0),
    "two layers": (Calls(lambda m, x: m.b(m.a(x)), a=linear(), b=linear()), 2 * ONE, ONE),
}


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "step"])
@pytest.mark.parametrize("layout", [torch.jagged, torch.strided], ids=["jagged", "strided"])
@pytest.mark.parametrize("name", CASES)
def test_the_sequences_are_counted(name: str, layout: torch.layout, backward: bool) -> None:
    model, forward, through = CASES[name]
    x = nested(layout)
    before = [each.clone() for each in x.unbind()]
    counted = costlab.count(model, x, backward=backward)
    assert counted.multiply_adds == forward + backward * (forward + through)
    assert counted.parameters == sum(each.numel() for each in model.parameters())
    assert not counted.unsupported
    assert type(x) is type(nested(layout))
    assert all(torch.equal(mine, its) for mine, its in zip(x.unbind(), before, strict=True))


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "step"])
def test_each_sequence_attends_to_itself(backward: bool) -> None:
    model = Calls(attend, q=linear(), k=linear(), v=linear(), out=linear())
    counted = costlab.count(model, nested(), backward=backward)
    # Two heads of 4: two products forward, five in the gradients. The input needs no gradient.
    back = 3 * ONE + 2 * ONE + 2 * SQUARES * 4 * 5
    assert counted.multiply_adds == 4 * ONE + 2 * SQUARES * 8 + backward * back
    assert counted.by_operator()["attention"] == 2 * SQUARES * 8


def test_it_is_attention_of_each_sequence_alone() -> None:
    model = Calls(attend, q=linear(), k=linear(), v=linear(), out=linear())
    alone = sum(costlab.count(model, torch.rand(1, each, 8)).multiply_adds for each in LENGTHS)
    assert costlab.count(model, nested()).multiply_adds == alone


def test_in_a_dictionary_and_by_name() -> None:
    model = Calls(lambda m, given: m.l(given["x"]), l=linear(4))
    assert costlab.count(model, ({"x": nested()},)).multiply_adds == ROWS * 32
    assert costlab.count(linear(4), {"input": nested()}).multiply_adds == ROWS * 32


def from_list(layout: torch.layout) -> Callable[..., Any]:
    return lambda m, x: m.l(torch.nested.as_nested_tensor([x[0, :3], x[1, :5]], layout=layout))


def of_parts(layout: torch.layout) -> Callable[..., Any]:
    return lambda m, x: m.l(torch.nested.nested_tensor([x[0, :3], x[1, :5]], layout=layout))


def of_a_batch(layout: torch.layout) -> Callable[..., Any]:
    return lambda m, x: m.l(torch.nested.as_nested_tensor(x, layout=layout))


def by_mask(m: Any, x: Tensor) -> Any:
    return m.l(torch._nested_tensor_from_mask(x, torch.arange(5) < torch.tensor([[2], [4]])))


def and_back(m: Any, x: Tensor) -> Any:
    return m.l(torch.nested.as_nested_tensor(x, layout=torch.jagged)).to_padded_tensor(0.0)


def from_offsets(m: Any, x: Tensor) -> Any:
    return m.l(torch.nested.nested_tensor_from_jagged(x.flatten(0, 1), offsets=torch.tensor([0, 3, 10])))


@pytest.mark.parametrize(
    ("make", "rows"),
    [
        *((from_list(layout), 8) for layout in (torch.jagged, torch.strided)),
        *((of_parts(layout), 8) for layout in (torch.jagged, torch.strided)),
        *((of_a_batch(layout), 10) for layout in (torch.jagged, torch.strided)),
        (by_mask, 6),
        (and_back, 10),
        (from_offsets, 10),
    ],
)
@pytest.mark.parametrize("backward", [False, True], ids=["forward", "step"])
def test_one_that_is_made_on_the_way(make: Callable[..., Any], rows: int, backward: bool) -> None:
    counted = costlab.count(Calls(make, l=linear()), torch.zeros(2, 5, 8), backward=backward)
    assert counted.multiply_adds == (1 + backward) * rows * 64


def test_attention_that_is_given_all_by_name() -> None:
    def by_name(m: Any, x: Tensor) -> Any:
        return F.scaled_dot_product_attention(query=x, key=x, value=x)

    x = torch.nested.nested_tensor([torch.rand(each, 2, 8) for each in LENGTHS], layout=torch.jagged)
    assert costlab.count(Calls(by_name), x.transpose(1, 2)).multiply_adds == 2 * SQUARES * (8 + 8)


def test_parts_that_are_asked_for_by_name() -> None:
    def parts(m: Any, x: Tensor) -> Any:
        return [m.l(each) for each in torch.unbind(input=x)]

    assert costlab.count(Calls(parts, l=linear()), nested()).multiply_adds == ONE


def test_the_ways_in_which_one_cannot_be_counted() -> None:
    uneven = torch.nested.nested_tensor([torch.rand(3, 8), torch.rand(5, 7)])
    with pytest.raises(DefinitionError, match="parts differ in more than their first axis"):
        costlab.count(linear(), uneven)


def test_its_text_tells_the_sizes_of_its_parts() -> None:
    assert str(costlab.count(linear(), nested()).input) == "nested(3x8, 5x8, 1x8)"
