"""What feeds what: definitions against the trace of what is built from them, and modules by hand."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from costlab.advise.graph import INPUT, Graph, graph_of
from costlab.algebra import Conv2d
from costlab.algebra.work import Work
from costlab.targets.build import build
from costlab.targets.resolve import resolve
from costlab.tracing.rules.registry import MODULES

NETWORKS = ("inception_v3", "alexnet", "googlenet", "resnet50", "vgg16")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_definition_has_the_graph_of_the_module_that_is_built_from_it(name: str) -> None:
    found = resolve(name)
    with torch.device("meta"):
        traced = graph_of(resolve(build(name), found.input))
    assert _settled(graph_of(found)) == _settled(traced)


def _settled(graph: Graph) -> tuple[object, ...]:
    """A graph with padding in numbers, as modules have it, and with joins by the path of their module."""
    steps = []
    for step in graph.steps:
        conv = None if step.convolution is None else step.convolution.conv
        total = None if conv is None else (conv.filters, conv.kernel, conv.stride, conv._total_padding())
        steps.append((*step._replace(path=step.path.removesuffix(f".{step.kind}"), convolution=None), total))
    return (tuple(steps), graph.outputs)


class InPlace(nn.Module):
    """Writes into tensors, views and constants, and gives out two."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.lstm = nn.LSTM(8, 8, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv(x)  # 0
        y = x.view(1, 8, -1).mT
        x = torch.relu_(x)  # 1: y is a view of it
        z, _ = self.lstm(y)  # 2
        z[:, :1] += 1  # 3: a part of z
        made = torch.zeros(2, 900, 8)
        made[0] = z[0]
        first, second = made.chunk(2)
        return torch.cat([first, second * 2]), x  # 4, 5


def test_what_is_written_in_place_is_read_by_those_that_come_later() -> None:
    graph = graph_of(resolve(InPlace(), (3, 32, 32)))
    assert [(step.kind, step.reads) for step in graph.steps] == [
        ("conv2d", (INPUT,)),
        ("relu", (0,)),
        ("lstm", (1,)),
        ("add", (2,)),
        ("mul", (2, 3)),
        ("concat", (2, 3, 4)),
    ]
    assert graph.outputs == (1, 5)
    assert graph.steps[0].convolution is not None
    assert graph.steps[0].convolution.conv == Conv2d(8, 3)


class Constants(nn.Module):
    """Adds something that does not come from its input."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.scale)


def test_constants_do_not_come_from_the_input() -> None:
    graph = graph_of(resolve(Constants(), (3, 4, 4)))
    assert [(step.kind, step.reads, step.from_input) for step in graph.steps] == [
        ("sigmoid", (), False),
        ("mul", (INPUT, 0), True),
    ]


class Position(nn.Module):
    """Puts out a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(5))

    def forward(self) -> Tensor:
        return self.weight * 2


class Positioned(nn.Module):
    """Adds what a module puts out that is given nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.position = Position()

    def forward(self, x: Tensor) -> Tensor:
        position: Tensor = self.position()
        return x + position


def test_what_a_rule_counts_that_reads_nothing_is_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, Position, lambda seen, module: Work("position"))
    graph = graph_of(resolve(Positioned(), (5,)))
    assert [(step.kind, step.reads) for step in graph.steps] == [("position", ()), ("add", (INPUT, 0))]


class Convolves(nn.Module):
    """Calls a function with its input."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


W, GROUPED, BIAS = torch.ones(6, 4, 3, 2), torch.ones(6, 2, 3, 2), torch.ones(6)
TRANSPOSED = torch.ones(4, 6, 3, 2)
aten = torch.ops.aten
CALLS: dict[str, Callable[[Tensor], Tensor]] = {
    "strides": lambda x: functional.conv2d(x, W, BIAS, (2, 1), (2, 1)),
    "one stride": lambda x: functional.conv2d(x, W, None, 2),
    "same": lambda x: functional.conv2d(x, W, padding="same", dilation=(2, 1)),
    "valid": lambda x: functional.conv2d(x, W, padding="valid"),
    "groups": lambda x: functional.conv2d(x, GROUPED, groups=2),
    "by name": lambda x: functional.conv2d(bias=BIAS, weight=W, padding=1, input=x),
    "partly by name": lambda x: torch.conv2d(x, bias=BIAS, weight=W, stride=2),
    "unbatched": lambda x: torch.conv2d(x[0], W, BIAS, 2, 1),
    "channels last": lambda x: torch.conv2d(x.to(memory_format=torch.channels_last), W),
    "operator": lambda x: aten.convolution(x, W, BIAS, [2, 2], [1, 1], [1, 1], False, [0, 0], 1),
    "operator of one size": lambda x: aten.convolution(x, W, None, [2], [1], [1], False, [0], 1),
    "function": lambda x: torch.convolution(x, GROUPED, None, (2, 1), (1, 1), (1, 1), False, (0, 0), 2),
    "mapped": torch.vmap(lambda each: torch.conv2d(each, W, padding=1)),
    "mapped weights": lambda x: torch.vmap(lambda each: torch.conv2d(x, each))(torch.stack([W, W])),
    "complex": lambda x: torch.conv2d(torch.complex(x, x), torch.complex(W, W), padding=1).abs(),
}
OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "one axis": lambda x: torch.conv1d(x[..., 0], W[..., 0]),
    "three axes": lambda x: torch.conv3d(x[:, :, None], W[:, :, None]),
    "transposed": lambda x: torch.conv_transpose2d(x, TRANSPOSED),
    "transposed operator": lambda x: aten.convolution(
        x, TRANSPOSED, None, [2, 2], [1, 1], [1, 1], True, [0, 0], 1
    ),
    "kernel of a processor": lambda x: aten._slow_conv2d_forward(x, W, [3, 2], BIAS, [2, 2], [1, 1]),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_convolution_does_what_ran(name: str) -> None:
    traced = graph_of(resolve(Convolves(CALLS[name]), torch.ones(2, 4, 9, 8)))
    (number,) = traced.convolutions
    step, found = traced.steps[number], traced.steps[number].convolution
    assert found is not None
    assert found.work.multiply_adds * found.batch == step.multiply_adds > 0
    assert tuple(found.conv.output(found.input)) == step.sizes[-3:]


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_convolution_that_is_known_is_none(name: str) -> None:
    traced = graph_of(resolve(Convolves(OTHERS[name]), torch.ones(2, 4, 9, 8)))
    assert any("conv" in step.kind for step in traced.steps)
    assert not traced.convolutions
