"""Modules and parameters that are used more than once, not at all, or come another way: where each counts."""

import warnings
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune
from torch.utils import checkpoint

from costlab import count
from costlab.algebra.traced import Parameters
from tests.tracing import brute
from tests.tracing.brute import assert_counted

pruned: Any = prune.l1_unstructured
ONE = brute.linear(2, 4, 4)
X = torch.rand(2, 4)


def rows(counted: Any) -> dict[str, tuple[int, int]]:
    return {row.path: (row.work.multiply_adds, row.work.parameters) for row in counted.rows}


def test_one_layer_under_two_parents() -> None:
    """It is told where it is called, and its parameters where they are read first."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            shared = nn.Linear(4, 4)
            self.a, self.b = nn.Sequential(shared, nn.ReLU()), nn.Sequential(nn.Tanh(), shared)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.b(self.a(x))
            return y

    counted = assert_counted(Model(), X, 2 * ONE)
    assert rows(counted) == {"a.0": (ONE, 20), "a.1": (0, 0), "b.0": (0, 0), "b.1": (ONE, 0)}
    assert counted.held == Parameters(trainable=20, shared=20)
    assert [row.path for row in counted.modules(1)] == ["a", "b"]


def test_a_loop_over_one_layer() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.block = nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.ReLU())

        def forward(self, x: Tensor) -> Tensor:
            for _ in range(3):
                x = self.block(self.fc(x))
            return x

    counted = assert_counted(Model(), X, 6 * ONE)
    calls = ["call", "call_2", "call_3"]
    assert list(rows(counted)) == [
        f"{name}.{call}" for name in ("fc", "block.0", "block.1") for call in calls
    ]
    assert counted.held == Parameters(trainable=40)
    assert [(row.path, row.operations) for row in counted.modules(1)] == [("fc", 3), ("block", 6)]


def test_what_calls_itself() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Tensor, left: int = 3) -> Tensor:
            y: Tensor = self(self.fc(x), left - 1) if left else x
            return y

    assert list(rows(assert_counted(Model(), X, 3 * ONE))) == ["fc.call", "fc.call_2", "fc.call_3"]


def test_a_layer_with_two_names_has_the_first() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
            self.first = self.layers[0]

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.layers[1](self.first(x))
            return y

    counted = assert_counted(Model(), X, 2 * ONE)
    assert list(rows(counted)) == ["layers.0", "layers.1"]


def test_trainable_frozen_shared_and_unused_parameters() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.frozen = nn.Parameter(torch.rand(4, 4)), nn.Parameter(torch.rand(3, 4), False)
            self.spare = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2))
            self.lonely = nn.Parameter(torch.rand(7))
            self.pair = nn.ParameterList([torch.rand(4, 5), torch.rand(5, 2)])

        def forward(self, x: Tensor) -> Tensor:
            x = F.linear(F.linear(x, self.weight), self.weight) + self.weight[0]
            x = F.linear(x, self.frozen)
            y: Tensor = x @ self.frozen @ self.pair[0]
            return y

    expected = 2 * ONE + 2 * brute.linear(2, 4, 3) + brute.linear(2, 4, 5)
    counted = assert_counted(Model(), X, expected)
    unused = 7 + (2 * 4 + 2) + 4 + 10
    assert counted.held == Parameters(16 + unused + 20, frozen=12, unused=unused)
    told = rows(counted)
    assert told["spare.0"] == (0, 10)
    assert told["spare.1"] == (0, 4)
    assert (told["linear"][1], told["linear_2"][1], told["linear_3"][1], told["matmul_2"][1]) == (
        16,
        0,
        12,
        20,
    )
    assert {row.path: row.operation for row in counted.rows}["spare.0"] == "unused"
    out = {row.path: row.output for row in (*counted.rows, *counted.modules(1))}
    assert (out["spare.0"], out["spare"], out["linear"]) == (None, None, (2, 4))  # nothing came out of spare


def test_layers_that_are_made_on_the_way() -> None:
    """They are counted, but their parameters are not the model's."""

    class Model(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = nn.Linear(4, 4)(x) + nn.Conv1d(1, 1, 1)(x[:, None])[:, 0]
            return y

    counted = assert_counted(Model(), X, ONE + brute.conv((2, 1, 4), 1, 1))
    assert list(rows(counted)) == ["Linear", "Conv1d", "add"]
    assert counted.parameters == 0


def test_hooks_and_forward_called_by_hand() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.rest = nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4))
            self.fc.register_forward_hook(lambda module, args, output: output @ torch.eye(4))
            self.fc.register_forward_pre_hook(lambda module, args: (args[0] * 2,))

        def forward(self, x: Tensor) -> Tensor:
            rest: Any = self.rest
            y: Tensor = rest.forward(self.fc(x))
            return y

    assert_counted(Model(), X, 3 * ONE)


def test_weights_that_are_reckoned_from_others() -> None:
    for model in (
        parametrizations.weight_norm(nn.Linear(4, 4)),
        pruned(nn.Linear(4, 4), "bias", 0.5),
    ):
        counted = assert_counted(model, X, ONE)
        assert counted.unsupported == {}
    spectral = parametrizations.spectral_norm(nn.Linear(4, 4))
    assert_counted(spectral.eval(), X, ONE + brute.matmul(4, 4) + 4, by_torch=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's, for the older of the two
        older = nn.utils.weight_norm(nn.Linear(4, 4))
    assert_counted(older, X, ONE)


class Product(torch.autograd.Function):
    """A function with a gradient of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x @ x.mT

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


def test_functions_with_gradients_of_their_own_and_checkpoints() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Any:
            product: Any = Product.apply
            return product(checkpoint.checkpoint(self.fc, x, use_reentrant=False))

    assert_counted(Model(), X, ONE + brute.matmul(2, 4, 2))


def test_other_precisions() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Any:
            with torch.autocast("cpu"):
                return self.fc(x)

    assert_counted(Model(), X, ONE)
    assert_counted(nn.Linear(4, 4).half(), X.half(), ONE)
    assert count(nn.Linear(4, 4).to(torch.bfloat16), "2x4:bfloat16").multiply_adds == ONE


def test_constants_keep_their_values() -> None:
    """What is made of nothing is known: lengths, places, masks, sizes."""

    class Model(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            for scale in torch.linspace(1, 2, int(torch.tensor(3).item())):
                x = x * scale.item()
            chosen = torch.tensor([True, False, True, True])
            x = x.clone()
            x[:, ~chosen] = 0.0
            x[0, torch.tensor(0)] = 1.0
            spectrum = torch.stft(x.reshape(-1), 4, window=torch.ones(4), return_complex=True)
            held = torch.zeros(3, 4) + 1
            held[0] = x[0]
            held += spectrum.abs().sum()
            return x[:, chosen] @ held.to("cpu").cpu()

    counted = count(Model(), X)
    assert counted.multiply_adds == brute.matmul(2, 3, 4)
    assert list(counted.unsupported) == ["_fft_r2c"]
    assert str(counted.root.output) == "2x4"


@pytest.mark.parametrize("sizes", [(0, 4), (1, 4)])
def test_a_batch_of_none(sizes: tuple[int, int]) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Unflatten(1, (2, 2, 2)), nn.Conv2d(2, 3, 2), nn.Flatten())
    expected = brute.linear(sizes[0], 4, 8) + brute.conv((sizes[0], 2, 2, 2), 3, 2)
    assert_counted(model, torch.rand(sizes), expected)
