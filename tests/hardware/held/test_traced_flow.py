"""Which operator reads and writes what, by hand, and whose module it is."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab.hardware.held.flow import Step
from costlab.hardware.held.optimizer import Optimizer
from costlab.hardware.held.traced import trace_inference, trace_training
from costlab.hardware.memory import memory


class Net(nn.Module):
    """A view, an operation in place, a pool whose indices nobody reads, a join, and two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu, self.pool = nn.Conv2d(2, 3, 1), nn.ReLU(inplace=True), nn.MaxPool2d(2)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Any:
        y = self.relu(self.conv(x))
        y = self.norm(self.pool(y))
        low, high = y.split(1, 2)
        return torch.cat([low, high], 1), y.flatten(1)


def test_a_flow_by_hand() -> None:
    flow = trace_inference(Net(), (1, 2, 4, 4), "float32").flow
    sizes = [flow.sizes[each.writes] for each in flow.steps]
    named = [(each.path, each.kind, each.scratch) for each in flow.steps]
    assert named == [
        ("conv", "conv2d", 0),
        ("relu", "relu", 0),
        ("pool", "max_pool2d", 3 * 4 * 8),
        ("norm", "batch_norm2d", 0),
        ("", "concat", 0),
    ]
    assert sizes == [192, 192, 48, 48, 48]
    conv, relu, pool, norm, joined = flow.steps
    assert conv.reads == (0,)
    assert flow.sizes[0] == 128
    assert (relu.reads, relu.writes) == ((conv.writes,), conv.writes)
    assert (pool.reads, norm.reads, joined.reads) == ((relu.writes,), (pool.writes,), (norm.writes,))
    assert flow.outputs == (joined.writes, norm.writes)


def test_of_two_tensors_of_an_operator_both_can_be_read() -> None:
    class Sorted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            values, places = x.sort(1)
            return values * places

    flow = trace_inference(Sorted(), (2, 3), "float32").flow
    assert flow.steps == (
        Step("", "sort", (0,), 1),
        Step("", "sort", (0,), 2),
        Step("", "mul", (1, 2), 3),
    )
    assert flow.sizes == (24, 24, 48, 24)


def test_the_way_back_knows_whose_gradients_it_computes() -> None:
    model = nn.Sequential(nn.Linear(4, 5), nn.Sequential(nn.Sigmoid(), nn.Linear(5, 3)))
    step = trace_training(model, (2, 4), "float32", Optimizer())
    back = list(dict.fromkeys(each.path for each in step.moments if each.phase == "backward"))
    assert back == ["", "1.1", "1.0", "0"]
    assert [(each.path, each.kind, each.is_input) for each in step.kept] == [
        ("0", "linear", True),
        ("1.0", "sigmoid", False),
    ]
    phases = list(dict.fromkeys(each.phase for each in step.moments))
    assert phases == ["forward", "loss", "backward", "optimizer"]


def test_what_is_kept_is_of_the_module_that_wants_it_first() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout())
    step: Any = trace_training(model, (2, 3, 6, 6), "float32", Optimizer())
    found = {(each.path, each.kind): 0 for each in step.kept}
    for each in step.kept:
        found[each.path, each.kind] += each.size
    assert found == {
        ("0", "conv2d"): 2 * 3 * 36 * 4,
        ("1", "batch_norm2d"): 2 * 4 * 16 * 4 + 2 * 4 * 4,
        ("2", "relu"): 2 * 4 * 16 * 4,
        ("3", "max_pool2d"): 2 * 4 * 4 * 8,
        ("4", "dropout"): 2 * 4 * 4 * 4,
    }


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_module_is_held_in_the_types_that_it_has(dtype: torch.dtype) -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).to(dtype)
    held = memory(module, (3, 8, 8), batch=2)
    word = dtype.itemsize
    assert held.dtype == str(dtype).removeprefix("torch.")
    assert (held.weights, held.buffers) == ((216 + 8 + 16) * word, 16 * word + 8)
    assert (held.given, held.peak.live) == (2 * 192 * word, 2 * (2 * 8 * 36 * word))
    assert memory(module, (3, 8, 8), dtype="float32").weights == 4 * 240
    assert {each.dtype for each in module.parameters()} == {dtype}


def test_a_module_of_several_types_stays_as_it_is() -> None:
    module = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 4, dtype=torch.float64))
    module[1].register_forward_pre_hook(lambda _, args: (args[0].double(),))
    held = memory(module, "2x8")
    assert (held.dtype, held.weights) == ("several types", 72 * 4 + 36 * 8)
    assert held.given == 64
