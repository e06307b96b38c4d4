"""Traffic, held against arithmetic by hand, and what is done with a layer against the flow of tensors."""

from typing import Any

import pytest
import torch
from torch import nn

import costlab
from costlab import (
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    PReLU,
    ReLU,
    add,
    auxiliary,
    concat,
    seq,
)
from costlab.counting.count import count
from costlab.errors import DefinitionError, DeviceError
from costlab.hardware.held.forward import forward
from costlab.hardware.held.order import fused as flow_fused
from costlab.hardware.traffic import traffic

NET = seq(
    conv=Conv2d(4, 3, padding=1),
    bn=BatchNorm2d(),
    relu=ReLU(),
    split=concat(a=seq(c=Conv2d(2, 1, bias=False), r=ReLU()), b=MaxPool2d(3, 1, padding=1)),
    again=ReLU(),
    flat=Flatten(),
    drop=Dropout(0.5),
    fc=Linear(5),
)
"""On (3, 8, 8): 192 elements come in, 64 to a channel."""
MOVED = {
    "conv": (192, 3 * 9 * 4 + 4, 256),
    "bn": (256, 8, 256),
    "relu": (256, 0, 256),
    "split.a.c": (256, 8, 128),
    "split.a.r": (128, 0, 128),
    "split.b": (256, 0, 256),
    "split": (128 + 256, 0, 384),
    "again": (384, 0, 384),
    "flat": (0, 0, 0),
    "drop": (0, 0, 0),
    "fc": (384, 384 * 5 + 5, 5),
}
ABSORBED = ("bn", "relu", "split.a.r")


@pytest.mark.parametrize(("dtype", "word"), [("float32", 4), ("tf32", 4), ("bfloat16", 2), ("float64", 8)])
@pytest.mark.parametrize("batch", [1, 3])
def test_each_operation_by_hand(dtype: str, word: int, batch: int) -> None:
    counted = count(NET, (3, 8, 8), batch=batch)
    for fused in (False, True):
        found = {each.node.path: each for each in traffic(counted, dtype, fused=fused)}
        for path, (reads, parameters, writes) in MOVED.items():
            absorbed = fused and path in ABSORBED
            expected = (
                (0, 0, 0) if absorbed else (batch * word * reads, word * parameters, batch * word * writes)
            )
            each = found[path]
            assert (each.reads, each.parameters, each.writes) == expected, path
            assert (each.bytes, each.absorbed) == (sum(expected), absorbed)
        assert list(found) == [node.path for node in counted.operations]


def test_a_sum_of_one_branch_is_that_branch() -> None:
    conv, whole = traffic(count(seq(conv=add(Conv2d(4, 1, bias=False))), (3, 4, 4)))
    assert (conv.bytes, whole.bytes) == (4 * 16 * (3 + 4) + 4 * 12, 0)


def test_inception_v3() -> None:
    inference = count("inception_v3:aux=true", batch=32).inference
    assert sum(int(each.bytes) for each in traffic(inference)) == 9_323_444_384
    assert sum(int(each.bytes) for each in traffic(inference, fused=True)) == 4_731_952_800


@pytest.mark.parametrize(
    ("net", "absorbed"),
    [
        (seq(Conv2d(4, 1), add(seq(), seq(Conv2d(4, 1), BatchNorm2d())), ReLU()), {"1.1.1"}),
        (seq(Conv2d(4, 1), concat(ReLU(), MaxPool2d(1, 1))), set()),
        (seq(Conv2d(4, 1), seq(), seq(BatchNorm2d(), seq(ReLU())), ReLU()), {"2.0", "2.1.0", "3"}),
        (seq(MaxPool2d(1, 1), ReLU(), Conv2d(4, 1), MaxPool2d(2, 2), ReLU()), set()),
        (seq(Flatten(), Linear(4), Dropout(0.5), ReLU()), {"3"}),
        (seq(BatchNorm2d(), Conv2d(4, 1), concat(seq(), Conv2d(2, 1)), ReLU()), set()),
    ],
)
def test_only_a_layer_that_nobody_else_reads_does_what_follows(net: Any, absorbed: set[str]) -> None:
    found = traffic(count(net, (3, 4, 4)).inference, fused=True)
    assert {each.node.path for each in found if each.absorbed} == absorbed


def test_what_a_head_reads_too_is_written() -> None:
    counted = count(seq(Conv2d(4, 1), auxiliary(Flatten(), Linear(2)), BatchNorm2d()), (3, 1, 1))
    assert not any(each.absorbed for each in traffic(counted, fused=True))
    assert [each.node.path for each in traffic(counted.inference, fused=True) if each.absorbed] == ["2"]


