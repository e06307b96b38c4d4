"""Modules of PyTorch are counted exactly: against loops, and against torch's counter where it sees them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn

from costlab import count
from costlab.algebra.inputs import Inputs
from tests.tracing import brute
from tests.tracing.brute import assert_counted


class Call(nn.Module):
    """A function as a module, with parameters and modules that it finds in it by number."""

    def __init__(self, function: Callable[..., Any], *held: Any) -> None:
        super().__init__()
        self.function = function
        for n, each in enumerate(held):
            setattr(self, f"held{n}", nn.Parameter(each) if isinstance(each, Tensor) else each)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(self, *args, **kwargs)


def paths(counted: Any) -> list[str]:
    return [row.path for row in counted.rows]


RANKS = [(nn.Conv1d, (2, 4, 9)), (nn.Conv2d, (2, 4, 7, 8)), (nn.Conv3d, (1, 4, 4, 5, 6))]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"bias": False, "stride": 2},
    {"groups": 2, "padding": 1},
    {"groups": 4},
    {"padding": "same"},
    {"padding": "same", "dilation": 2},
    {"padding": 2, "dilation": 2, "stride": 2},
]


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # torch's on even kernels
@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("cls", "sizes"), RANKS)
def test_convolutions(cls: Any, sizes: tuple[int, ...], settings: dict[str, Any], kernel: int) -> None:
    model = cls(4, 8, kernel, **settings)
    plain = {name: value for name, value in settings.items() if name != "bias"}
    expected = brute.conv(sizes, 8, kernel, **plain)
    counted = assert_counted(model, torch.rand(sizes), expected)
    assert counted.activations == model(torch.rand(sizes)).numel()
    assert counted.weights == model.weight.numel()
    one = count(model, torch.rand(sizes[1:]))  # without a batch
    assert one.multiply_adds * sizes[0] == expected


@pytest.mark.parametrize("mode", ["circular", "reflect"])
def test_what_pads_a_convolution_multiplies_nothing(mode: Any) -> None:
    model = nn.Conv2d(4, 6, 3, padding=1, padding_mode=mode)
    assert_counted(model, torch.rand(2, 4, 5, 6), brute.conv((2, 4, 5, 6), 6, 3, padding=1))


TRANSPOSED = [(nn.ConvTranspose1d, (2, 4, 9)), (nn.ConvTranspose2d, (2, 4, 5, 6))]
BACK: list[dict[str, Any]] = [
    {},
    {"groups": 2, "bias": False},
    {"groups": 4, "stride": 2},
    {"stride": 2, "padding": 1, "output_padding": 1},
    {"dilation": 2},
]


@pytest.mark.parametrize("settings", BACK, ids=str)
@pytest.mark.parametrize(("cls", "sizes"), [*TRANSPOSED, (nn.ConvTranspose3d, (1, 4, 3, 4, 5))])
def test_transposed_convolutions(cls: Any, sizes: tuple[int, ...], settings: dict[str, Any]) -> None:
    model = cls(4, 8, 3, **settings)
    expected = brute.transposed(sizes, 8, 3, groups=settings.get("groups", 1))
    assert_counted(model, torch.rand(sizes), expected)
    assert count(model, torch.rand(sizes[1:])).multiply_adds * sizes[0] == expected


class UNet(nn.Module):
    """Down, up by transposed convolutions, and what was on the way beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, 2, 1, groups=4)])
        self.middle = nn.Conv2d(16, 16, 3, padding="same", dilation=2, groups=16)
        self.up = nn.ConvTranspose2d(16, 8, 2, 2, groups=2)
        self.out = nn.Sequential(nn.BatchNorm2d(16), nn.Conv2d(16, 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        wide = F.relu(self.down[0](x))
        deep = self.middle(F.relu(self.down[1](wide)))
        beside: Tensor = self.out(torch.cat([wide, self.up(deep)], 1))
        return F.interpolate(beside, scale_factor=2, mode="bilinear")


def test_a_u_net() -> None:
    expected = (
        brute.conv((2, 3, 8, 8), 8, 3, padding=1)
        + brute.conv((2, 8, 8, 8), 16, 3, stride=2, padding=1, groups=4)
        + brute.conv((2, 16, 4, 4), 16, 3, padding="same", dilation=2, groups=16)
        + brute.transposed((2, 16, 4, 4), 8, 2, groups=2)
        + brute.conv((2, 16, 8, 8), 2, 1)
    )
    counted = assert_counted(UNet(), torch.rand(2, 3, 8, 8), expected)
    assert paths(counted) == [
        *("down.0", "down.1", "relu", "relu_2", "middle", "up", "concat"),
        *("out.0", "out.1", "interpolate_bilinear"),
    ]
    operations = {row.path: row.operation for row in counted.rows}
    assert operations["down.1"] == "conv2d 3x3 grouped"
    assert operations["middle"] == "conv2d 3x3 depthwise"
    assert str(counted.root.output) == "2x2x16x16"


def functional(self: Any, x: Tensor) -> Tensor:
    x = F.max_pool2d(F.relu(F.conv2d(input=x, weight=self.held0, bias=self.held1, padding=1)), 2)
    x = F.batch_norm(x, None, None, training=True)
    return F.log_softmax(F.linear(F.adaptive_avg_pool2d(x, 1).flatten(1), self.held2), -1)


def test_functions_only() -> None:
    model = Call(functional, torch.rand(5, 3, 3, 3), torch.rand(5), torch.rand(7, 5))
    expected = brute.conv((2, 3, 8, 8), 5, 3, padding=1) + brute.linear(2, 5, 7)
    counted = assert_counted(model, torch.rand(2, 3, 8, 8), expected)
    assert paths(counted)[0] == "conv2d"
    assert counted.rows[0].work.parameters == 5 * 3 * 9 + 5


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("sizes", [(8,), (3, 8), (2, 3, 8), (2, 2, 3, 8), (0, 8)])
def test_linear_layers_of_every_rank(sizes: tuple[int, ...], bias: bool) -> None:
    rows = torch.Size(sizes[:-1]).numel()
    counted = assert_counted(nn.Linear(8, 5, bias), torch.rand(sizes), brute.linear(rows, 8, 5))
    assert counted.bias_adds == (rows * 5 if bias else 0)
    alone = Call(lambda self, x: F.linear(x, self.held0), torch.rand(5, 8))
    assert_counted(alone, torch.rand(sizes), brute.linear(rows, 8, 5))


def test_a_bilinear_layer() -> None:
    """Torch's counter misses it: the first input by the weight, then what comes out by the second."""
    expected = brute.counted(6, 5, 3, 4) + brute.counted(6, 5, 4)
    assert_counted(nn.Bilinear(3, 4, 5), (torch.rand(2, 3, 3), torch.rand(2, 3, 4)), expected, by_torch=False)


PRODUCTS: list[tuple[Callable[..., Any], list[tuple[int, ...]], tuple[int, ...]]] = [
    (lambda self, a, b: a @ b, [(2, 3, 4), (2, 4, 5)], (2, 3, 4, 5)),
    (lambda self, a, b: a @ b, [(2, 1, 3, 4), (6, 4, 5)], (12, 3, 4, 5)),
    (lambda self, a, b: a @ b, [(2, 3, 4), (4, 5)], (6, 4, 5)),
    (lambda self, a, b: torch.einsum("bhid,bhjd->bhij", a, b), [(2, 2, 3, 4), (2, 2, 5, 4)], (4, 3, 4, 5)),
    (lambda self, a, b: torch.einsum("nctkv,vw->nctkw", a, b), [(2, 3, 2, 2, 3), (3, 5)], (24, 3, 5)),
    (lambda self, a, b: torch.einsum("i,j->ij", a, b), [(3,), (4,)], (0,)),
    (lambda self, c, a, b: torch.baddbmm(c, a, b), [(2, 3, 5), (2, 3, 4), (2, 4, 5)], (2, 3, 4, 5)),
    (lambda self, c, a, b: torch.addmm(c, a, b), [(3, 5), (3, 4), (4, 5)], (3, 4, 5)),
    (lambda self, a, b: torch.tensordot(a, b, 2), [(3, 4, 5), (4, 5, 2)], (3, 20, 2)),
    (lambda self, a, b: torch.inner(a, b), [(3, 4), (5, 4)], (3, 4, 5)),
    (lambda self, a: torch.eye(3) @ a.mT.cpu(), [(2, 4, 3)], (2, 3, 3, 4)),
    (lambda self, a, b: torch.vmap(torch.mm)(a, b), [(2, 3, 4), (2, 4, 5)], (2, 3, 4, 5)),
    (lambda self, a: torch.vmap(self.held0)(a), [(2, 5, 3)], (10, 3, 4)),
    (lambda self, a: self.held0.weight @ F.unfold(a, 1)[:, :3], [(2, 4, 3, 3)], (2, 4, 3, 9)),
]
GROUPS = torch.tensor([2, 6], dtype=torch.int32)
UNSEEN: list[tuple[Callable[..., Any], list[tuple[int, ...]], tuple[int, ...]]] = [
    (lambda self, a, b: a @ b, [(3, 4), (4,)], (3, 4)),
    (lambda self, a, b: torch.dot(a, b), [(4,), (4,)], (4,)),
    (lambda self, a, b: torch._grouped_mm(a, b, offs=GROUPS), [(6, 4), (2, 4, 8)], (6, 4, 8)),
    (lambda self, c, a, b: torch.addmv(c, a, b), [(3,), (3, 4), (4,)], (3, 4)),
    (lambda self, c, a, b: torch.addbmm(c, a, b), [(3, 5), (2, 3, 4), (2, 4, 5)], (2, 3, 4, 5)),
    (lambda self, c, a, b: (2 * c).baddbmm_(a, b), [(2, 3, 5), (2, 3, 4), (2, 4, 5)], (2, 3, 4, 5)),
]


@pytest.mark.parametrize("n", range(len(PRODUCTS) + len(UNSEEN)))
def test_products_of_matrices(n: int) -> None:
    function, sizes, loops = (PRODUCTS + UNSEEN)[n]
    model = Call(function, nn.Linear(3, 4))
    inputs = tuple(torch.rand(each) for each in sizes)
    assert_counted(model, inputs, brute.matmul(*loops), by_torch=n < len(PRODUCTS))


def test_several_inputs_and_inputs_by_name() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(11, 4)
            self.fc = nn.Linear(4, 3)

        def forward(self, tokens: Tensor, scale: Tensor, *, mask: Tensor | None = None) -> Tensor:
            x: Tensor = self.fc(self.table(tokens)) * scale
            return x if mask is None else x.masked_fill(mask, 0.0)

    tokens, scale, mask = torch.randint(11, (2, 5)), torch.rand(3), torch.zeros(2, 5, 3, dtype=torch.bool)
    expected = brute.linear(10, 4, 3)
    assert_counted(Two(), (tokens, scale), expected)
    assert_counted(Two(), {"tokens": tokens, "scale": scale, "mask": mask}, expected)
    assert_counted(Two(), Inputs([tokens], {"mask": mask, "scale": scale}), expected)
    assert count(Two(), ["2x5:int64", "scale:3", "mask:2x5x3:bool"]).multiply_adds == expected
    assert count(nn.Linear(4, 3), "3x4").title == "Linear, input 3x4"
    nested = Call(lambda self, given: given["a"] @ given["b"][0])
    one = {"a": torch.rand(2, 4), "b": [torch.rand(4, 3)]}
    assert count(nested, Inputs([one])).multiply_adds == count(nested, (one,)).multiply_adds == 24


def test_what_moves_or_weighs_elements_multiplies_no_matrices() -> None:
    kinds = [
        nn.ELU,
        nn.GELU,
        nn.SiLU,
        nn.Mish,
        nn.Softplus,
        nn.Hardtanh,
        nn.Hardswish,
        nn.LogSigmoid,
        nn.PReLU,
    ]
    layers = [*(kind() for kind in kinds), nn.RReLU(), nn.Tanh(), nn.Threshold(1, 1)]
    norms = [nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4), nn.LocalResponseNorm(2)]
    rest = [nn.Dropout(), nn.Upsample(scale_factor=2, mode="bicubic"), nn.PixelShuffle(2), nn.MaxPool2d(2)]
    counted = assert_counted(nn.Sequential(*layers, *norms, *rest), torch.rand(2, 4, 4, 4), 0)
    assert counted.unsupported == {}
    assert paths(counted) == [str(n) for n in range(len(counted.rows) + 1) if n != len(layers) + 6]
