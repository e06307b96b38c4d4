"""What tools charge for calls that no probe makes of them, and for a step of training."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from costlab import count
from tests.of_modules import OF_MODULES

IMAGES = torch.rand(2, 4, 5, 5)


class Resized(nn.Module):
    """Images of another size, which may be reckoned in tensors."""

    def __init__(self, size: Callable[[], Any]) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, size=self.size())


@pytest.mark.parametrize(
    "size",
    [
        lambda: (7, 9),
        lambda: [7, 9],
        lambda: (7, torch.tensor(9)),
        lambda: (torch.tensor(7), torch.tensor(9)),
    ],
)
def test_a_size_in_tensors(size: Callable[[], Any]) -> None:
    counted = count(Resized(size), IMAGES)
    assert counted.under("deepspeed_flops").cost == counted.under("calflops_flops").cost == 7 * 9


@pytest.mark.parametrize("size", [lambda: 9, lambda: torch.tensor(9)])
def test_one_number_is_all_that_is_multiplied(size: Callable[[], Any]) -> None:
    assert count(Resized(size), IMAGES).under("deepspeed_flops").cost == 9


class Filters(nn.Conv2d):
    """A convolution without Conv in the name of its class."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.weight, self.bias)


class Weights(nn.Module):
    """A convolution or normalization of weights that a module of its own holds."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.rand(sizes)), nn.Parameter(torch.rand(sizes[0]))

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.dim() > 1:
            return functional.conv2d(x, self.weight, self.bias)
        return functional.layer_norm(x, self.weight.shape, self.weight, self.bias)


@pytest.mark.parametrize("model", [Filters(4, 6, 3), Weights(6, 4, 3, 3), Weights(5)])
def test_weights_that_torchinfo_counts_once_are_so_on_the_way_forward(model: Any) -> None:
    held = sum(each.numel() for each in model.parameters())
    forward, both = (count(model, IMAGES, backward=each).under("torchinfo") for each in (False, True))
    assert forward.cost == 2 * held
    back = both.cost - forward.cost
    # The class that is derived from a layer is seen: the weight's gradient and the bias's, at every position.
    assert back == ((6 * 4 * 9 + 6) * 2 * 3 * 3 if isinstance(model, Filters) else 0)


class Projected(nn.Module):
    """An LSTM of one's own: its module says of itself what it likes, and calls what torch's layer does."""

    def __init__(self, layer: nn.LSTM) -> None:
        super().__init__()
        self.layer, self.proj_size = layer, layer.proj_size

    def forward(self, x: Tensor) -> Any:
        states = x.new_zeros(1, x.shape[1], 3), x.new_zeros(1, x.shape[1], 7)
        return torch.lstm(x, states, [*self.layer.parameters()], True, 1, 0.0, False, False, False)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_an_lstm_of_ones_own() -> None:
    layer = nn.LSTM(5, 7, proj_size=3)
    x = torch.rand(4, 2, 5)
    for name in ("multiply_adds", "torchprofile", "ultralytics_thop"):
        charged = count(Projected(layer), x).under(name).by_operator()["lstm_projected"]
        kept = {"torchprofile": 4 * 2 * 4 * 3 * (5 + 3)}
        assert charged == kept.get(name, charged)
    assert (
        count(Projected(layer), x).multiply_adds == count(layer, x).multiply_adds == 8 * (4 * 7 * 8 + 7 * 3)
    )


CHAINS = [
    (nn.Sequential(nn.Conv2d(4, 6, 3, groups=2), nn.BatchNorm2d(6), nn.ReLU()), IMAGES),
    # A tool divides by the batch, so that parts of a charge are left over between the rows.
    (nn.Sequential(nn.Conv1d(4, 5, 1), nn.ReLU(), nn.Conv1d(5, 6, 2), nn.PReLU()), torch.rand(4, 7)),
]


@pytest.mark.parametrize(("model", "inputs"), CHAINS)
def test_a_count_is_copied_and_kept(model: nn.Module, inputs: Tensor) -> None:
    counted = count(model, inputs)
    for again in (pickle.loads(pickle.dumps(counted)), copy.deepcopy(counted), copy.copy(counted)):
        assert again == counted
        for name in OF_MODULES:
            assert again.under(name).by_module() == counted.under(name).by_module()


@pytest.mark.parametrize(("model", "inputs"), CHAINS)
@pytest.mark.parametrize("name", OF_MODULES)
def test_rows_that_were_read_add_up_in_a_copy(model: nn.Module, inputs: Tensor, name: str) -> None:
    counted = count(model, inputs).under(name)
    costs = [row.cost for row in counted.rows]
    assert sum(map(int, costs)) == counted.cost
    for again in (pickle.loads(pickle.dumps(counted)), copy.deepcopy(counted), copy.copy(counted)):
        assert [row.cost for row in again.rows] == costs
