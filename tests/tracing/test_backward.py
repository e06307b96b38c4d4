"""Steps of training: the way forward and all gradients, under the modules that caused them."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils import checkpoint

from costlab import Count, count
from costlab.algebra.traced import Parameters
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities.normalization import statistics as elements_of_statistics
from costlab.errors import DefinitionError
from tests.tracing import brute
from tests.tracing.brute import assert_counted


def step(model: nn.Module, inputs: Any, expected: int, *, by_torch: bool = True) -> Count:
    """The products of a step; it is told to be one, and the parameters have no gradients after it."""
    counted = count(model.train(), inputs, backward=True)
    assert counted.is_step
    assert all(each.grad is None for each in model.parameters())
    return assert_counted(model, inputs, expected, by_torch=by_torch, backward=True)


def products(counted: Count) -> dict[str, int]:
    """The multiply-adds of each module."""
    found: dict[str, int] = {}
    for row in counted.rows:
        place = row.path.rpartition(".")[0]
        made: Any = row.work.multiply_adds
        found[place] = found.get(place, 0) + made
    return {place: made for place, made in found.items() if made}


FIRST, SECOND = brute.linear(2, 4, 5), brute.linear(2, 5, 3)


def perceptron() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))


def test_a_perceptron() -> None:
    """Nobody asks for the gradient of the input of the first layer."""
    counted = step(perceptron(), torch.rand(2, 4), 2 * FIRST + 3 * SECOND)
    assert products(counted) == {"0": 2 * FIRST, "2": 3 * SECOND}
    assert [row.path for row in counted.rows] == [
        *("0.call", "0.matmul", "0.sum", "1.call", "1.threshold_backward"),
        *("2.call", "2.matmul", "2.matmul_2", "2.sum"),
    ]
    assert counted.title == "Sequential, input 2x4, a step of training"


def test_an_input_that_asks_for_its_gradient_has_one() -> None:
    step(perceptron(), torch.rand(2, 4, requires_grad=True), 3 * FIRST + 3 * SECOND)


def test_frozen_parameters() -> None:
    first, last = perceptron(), perceptron()
    first[0].requires_grad_(False)
    last[2].requires_grad_(False)
    counted = step(first, torch.rand(2, 4), FIRST + 2 * SECOND)
    assert [row.path for row in counted.rows] == ["0", "1", "2.call", "2.matmul", "2.sum"]
    assert counted.held == Parameters(trainable=18, frozen=25)
    counted = step(last, torch.rand(2, 4), 2 * FIRST + 2 * SECOND)
    assert products(counted) == {"0": 2 * FIRST, "2": 2 * SECOND}
    frozen = perceptron().requires_grad_(False)
    assert count(frozen, torch.rand(2, 4), backward=True).multiply_adds == FIRST + SECOND


def test_convolutions() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 2), nn.Flatten()
    )
    first, second = brute.conv((2, 3, 6, 6), 4, 3), brute.conv((2, 4, 2, 2), 6, 2)
    counted = step(model, torch.rand(2, 3, 6, 6), 2 * first + 3 * second)
    assert products(counted) == {"0": 2 * first, "4": 3 * second}
    by_kind = {row.operation: row.work.multiply_adds for row in counted.kinds()}
    assert by_kind["conv2d_backward"] == first + 2 * second
    assert by_kind["native_batch_norm_backward"] == 0
    assert counted.unsupported == {}


CONVOLUTIONS: list[tuple[nn.Module, int]] = [
    (nn.Conv2d(4, 8, 3, padding=1), brute.conv((2, 4, 5, 6), 8, 3, padding=1)),
    (nn.Conv2d(4, 8, 3, stride=2, dilation=2), brute.conv((2, 4, 5, 6), 8, 3, stride=2, dilation=2)),
    (nn.Conv2d(4, 8, 3, groups=2), brute.conv((2, 4, 5, 6), 8, 3, groups=2)),
    (nn.Conv2d(4, 4, 3, groups=4), brute.conv((2, 4, 5, 6), 4, 3, groups=4)),
    (nn.ConvTranspose2d(4, 3, 3, stride=2), brute.transposed((2, 4, 5, 6), 3, 3)),
    (nn.ConvTranspose2d(4, 6, 3, groups=2), brute.transposed((2, 4, 5, 6), 6, 3, groups=2)),
]


@pytest.mark.parametrize(("layer", "once"), CONVOLUTIONS, ids=lambda each: str(each)[:60])
def test_each_gradient_of_a_convolution_costs_what_the_way_forward_does(layer: Any, once: int) -> None:
    """Torch's counter charges the gradient of a grouped weight as if it had one group."""
    before = brute.conv((2, 3, 5, 6), 4, 1)
    model = nn.Sequential(nn.Conv2d(3, 4, 1), layer)
    counted = step(model, torch.rand(2, 3, 5, 6), 2 * before + 3 * once, by_torch=layer.groups == 1)
    assert products(counted) == {"0": 2 * before, "1": 3 * once}
    theirs = brute.torch_counter(model, torch.rand(2, 3, 5, 6), backward=True)
    assert theirs == 2 * before + (2 + layer.groups) * once