class Twice(nn.Module):
    """One ReLU behind a convolution, and behind a sum, as torchvision's residual networks have it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu, self.last = nn.Conv2d(4, 4, 1), nn.ReLU(), nn.Conv2d(4, 4, 1)

    def forward(self, x: torch.Tensor) -> Any:
        return self.relu(self.last(self.relu(self.conv(x))) + x)


def test_a_module_that_is_called_twice_follows_what_ran_before_it() -> None:
    found = traffic(count(Twice(), (1, 4, 2, 2)), fused=True)
    assert {each.node.path: each.absorbed for each in found} == {
        "conv": False,
        "relu.call": True,
        "relu.call_2": False,  # behind the sum
        "last": False,
        "add": False,
    }


@pytest.mark.parametrize("name", ["inception_v3", "resnet50", "vgg16", "googlenet", "alexnet", "inception_e"])
def test_what_a_layer_does_is_what_can_be_done_in_place(name: str) -> None:
    counted = count(name).inference
    flow = forward(counted.root, 1, 4, training=False).flow
    done = {step.path for step in flow_fused(flow).steps}
    in_place = {step.path for step in flow.steps if step.path not in done and step.kind != "dropout"}
    assert {each.node.path for each in traffic(counted, fused=True) if each.absorbed} == in_place


class Model(nn.Module):
    """Views, copies, a table, attention, and a layer that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(100, 16)
        self.layer = nn.Linear(16, 16)
        self.conv = nn.Conv1d(16, 8, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm1d(8)
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.drop = nn.Dropout(0.5)
        self.unused = nn.Linear(3, 3)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.layer(torch.relu(self.layer(self.table(tokens))))
        x = torch.nn.functional.gelu(self.bn(self.conv(x.transpose(1, 2)))).permute(0, 2, 1).contiguous()
        y = self.attention(x, x, x, need_weights=False)[0]
        y = self.drop(self.norm(x + y)).reshape(2, -1)[:, :8].unflatten(1, (4, 2)).flatten(1)
        return torch.cat([y, y], 1)


def test_modules_by_hand() -> None:
    counted = count(Model(), torch.zeros(2, 5, dtype=torch.int64))
    rows, wide, thin = 2 * 5, 2 * 5 * 16, 2 * 5 * 8
    expected = [
        ("embedding", rows, wide, wide),  # the rows that are looked up, and not the whole table
        ("linear", wide, 16 * 16 + 16, wide),
        ("linear", wide, 0, wide),  # the same layer's second call: its weights were read
        ("relu", wide, 0, wide),
        ("conv1d", wide, 16 * 8 * 3, thin),
        ("batch_norm1d", thin, 16, thin),
        ("gelu", thin, 0, thin),
        ("linear", 3 * thin, 4 * (8 * 8 + 8), 3 * thin),  # both of the attention's, of which the first reads
        ("attention", 3 * thin, 0, thin),
        ("linear", thin, 0, thin),
        ("add", 2 * thin, 0, thin),
        ("layer_norm", thin, 16, thin),
        ("dropout", 0, 0, 0),
        ("flatten", 0, 0, 0),
        ("concat", 32, 0, 32),
        ("unused", 0, 0, 0),
    ]
    found = [
        (each.node.work.kind, each.reads, each.parameters, each.writes)
        for each in traffic(counted, "int8")
        if each.node.work
    ]
    assert found == expected
    absorbed = [
        each.node.work.kind for each in traffic(counted, fused=True) if each.absorbed and each.node.work
    ]
    assert absorbed == ["relu", "batch_norm1d", "gelu"]


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(
    ("target", "shape"),
    [("inception_a", None), ("mini", None), ("x_block", None), (seq(Conv2d(4, 1), PReLU()), (3, 4, 4))],
)
def test_a_definition_moves_what_its_module_does(target: Any, shape: Any, fused: bool) -> None:
    counted = count(target, shape, batch=2).inference
    sizes: Any = counted.input
    traced = count(costlab.build(target, shape), (2, *sizes))
    mine, its = (
        {each.node.path: (int(each.bytes), each.absorbed) for each in traffic(one, fused=fused)}
        for one in (counted, traced)
    )
    assert sum(size for size, _ in mine.values()) == sum(size for size, _ in its.values())
    both = mine.keys() & its.keys()
    assert len(both) > 1
    assert {path: mine[path] for path in both} == {path: its[path] for path in both}


class Scaled(nn.Module):
    """A parameter that an operation element by element reads, which is among its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale


def test_a_parameter_among_the_inputs_is_read_once() -> None:
    (found,) = traffic(count(Scaled(), (3, 4)), "int8")
    assert (found.reads, found.parameters, found.writes) == (12 + 4, 0, 12)


def test_symbols_give_the_bytes_of_any_batch() -> None:
    n = costlab.symbols("n")
    whole: Any = sum(each.bytes for each in traffic(count(NET, (3, 8, 8), batch=n)))
    for batch in (1, 5):
        assert whole.subs(n, batch) == sum(
            int(each.bytes) for each in traffic(count(NET, (3, 8, 8), batch=batch))
        )


def test_what_has_no_traffic_is_refused() -> None:
    with pytest.raises(DefinitionError, match="traffic is that of the way forward"):
        traffic(count(NET, (3, 8, 8), batch=2, backward=True))
    with pytest.raises(DeviceError, match="'half' is no type"):
        traffic(count(NET, (3, 8, 8)), "half")
