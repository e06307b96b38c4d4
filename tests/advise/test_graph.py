"""What feeds what: definitions against the trace of what is built from them, and modules by hand."""

import pytest
import torch
from torch import Tensor, nn

from costlab.advise.graph import INPUT, Graph, graph_of
from costlab.algebra import Conv2d
from costlab.targets.build import build
from costlab.targets.resolve import resolve

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
