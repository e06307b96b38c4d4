"""Modules that are exported count what they count in torch: every quantity, each parameter once."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import costlab
from tests.onnx.rules.exporting import KEPT, counted, exported, kinds, quantities
from tests.sampling import one_in

Case = tuple[str, Callable[[], nn.Module], tuple[tuple[int, ...], ...]]
SETTINGS: tuple[dict[str, Any], ...] = (KEPT, {"do_constant_folding": False}, {**KEPT, "opset_version": 20})


class First(nn.Module):
    """The first of what a module gives."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Any:
        return self.module(*inputs)[0]


class Multihead(nn.Module):
    """Attention of several heads, to itself where there is one input."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, **settings)
        for each in self.attention.parameters():  # those that start as zeros are no others' equals
            nn.init.normal_(each)

    def forward(self, *inputs: Tensor) -> Any:
        return self.attention(*(inputs * 3 if len(inputs) == 1 else inputs), need_weights=False)[0]


class Heads(nn.Module):
    """Scaled dot-product attention behind one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.projection = nn.Linear(16, 48)

    def forward(self, data: Tensor) -> Tensor:
        query, key, value = self.projection(data).reshape(2, 5, 3, 4, 4).permute(2, 0, 3, 1, 4)
        return nn.functional.scaled_dot_product_attention(query, key, value)


class Positions(nn.Module):
    """Rows of a table, with positions that are learned and a class in front."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(10, 8)
        self.positions = nn.Parameter(torch.randn(1, 5, 8))
        self.start = nn.Parameter(torch.randn(1, 1, 8))
        self.norm = nn.LayerNorm(8)

    def forward(self, data: Tensor) -> Any:
        rows = self.table(data.long()) + self.positions
        return self.norm(torch.cat([self.start.expand(rows.shape[0], -1, -1), rows], 1))


class Twice(nn.Module):
    """One convolution, called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, data: Tensor) -> Any:
        return self.layer(self.layer(data))


class Shifted(nn.Module):
    """A linear layer with a bias, and another parameter that is added."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 8)
        self.shift = nn.Parameter(torch.randn(8))

    def forward(self, data: Tensor) -> Any:
        return self.layer(data) + self.shift


class Function(nn.Module):
    """A function of tensors."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


def spatial(rank: int) -> Iterator[Case]:
    """What there is for one, two and three axes."""
    here: Any = {name: getattr(nn, f"{name}{rank}d") for name in ("Conv", "ConvTranspose", "BatchNorm")}
    conv, back, norm = here["Conv"], here["ConvTranspose"], here["BatchNorm"]
    instance, mean, largest = (getattr(nn, f"{n}{rank}d") for n in ("InstanceNorm", "AvgPool", "MaxPool"))
    shapes = ((2, 4, *(8,) * rank),)
    made: dict[str, Callable[[], nn.Module]] = {
        "conv": lambda: conv(4, 6, 3, 2, 1),
        "conv in groups, dilated": lambda: conv(4, 8, 3, groups=2, dilation=2, bias=False),
        "conv same": lambda: conv(4, 6, 3, padding="same"),
        "conv reflected": lambda: conv(4, 6, 3, padding=1, padding_mode="reflect"),
        "transposed": lambda: back(4, 6, 3, 2, 1, output_padding=1, groups=2),
        "conv, norm": lambda: nn.Sequential(conv(4, 6, 3, bias=False), norm(6), nn.ReLU()),
        "norm": lambda: nn.Sequential(norm(4)),
        "norm without parameters": lambda: nn.Sequential(norm(4, affine=False)),
        "instances": lambda: instance(4, affine=True),
        "instances without parameters": lambda: instance(4),
        "mean": lambda: mean(3, 2, 1),
        "mean, rounded up": lambda: mean(3, 2, 1, ceil_mode=True),
        "mean without padding": lambda: mean(3, 2, 1, count_include_pad=False),
        "mean without padding, rounded up": lambda: mean(3, 2, 1, count_include_pad=False, ceil_mode=True),
        "mean of all": lambda: getattr(nn, f"AdaptiveAvgPool{rank}d")(1),
        "largest": lambda: largest(3, 2, 1),
        "largest, rounded up": lambda: largest(3, 2, 1, ceil_mode=True),
        "resized": lambda: nn.Upsample(scale_factor=2),
    }
    return ((f"{rank}d {name}", module, shapes) for name, module in made.items())


LAYERS: list[Case] = [
    ("linear", lambda: nn.Linear(5, 7), ((3, 5),)),
    ("linear of three axes", lambda: nn.Linear(5, 7), ((2, 3, 5),)),
    ("linear without bias", lambda: nn.Linear(5, 7, bias=False), ((2, 3, 5),)),
    ("linear of a vector", lambda: nn.Linear(5, 7), ((5,),)),
    ("linear to one", lambda: nn.Linear(5, 1), ((2, 3, 5),)),
    ("linear and a shift", Shifted, ((2, 3, 8),)),
    ("embedding and positions", Positions, ((2, 5),)),
    ("layer norm", lambda: nn.LayerNorm(8), ((2, 3, 8),)),
    ("layer norm without bias", lambda: nn.LayerNorm(8, bias=False), ((2, 3, 8),)),
    ("layer norm without parameters", lambda: nn.LayerNorm(8, elementwise_affine=False), ((2, 3, 8),)),
    ("prelu", lambda: nn.PReLU(4), ((2, 4, 3),)),
    ("prelu of one", nn.PReLU, ((2, 4, 3),)),
    ("called twice", Twice, ((1, 3, 6, 6),)),
    ("product", lambda: Function(torch.matmul), ((2, 3, 4), (2, 4, 5))),
    ("product by a vector", lambda: Function(torch.matmul), ((3, 4), (4,))),
    ("product and sum", lambda: Function(torch.addmm), ((3, 5), (3, 4), (4, 5))),
    ("einsum", lambda: Function(lambda *x: torch.einsum("ij,jk,kl->il", *x)), ((2, 3), (3, 40), (40, 5))),
    (
        "einsum, the rest",
        lambda: Function(lambda *x: torch.einsum("...ij,jk->...ik", *x)),
        ((2, 2, 3), (3, 4)),
    ),
]


