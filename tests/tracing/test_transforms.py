"""Derivatives forward and back in a forward pass, by torch.func, cost what they do when they run."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from costlab import count
from tests.sampling import one_in

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch.func itself
FUNC: Any = torch.func  # which torch leaves without types
DUAL: Any = torch.autograd.forward_ad
Net = Callable[[Tensor], Tensor]


def with_tangents(net: Net, x: Tensor) -> Any:
    """What `torch.func.jvp` is made from."""
    with DUAL.dual_level():
        return DUAL.unpack_dual(net(DUAL.make_dual(x, x * 2)))


DERIVATIVES: dict[str, Callable[[Net, Tensor], Any]] = {
    "jvp": lambda net, x: FUNC.jvp(net, (x,), (torch.ones_like(x),)),
    "jvp of a product": lambda net, x: FUNC.jvp(lambda y: net((y * 2 + 1).mul_(y)), (x,), (x,)),
    "jvp of data": lambda net, x: FUNC.jvp(net, (x,), (x * 2,)),
    "jvp of a jvp": lambda net, x: FUNC.jvp(lambda y: FUNC.jvp(net, (y,), (x,))[1], (x,), (x,)),
    "dual tensors": with_tangents,
    "vjp": lambda net, x: FUNC.vjp(net, x)[1](torch.ones(4, 2)),
    "jacfwd": lambda net, x: FUNC.jacfwd(net)(x[0]),
    "jacrev": lambda net, x: FUNC.jacrev(net)(x[0]),
    "vmap of jacfwd": lambda net, x: FUNC.vmap(FUNC.jacfwd(net))(x),
    "vmap of jacrev": lambda net, x: FUNC.vmap(FUNC.jacrev(net))(x),
    "hessian": lambda net, x: FUNC.hessian(lambda y: net(y).sum())(x[0]),
    "vmap of hessian": lambda net, x: FUNC.vmap(FUNC.hessian(lambda y: net(y).sum()))(x),
    "functional jacobian": lambda net, x: torch.autograd.functional.jacobian(net, x[0]),  # type: ignore[no-untyped-call]  # torch leaves it without types
}
NETS: dict[str, Callable[[], nn.Module]] = {
    "bias": lambda: nn.Linear(3, 2),
    "no bias": lambda: nn.Linear(3, 2, bias=False),
    "two layers": lambda: nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 2)),
}


class Whole:
    """In place of the tracker of modules of PyTorch's counter, which refuses gradients in forward."""

    parents = frozenset(["Global"])

    def __enter__(self) -> None:
        """Nothing to follow."""

    def __exit__(self, *_: object) -> None:
        """Nothing was followed."""


class Differentiates(nn.Module):
    def __init__(self, net: nn.Module, derivative: Callable[[Net, Tensor], Any]) -> None:
        super().__init__()
        self.net, self.derivative = net, derivative

    def forward(self, x: Tensor) -> Any:
        return self.derivative(self.net, x)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("derivative", one_in(2, DERIVATIVES))
def test_a_derivative_in_forward(derivative: str, net: str) -> None:
    model, x = Differentiates(NETS[net](), DERIVATIVES[derivative]).eval(), torch.rand(4, 3)
    counter: Any = FlopCounterMode(display=False)
    counter.mod_tracker = Whole()
    with counter, torch.no_grad():
        model(x)
    assert 2 * count(model, x).multiply_adds == counter.get_total_flops()


PARTS: dict[str, Callable[[Net, Tensor], Any]] = {
    "chunk": lambda net, x: sum(net(each) for each in x.chunk(2, 1)),
    "unbind": lambda net, x: net(x.unbind(1)[0]),
    "select": lambda net, x: net(x[:, 0]),
    "transpose": lambda net, x: net(x.transpose(0, 1)),
    "split": lambda net, x: net(torch.split(x, [1, 2, 1], 1)[1]),
    "expand": lambda net, x: net(x[:, :1].expand(-1, 3, -1)),
    "as_strided": lambda net, x: net(x.as_strided((2, 3), (3, 1))),
    "unfold": lambda net, x: net(x.unfold(2, 3, 3).flatten(0, 1)),
    "diagonal": lambda net, x: x.diagonal(0, 1, 2) @ torch.ones(3, 2),
    "real": lambda net, x: net(torch.view_as_real(torch.complex(x, x))[..., 0]),
    "in place": lambda net, x: net((x * 2).relu_()),
    "into a part": lambda net, x: net((x * 1).index_fill_(1, torch.tensor([0]), 2)),
    "a number": lambda net, x: net(2 - x / 3),
}


@pytest.mark.parametrize("part", PARTS)
def test_parts_of_a_tensor_with_a_tangent(part: str) -> None:
    model, x = (
        Differentiates(nn.Linear(3, 2), lambda net, x: with_tangents(lambda y: PARTS[part](net, y), x)),
        torch.rand(1, 4, 3),
    )
    counter: Any = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model.eval()(x)
    assert 2 * count(model, x).multiply_adds == counter.get_total_flops() != 0