@pytest.mark.parametrize("fused", [True, False])
def test_attention(fused: bool) -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv = nn.Linear(8, 24)

        def forward(self, x: Tensor) -> Tensor:
            q, k, v = self.qkv(x).reshape(2, 5, 3, 2, 4).permute(2, 0, 3, 1, 4)
            if fused:
                return F.scaled_dot_product_attention(q, k, v)
            weighed: Tensor = (q @ k.mT / 2).softmax(-1) @ v
            return weighed

    within, attended = brute.linear(10, 8, 24), brute.attention(4, 5, 5, 4)
    with sdpa_kernel(SDPBackend.MATH):
        counted = step(Attention(), torch.rand(2, 5, 8), 2 * within + 3 * attended)
    assert products(counted) == {"qkv": 2 * within, "": 3 * attended}
    assert counted.unsupported == {}
    # The kernel that torch chooses keeps no weights: they are computed again, five products for two.
    chosen = step(
        Attention(), torch.rand(2, 5, 8), 2 * within + (7 if fused else 6) * attended // 2, by_torch=not fused
    )
    assert (chosen.by_operator().get("attention_backward") == 5 * attended // 2) == fused


def test_a_layer_of_a_transformer() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True))
    each = brute.linear(10, 8, 24) + brute.linear(10, 8, 8) + 2 * brute.linear(10, 8, 16)
    each += brute.attention(4, 5, 5, 4)
    counted = step(model, torch.rand(2, 5, 8), 2 * brute.linear(10, 8, 8) + 3 * each)
    told = products(counted)
    assert told["1.self_attn"] == 3 * (each - 2 * brute.linear(10, 8, 16))
    assert set(told) == {"0", "1.self_attn", "1.linear1", "1.linear2"}


def test_an_embedding() -> None:
    model = nn.Sequential(nn.Embedding(11, 4), nn.Linear(4, 11))
    counted = step(model, torch.randint(11, (2, 3)), 3 * brute.linear(6, 4, 11))
    assert "0.embedding_dense_backward" in [row.path for row in counted.rows]


def test_recurrent_layers() -> None:
    """No gradient of the input and of the state before the first step; torch's counter misses one layer."""
    reads, states = brute.counted(8, 6, 5), brute.counted(8, 5, 5)
    first = brute.counted(2, 5, 5)
    for layer, gates in ((nn.LSTM(6, 5), 4), (nn.GRU(6, 5), 3), (nn.RNN(6, 5), 1)):
        expected = gates * (2 * reads + 3 * states - first)
        counted = step(layer, torch.rand(4, 2, 6), expected, by_torch=gates != 4)
        assert counted.unsupported == {}
    below = nn.Sequential(nn.Linear(6, 6), nn.LSTM(6, 5))
    expected = 2 * brute.linear(8, 6, 6) + 4 * (3 * reads + 3 * states - first)
    assert products(step(below, torch.rand(4, 2, 6), expected, by_torch=False)) == {
        "0": 2 * brute.linear(8, 6, 6),
        "1": expected - 2 * brute.linear(8, 6, 6),
    }


def test_a_bilinear_layer() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.both = nn.Bilinear(3, 4, 5, bias=False)

        def forward(self, x: Tensor, y: Tensor) -> Any:
            return self.both(x, y)

    whole = brute.counted(2, 5, 3, 4)
    forward = whole + brute.counted(2, 5, 4)
    back = (whole + brute.counted(2, 3, 4)) + (whole + brute.counted(2, 5, 4)) + whole
    inputs = torch.rand(2, 3, requires_grad=True), torch.rand(2, 4, requires_grad=True)
    step(Model(), inputs, forward + back, by_torch=False)