def recurrent(kind: type[nn.RNNBase], settings: dict[str, Any]) -> nn.Module:
    """A recurrent layer that gives its outputs alone."""
    layer: Any = kind
    return First(layer(5, 6, **settings))


RECURRENT: list[Case] = [
    (f"{kind.__name__} {name}", partial(recurrent, kind, settings), ((7, 2, 5),))
    for kind in (nn.LSTM, nn.GRU, nn.RNN)
    for name, settings in (
        ("", {}),
        ("without bias", {"bias": False}),
        ("both ways", {"bidirectional": True, "batch_first": True}),
    )
]
CASES = [*spatial(1), *spatial(2), *spatial(3), *LAYERS, *RECURRENT]
ATTENTION: list[Case] = [
    ("to itself", lambda: Multihead(batch_first=True), ((2, 5, 16),)),
    ("to others", Multihead, ((5, 2, 16), (7, 2, 16), (7, 2, 16))),
    ("of other widths", lambda: Multihead(kdim=8, vdim=12), ((5, 2, 16), (7, 2, 8), (7, 2, 12))),
    ("without bias", lambda: Multihead(bias=False), ((5, 2, 16),)),
    ("with keys that are learned", lambda: Multihead(add_bias_kv=True), ((5, 2, 16),)),
    ("a function", Heads, ((2, 5, 16),)),
]


def both(case: Case, settings: dict[str, Any]) -> tuple[costlab.Count, costlab.Count]:
    """A module counted as it is, and as it is exported."""
    _, make, shapes = case
    torch.manual_seed(0)
    module, inputs = make().eval(), tuple(torch.randn(shape) for shape in shapes)
    return costlab.count(module, inputs), counted(exported(module, *inputs, **settings))


@pytest.mark.parametrize("settings", SETTINGS, ids=["kept", "unfolded", "opset 20"])
@pytest.mark.parametrize("case", one_in(14, CASES))
def test_exported_modules_count_what_they_count(case: Case, settings: dict[str, Any]) -> None:
    module, graph = both(case, settings)
    assert not module.unknown
    assert not graph.unknown
    assert quantities(graph) == quantities(module)


@pytest.mark.parametrize("case", one_in(6, ATTENTION))
def test_attention_counts_the_same_as_products(case: Case) -> None:
    module, graph = both(case, KEPT)
    assert not graph.unknown
    assert "matmul" in kinds(graph)
    assert "attention" in kinds(module)
    expected = quantities(module)
    attended = sum(work.outputs for _, work in graph.root.working() if work.kind == "matmul")
    assert quantities(graph) == expected | {"activations": expected["activations"] + attended}


def test_a_recurrent_layer_and_a_transposed_convolution_by_arithmetic() -> None:
    layer = counted(exported(First(nn.LSTM(64, 64)), torch.randn(100, 1, 64)))
    assert layer.multiply_adds == 100 * 4 * 64 * (64 + 64) == 3_276_800
    maps = nn.Sequential(nn.ConvTranspose2d(8, 4, 3, 2), nn.Conv2d(4, 8, 3, groups=2))
    graph = counted(exported(maps, torch.randn(1, 8, 10, 10)))
    assert graph.multiply_adds == 10 * 10 * 8 * 4 * 9 + 19 * 19 * 8 * 2 * 9 == 80_784


def test_layers_of_a_recurrent_network_are_nodes_of_their_own() -> None:
    case: Case = ("", lambda: First(nn.LSTM(5, 6, 2, bidirectional=True)), ((7, 2, 5),))
    module, graph = both(case, KEPT)
    assert kinds(graph) == ["lstm", "lstm"]
    expected = quantities(module)
    assert quantities(graph) == expected | {"activations": 2 * expected["activations"]}


def test_batch_norm_that_is_folded_leaves_a_bias() -> None:
    case: Case = (
        "",
        lambda: nn.Sequential(nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6)),
        ((2, 4, 8, 8),),
    )
    module, graph = both(case, {})
    assert kinds(graph) == ["conv2d"]
    assert graph.multiply_adds == module.multiply_adds
    assert graph.parameters == module.parameters - 6
    assert quantities(graph)["bias_adds"] == 2 * 6 * 6 * 6


KINDS = [
    ("relu", nn.ReLU()),
    ("relu6", nn.ReLU6()),
    ("leaky_relu", nn.LeakyReLU()),
    ("elu", nn.ELU()),
    ("gelu", nn.GELU()),
    ("hardswish", nn.Hardswish()),
    ("hardsigmoid", nn.Hardsigmoid()),
    ("softplus", nn.Softplus()),
    ("selu", nn.SELU()),
    ("celu", nn.CELU()),
    ("sigmoid", nn.Sigmoid()),
    ("tanh", nn.Tanh()),
    ("softmax", nn.Softmax(1)),
    ("log_softmax", nn.LogSoftmax(1)),
]


@pytest.mark.parametrize(("kind", "module"), one_in(5, KINDS, several=True))
def test_kinds_are_those_of_modules(kind: str, module: nn.Module) -> None:
    graph = counted(exported(module, torch.randn(2, 4, 3), opset_version=20))
    assert kinds(graph) == [kind] == kinds(costlab.count(module, (torch.randn(2, 4, 3),)))
    assert graph.multiply_adds == 0
    assert graph.total.outputs == 24
