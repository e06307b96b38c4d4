"""What operations read: against a run on values in which what each puts out is changed, and by hand."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab.advise.graph import INPUT, graph_of
from costlab.targets.resolve import resolve
from tests.tracing.perturbed import found, tried

Function = Callable[[Any, Tensor], Any]
X = (4, 5, 5)


class Runs(nn.Module):
    """Calls a function with itself and its input; it has two convolutions."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function
        self.a, self.b = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def parts_written(m: Any, x: Tensor) -> Any:
    z = torch.zeros(1, 8, 5, 5)
    first, second = z.chunk(2, 1)
    first.copy_(m.a(x))
    second.copy_(m.b(x))
    return z * 2


def inference(m: Any, x: Tensor) -> Any:
    with torch.inference_mode():
        first, second = torch.zeros(2, 1, 4, 5, 5).unbind()
        first.copy_(m.a(x))
        second.copy_(m.b(x))
        return torch.cat([first, second])


def part_multiplied(m: Any, x: Tensor) -> Any:
    z = m.a(x)
    z.narrow(1, 0, 2).mul_(m.b(x)[:, :2])
    return z + 1


def view_written(m: Any, x: Tensor) -> Any:
    z = m.a(x)
    z.view(-1).sigmoid_()
    return m.b(z)


def replaced(m: Any, x: Tensor) -> Any:
    z, y = m.a(x), m.b(x)
    z.copy_(y)
    y.zero_()
    return z * 2, y * 3


def made_of_sizes(m: Any, x: Tensor) -> Any:
    y = m.a(x)
    return torch.zeros_like(y) * 2, y.new_full((2,), 3.0) * 2, torch.empty_like(y).copy_(x) * 2


def data_set(m: Any, x: Tensor) -> Any:
    y, z = m.a(x), m.b(x)
    y.data = z
    y.mul_(3)
    return torch.relu(z)


def data_forgotten(m: Any, x: Tensor) -> Any:
    y = m.a(x)
    y.data = torch.ones(3)
    return y * 2, x * 3


def set_to(m: Any, x: Tensor) -> Any:
    y, z = m.a(x), torch.empty(0)
    z.set_(y)
    z.mul_(2)
    return y + 1


def detached(m: Any, x: Tensor) -> Any:
    y = m.a(x)
    y.detach().relu_()
    return y * 2


def out(m: Any, x: Tensor) -> Any:
    z = m.b(x)
    torch.add(m.a(x), x, out=z)
    return z * 2


def numbers_joined(m: Any, x: Tensor) -> Any:
    y = m.a(x)
    return torch.tensor([y.sum(), y.mean()]) * 2


def several_in_place(m: Any, x: Tensor) -> Any:
    y, z = m.a(x), m.b(x)
    torch._foreach_mul_([y, z], 2.0)
    return y + 1, z + 1


def indices(m: Any, x: Tensor) -> Any:
    y = m.a(x)
    z = m.b(x).flatten()
    z.scatter_(0, torch.arange(10), x.tanh().flatten())
    y.masked_fill_(torch.eye(5, dtype=torch.bool), z.sum())
    y.index_put_((torch.tensor([0]), torch.tensor([2])), z[:25].view(5, 5))
    return y * 2, x[:, m.b(x)[0, 0].argmax(-1) % 4] * 2


def imaginary(m: Any, x: Tensor) -> Any:
    z = torch.complex(x.sin(), x.cos())
    z.imag.mul_(x.exp())
    return z * 2, torch.fft.fft(x).abs() * 2


def mapped(m: Any, x: Tensor) -> Any:
    y = x.tanh()
    return torch.vmap(lambda one, two: torch.cat([m.a(one).relu(), two]), in_dims=(0, None))(x, y[0]) * 2


def only_by_name(m: Any, x: Tensor) -> Any:
    y = m.a(x)
    torch.zeros(1).zero_()
    return torch.add(input=y, other=torch.relu(input=y)), torch.cat(tensors=[m.b(x), y])


def outputs(m: Any, x: Tensor) -> Any:
    return {"a": m.a(x), "b": [x * 2, (m.b(x).split(2, 1),)]}


def constant(m: Any, x: Tensor) -> Any:
    return m.a(x), torch.sigmoid(torch.ones(3))


FUNCTIONS = [
    parts_written,
    inference,
    part_multiplied,
    view_written,
    replaced,
    made_of_sizes,
    data_set,
    data_forgotten,
    set_to,
    detached,
    out,
    numbers_joined,
    several_in_place,
    indices,
    imaginary,
    mapped,
    only_by_name,
    outputs,
    constant,
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.__name__)
def test_what_is_read_is_what_a_change_shows(function: Function) -> None:
    module = Runs(function).eval()
    assert found(module, X) == tried(module, X)


def view_beside(m: Any, x: Tensor) -> Any:
    y = m.a(x)
    flat = torch.flatten(y, 2)
    return y * 2, flat * 3, flat.view(-1) * 4


def view_then_written(m: Any, x: Tensor) -> Any:
    y = m.a(x)
    flat = torch.flatten(y, 1)
    y.mul_(x)
    return y * 2, flat.shape


def one_of_two(m: Any, x: Tensor) -> Any:
    return torch.cond(x.sum() > 0, m.a, m.b, (x,)) * 2


def constant_of_two(m: Any, x: Tensor) -> Any:
    return torch.cond(x.sum() > 0, lambda x: torch.zeros(3), lambda x: torch.ones(3), (x,)) * 2


def sparse(m: Any, x: Tensor) -> Any:
    return torch.sparse.mm(x[0, 0].tanh().to_sparse(), m.a(x)[0, 0]) * 2


def nested(m: Any, x: Tensor) -> Any:
    n = torch.nested.as_nested_tensor([x[0, 0, :2].sin(), x[0, 0].cos()], layout=torch.jagged)
    return (n * 2).values() * 3


BY_HAND = [
    (view_beside, [("conv2d", (INPUT,)), ("flatten", (0,)), ("mul", (0,)), ("mul", (1,)), ("mul", (1,))]),
    (view_then_written, [("conv2d", (INPUT,)), ("flatten", (0,)), ("mul", (INPUT, 0)), ("mul", (2,))]),
    (one_of_two, [("sum", (INPUT,)), ("conv2d", (INPUT,)), ("mul", (0, 1))]),
    (constant_of_two, [("sum", (INPUT,)), ("mul", (0,))]),
    (sparse, [("tanh", (INPUT,)), ("conv2d", (INPUT,)), ("_sparse_addmm", (0, 1)), ("mul", (2,))]),
    (
        nested,
        [
            *(("sin", (INPUT,)), ("cos", (INPUT,)), ("concat", (0, 1))),
            *(("cumsum", ()), ("concat", (3,))),  # where the parts begin
            *(("mul", (2,)), ("mul", (5,))),
        ],
    ),
]


@pytest.mark.parametrize(("function", "operations"), BY_HAND, ids=lambda each: getattr(each, "__name__", ""))
def test_what_is_read_where_a_run_on_values_shows_something_else(function: Function, operations: Any) -> None:
    graph = graph_of(resolve(Runs(function).eval(), X))
    assert [(step.kind, step.reads) for step in graph.steps] == operations