def test_a_shared_layer_has_its_gradients_where_it_was_called() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            shared = nn.Linear(4, 4)
            self.a, self.b = nn.Sequential(shared, nn.ReLU()), nn.Sequential(nn.Tanh(), shared)

        def forward(self, x: Tensor) -> Any:
            return self.b(self.a(x))

    once = brute.linear(2, 4, 4)
    counted = step(Model(), torch.rand(2, 4), 5 * once)
    assert products(counted) == {"a.0": 2 * once, "b.1": 3 * once}
    assert counted.held == Parameters(trainable=20, shared=20)


@dataclass
class Output:
    """What models give, too."""

    values: list[Any]


def test_every_output_has_a_gradient() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head, self.beside = nn.Linear(4, 4), nn.Linear(4, 2), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Any:
            x = self.body(x)
            return {"out": self.head(x), "more": Output([self.beside(x), 3, x.argmax()]), "none": None}

    body, head, beside = (brute.linear(2, 4, n) for n in (4, 2, 3))
    counted = step(Model(), torch.rand(2, 4), 2 * body + 3 * head + 3 * beside)
    assert products(counted) == {"body": 2 * body, "head": 3 * head, "beside": 3 * beside}


def test_what_was_not_kept_runs_once_more() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = perceptron(), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Any:
            return self.head(checkpoint.checkpoint(self.body, x, use_reentrant=False))

    head = brute.linear(2, 3, 2)
    counted = count(Model(), torch.rand(2, 4), backward=True)
    told = products(counted)
    assert told["body.0"] == 3 * FIRST
    assert told["head"] == 3 * head
    assert brute.torch_counter(Model(), torch.rand(2, 4), backward=True) == counted.multiply_adds


def test_training_is_as_the_modules_are_set() -> None:
    """A norm in training takes statistics, one in eval mode does not; the mode is the model's own."""
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout())
    x = torch.rand(2, 3, 4, 4)

    def statistics(counted: Count) -> Any:
        norms = (node for node in counted.operations if node.work and node.work.kind == "batch_norm2d")
        return sum(elements_of_statistics(ChargedOperation(node)) for node in norms)

    assert statistics(count(model.train(), x, backward=True)) == 2 * 4 * 16
    assert statistics(count(model.train(), x)) == 0
    assert statistics(count(model.eval(), x, backward=True)) == 0


def test_products_that_torch_does_not_run_without_values() -> None:
    """Each row meets one matrix of several, as in a mixture of experts."""

    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.experts = nn.Linear(4, 4), nn.Parameter(torch.rand(3, 4, 8))

        def forward(self, x: Tensor) -> Any:
            return torch._grouped_mm(self.body(x), self.experts, offs=torch.arange(3, dtype=torch.int32))

    body, once = brute.linear(6, 4, 4), brute.counted(6, 4, 8)
    counted = count(Experts(), torch.rand(6, 4), backward=True)
    assert counted.multiply_adds == 2 * body + 3 * once
    assert counted.parameters == brute.unique(Experts())


def test_a_step_needs_something_to_go_back_from() -> None:
    class Detached(nn.Module):
        def __init__(self, frozen: bool) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 3).requires_grad_(not frozen)

        def forward(self, x: Tensor) -> Any:
            return self.fc(x).argmax(-1)

    with pytest.raises(DefinitionError, match=r"Detached: .* nothing in it has a gradient"):
        count(Detached(False), torch.rand(2, 4), backward=True)
    assert count(Detached(True), torch.rand(2, 4), backward=True).multiply_adds == 2 * 4 * 3


@pytest.mark.parametrize("cls", [nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d])
def test_complex_convolutions_are_counted_once_each_way(cls: Any) -> None:
    axes = int(cls.__name__[-2])
    first, second = (cls(channels, 4, 3, dtype=torch.complex64) for channels in (3, 4))
    x = torch.rand(2, 3, *(5 + i for i in range(axes)), dtype=torch.complex64)
    real = cls(3, 4, 3), cls(4, 4, 3)
    forward = count(nn.Sequential(*real), x.real).multiply_adds
    outermost = count(real[0], x.real).multiply_adds
    step = count(nn.Sequential(first, second), x, backward=True)
    assert step.multiply_adds == 3 * forward - outermost  # whose input needs no gradient
    assert count(nn.Sequential(*real), x.real, backward=True).multiply_adds == step.multiply_adds
