"""Scripted and traced modules count as the modules that they were made from, and stay as they are."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn

import costlab
from costlab.errors import DependsOnDataError, TargetError
from tests.sampling import one_in

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit", "ignore:.*TracerWarning")
script: Any = torch.jit.script
trace: Any = torch.jit.trace


class Steps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.steps = nn.Linear(8, 8), 3

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(self.steps):
            x = self.layer(x)
            if x.shape[0] > 1:
                x = F.relu(x)
        return x


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        mixed: Tensor = self.out(F.scaled_dot_product_attention(q, k, v))
        return mixed


class Products(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4, 4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bij,jk->bik", x, self.weight) @ x.transpose(1, 2)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRU(8, 6, batch_first=True)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.cell(x)[0])
        return output


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 9, 10)
    )


NETS: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "convolutional": (convolutional, torch.zeros(2, 3, 8, 8)),
    "steps": (Steps, torch.zeros(2, 8)),
    "attention": (Attention, torch.zeros(2, 5, 16)),
    "products": (Products, torch.zeros(2, 5, 4)),
    "recurrent": (Recurrent, torch.zeros(2, 5, 8)),
    "transposed": (
        lambda: nn.Sequential(nn.ConvTranspose2d(3, 4, 3), nn.GELU(), nn.GroupNorm(2, 4)),
        torch.zeros(2, 3, 8, 8),
    ),
    "embedding": (
        lambda: nn.Sequential(nn.Embedding(10, 8), nn.LayerNorm(8), nn.Linear(8, 4)),
        torch.zeros(2, 5, dtype=torch.long),
    ),
    "encoder": (lambda: nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), torch.zeros(2, 5, 16)),
    "slopes": (lambda: nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.PReLU()), torch.zeros(2, 4)),
    "pooled": (
        lambda: nn.Sequential(nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)),
        torch.zeros(2, 3, 8, 8),
    ),
}


def traced(model: nn.Module, x: Tensor) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return trace(model, x, check_trace=False)


def state(model: nn.Module) -> tuple[Any, ...]:
    tensors = {name: (each, each.clone()) for name, each in model.state_dict().items()}
    return tensors, [each.training for each in model.modules()]


def assert_unchanged(model: nn.Module, before: tuple[Any, ...]) -> None:
    tensors, modes = before
    for name, each in model.state_dict().items():
        assert each.data_ptr() == tensors[name][0].data_ptr()
        assert torch.equal(each, tensors[name][1])
    assert [each.training for each in model.modules()] == modes


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "step"])
@pytest.mark.parametrize("form", ["script", "trace"])
@pytest.mark.parametrize("name", one_in(2, NETS))
def test_it_counts_as_what_it_was_made_from(name: str, form: str, backward: bool) -> None:
    make, x = NETS[name]
    plain = make()
    if form == "trace":
        plain.eval()
    right = costlab.count(plain, x, backward=backward)
    model = script(plain) if form == "script" else traced(plain, x)
    before, drawn = state(model), torch.get_rng_state()
    counted = costlab.count(model, x, backward=backward)
    assert counted.multiply_adds == right.multiply_adds
    assert counted.parameters == right.parameters
    assert counted.held == right.held
    assert not counted.unsupported
    assert_unchanged(model, before)
    assert torch.equal(drawn, torch.get_rng_state())


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "step"])
def test_one_among_others(backward: bool) -> None:
    def made(scripted: Callable[[nn.Module], Any]) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), scripted(convolutional()), nn.Linear(10, 5))

    x = torch.zeros(2, 3, 8, 8)
    model = made(script)
    before = state(model)
    counted, right = (costlab.count(each, x, backward=backward) for each in (model, made(lambda each: each)))
    assert (counted.multiply_adds, counted.parameters) == (right.multiply_adds, right.parameters)
    assert counted.by_module()["0"] == right.by_module()["0"]
    assert_unchanged(model, before)


def test_a_scripted_function() -> None:
    def project(x: Tensor, weight: Tensor) -> Tensor:
        for _ in range(x.shape[0]):
            x = F.linear(x, weight)
        return x

    scripted = script(project)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(8, 8))

        def forward(self, x: Tensor) -> Any:
            return scripted(x, self.weight)

    counted = costlab.count(Model(), torch.zeros(2, 8))
    assert (counted.multiply_adds, counted.parameters) == (2 * 2 * 8 * 8, 64)


def test_what_reads_data_says_so() -> None:
    class Reads(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * 2 if bool(x.sum() > 0) else x

    with pytest.raises(DependsOnDataError, match=r"^1: what it does depends on the values of its data"):
        costlab.count(nn.Sequential(nn.ReLU(), script(Reads())), torch.zeros(2, 3))


def test_one_that_fails_says_why() -> None:
    model = nn.Sequential(nn.ReLU(), script(nn.Linear(4, 2)))
    with pytest.raises(TargetError, match=r"^1: RuntimeError: .*\[2, 3\] X \[4, 2\]"):
        costlab.count(model, torch.zeros(2, 3))


def test_a_script_learns_nothing_from_a_count() -> None:
    model = script(convolutional().eval())
    x = torch.rand(2, 3, 8, 8)
    expected = model(x)
    costlab.count(model, x)
    assert torch.equal(model(x), expected)
    assert torch.equal(model(x), expected)
