"""Probes: the same operations without layers, by every way that torch has to ask for them."""
# ruff: noqa: PLW0108  # a tool puts another function in the place of a name: it is looked up when called

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn

from tests.checking.probes import Probe, Size
from tests.tracing.models import Applies


class Held(nn.Module):
    """A function that reads a weight, and perhaps a bias, that the module holds."""

    def __init__(self, function: Callable[..., Any], weight: tuple[int, ...], bias: int = 0) -> None:
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.rand(weight))
        self.bias = nn.Parameter(torch.rand(bias)) if bias else None

    def forward(self, x: Tensor) -> Any:
        return self.function(x, self.weight, self.bias)


class Renamed(nn.Module):
    """The same, but for the names of what it holds."""

    def __init__(self, function: Callable[..., Any], weight: tuple[int, ...], bias: int = 0) -> None:
        super().__init__()
        self.function = function
        self.kernel = nn.Parameter(torch.rand(weight))
        self.shift = nn.Parameter(torch.rand(bias)) if bias else None

    def forward(self, x: Tensor) -> Any:
        return self.function(x, self.kernel, self.shift)


def called(function: Callable[..., Any], inputs: str = "map") -> Probe:
    """A probe of a function."""

    def make(_: Size) -> nn.Module:
        return Applies(function)

    return Probe(make, inputs)


def _held(
    name: str, function: Callable[..., Any], weight: Callable[[Size], tuple[int, ...]], inputs: str = "map"
) -> dict[str, Probe]:
    def make(s: Size, kind: Callable[..., nn.Module], bias: bool) -> nn.Module:
        sizes = weight(s)
        return kind(function, sizes, sizes[0] if bias else 0)

    return {
        f"{name}{'_bias' * bias}{'' if kind is Held else '_renamed'}": Probe(
            partial(make, kind=kind, bias=bias), inputs
        )
        for kind in (Held, Renamed)
        for bias in (False, True)
    }


def _chained(x: Tensor, y: Tensor) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is to go
        return torch.chain_matmul(x, y, y.t())  # type: ignore[no-untyped-call]  # torch leaves it without types


def calls(calls: Mapping[str, Callable[..., Any]], inputs: str = "map") -> dict[str, Probe]:
    """Probes of functions by name."""
    return {name: called(function, inputs) for name, function in calls.items()}


ACTIVATIONS = calls(
    {
        "F.elu": lambda x: F.elu(x),
        "F.gelu": lambda x: F.gelu(x),
        "F.hardsigmoid": lambda x: F.hardsigmoid(x),
        "F.hardswish": lambda x: F.hardswish(x),
        "F.hardtanh": lambda x: F.hardtanh(x),
        "F.leaky_relu": lambda x: F.leaky_relu(x),
        "F.mish": lambda x: F.mish(x),
        "F.relu": lambda x: F.relu(x),
        "F.relu_inplace": lambda x: F.relu(x.clone(), inplace=True),
        "F.relu6": lambda x: F.relu6(x),
        "F.selu": lambda x: F.selu(x),
        "F.sigmoid": lambda x: F.sigmoid(x),
        "F.silu": lambda x: F.silu(x),
        "F.softplus": lambda x: F.softplus(x),
        "F.tanh": lambda x: F.tanh(x),
        "torch.relu": lambda x: torch.relu(x),
        "torch.relu_": lambda x: torch.relu_(x.clone()),
        "torch.sigmoid": lambda x: torch.sigmoid(x),
        "torch.tanh": lambda x: torch.tanh(x),
        "torch.exp": lambda x: torch.exp(x),
        "x.relu": lambda x: x.relu(),
        "x.relu_": lambda x: x.clone().relu_(),
        "x.sigmoid": lambda x: x.sigmoid(),
        "x.tanh": lambda x: x.tanh(),
        "F.softmax": lambda x: F.softmax(x, 1),
        "F.softmax_named": lambda x: F.softmax(x, dim=-1),
        "F.log_softmax": lambda x: F.log_softmax(x, 1),
        "torch.softmax": lambda x: torch.softmax(x, 1),
        "x.softmax": lambda x: x.softmax(1),
        "F.dropout": lambda x: F.dropout(x, 0.5, False),
        "F.pad": lambda x: F.pad(x, (1, 1)),
        "sizes_multiplied": lambda x: x.view(x.shape[0], x.shape[1] * x.shape[2], -1),
        "torch.flatten": lambda x: torch.flatten(x, 1),
        "x.flatten": lambda x: x.flatten(1),
    }
)
NORMALIZATION = {
    **calls(
        {
            "F.layer_norm": lambda x: F.layer_norm(x, x.shape[-1:]),
            "F.instance_norm": lambda x: F.instance_norm(x),
            "F.group_norm": lambda x: F.group_norm(x, 2),
            "F.batch_norm": lambda x: F.batch_norm(x, x[0, :, 0, 0], x[0, :, 0, 0]),
            "F.local_response_norm": lambda x: F.local_response_norm(x, 3),
            "F.normalize": lambda x: F.normalize(x),
        }
    ),
    "F.layer_norm_affine": Probe(
        lambda s: Held(lambda x, w, b: F.layer_norm(x, w.shape, w, b), (s.c,), s.c), "rows"
    ),
    "F.batch_norm_affine": Probe(
        lambda s: Held(lambda x, w, b: F.batch_norm(x, x[0, :, 0, 0], x[0, :, 0, 0], w, b), (s.c,), s.c),
    ),
}
POOLING = calls(
    {
        "F.max_pool2d": lambda x: F.max_pool2d(x, 2),
        "F.max_pool2d_named": lambda x: F.max_pool2d(x, kernel_size=3, stride=2, padding=1),
        "torch.max_pool2d": lambda x: torch.max_pool2d(x, 2),
        "F.avg_pool2d": lambda x: F.avg_pool2d(x, 2),
        "F.avg_pool2d_without_padding": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        "F.adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, 1),
        "F.adaptive_avg_pool2d_odd": lambda x: F.adaptive_avg_pool2d(x, (3, 5)),
        "F.adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x, 1),
        "x.mean": lambda x: x.mean((2, 3)),
        "torch.mean": lambda x: torch.mean(x, dim=1),
        "x.sum": lambda x: x.sum((2, 3)),
        "x.amax": lambda x: x.amax((2, 3)),
        "F.grid_sample": lambda x: F.grid_sample(x, torch.zeros(len(x), 3, 5, 2), align_corners=False),
        "F.grid_sample_nearest": lambda x: F.grid_sample(
            x, torch.zeros(len(x), 3, 5, 2), mode="nearest", align_corners=False
        ),
        "F.grid_sample_bicubic": lambda x: F.grid_sample(
            x, torch.zeros(len(x), 3, 5, 2), mode="bicubic", align_corners=False
        ),
        "F.avg_pool1d": lambda x: F.avg_pool1d(x.flatten(2), 2),
        "F.max_pool1d": lambda x: F.max_pool1d(x.flatten(2), 2),
        "F.adaptive_avg_pool1d": lambda x: F.adaptive_avg_pool1d(x.flatten(2), 2),
        "F.interpolate": lambda x: F.interpolate(x, scale_factor=2),
        "F.interpolate_size": lambda x: F.interpolate(x, size=(11, 13)),
        "F.interpolate_bilinear": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
        "F.interpolate_bilinear_size": lambda x: F.interpolate(x, (11, 13), mode="bilinear"),
        "F.interpolate_bicubic": lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"),
    }
)
PRODUCTS = {
    **_held("F.conv2d", lambda x, w, b: F.conv2d(x, w, b), lambda s: (6, s.c, 3, 3)),
    **_held("F.linear", lambda x, w, b: F.linear(x, w, b), lambda s: (6, s.c), "flat"),
    "F.linear_3d": Probe(lambda s: Held(lambda x, w, b: F.linear(x, w, b), (5, s.c), 5), "rows"),
    "F.linear_vector": Probe(lambda s: Held(lambda x, w, _: F.linear(x, w), (s.c,)), "rows"),
    "torch._grouped_mm": Probe(
        lambda s: Held(
            lambda x, w, _: torch._grouped_mm(x, w, offs=torch.tensor([1, len(x)], dtype=torch.int32)),
            (2, s.c, 8),
        ),
        "flat",
    ),
    "F.conv2d_same_uneven": Probe(
        lambda s: Held(lambda x, w, b: F.conv2d(x, w, b, padding="same"), (5, s.c, 2, 2), 5)
    ),
    "F.conv1d": Probe(lambda s: Held(lambda x, w, b: F.conv1d(x, w, b), (5, s.c, 3), 5), "line"),
    "torch.conv2d": Probe(lambda s: Held(lambda x, w, b: torch.conv2d(x, w, b), (5, s.c, 3, 3), 5)),
    "F.conv_transpose2d": Probe(
        lambda s: Held(lambda x, w, b: F.conv_transpose2d(x, w, b), (s.c, 5, 3, 3), 5)
    ),
    "x@weight": Probe(lambda s: Held(lambda x, w, _: x @ w, (s.c, 5)), "flat"),
    "x*weight": Probe(lambda s: Held(lambda x, w, _: x * w, (s.c,)), "rows"),
    "F.prelu": Probe(lambda s: Held(lambda x, w, _: F.prelu(x, w), (s.c,))),
    "F.embedding": Probe(lambda s: Held(lambda x, w, _: F.embedding(x, w), (50, s.c)), "tokens"),
    **calls(
        {
            "torch.matmul_3d": lambda x, y: torch.matmul(x, y),
            "x.matmul_3d": lambda x, y: x.matmul(y),
            "x.baddbmm": lambda x, y: torch.zeros(x.shape[0], x.shape[1], y.shape[2]).baddbmm(x, y),
            "torch.bmm": lambda x, y: torch.bmm(x, y),
            "x.bmm": lambda x, y: x.bmm(y),
            "torch.einsum": lambda x, y: torch.einsum("bij,bjk->bik", x, y),
        },
        "rows line",
    ),
    **calls(
        {
            "torch.addbmm": lambda x, y: torch.addbmm(x[:, :1], x[None], y[None]),
            "torch.multi_dot": lambda x, y: torch.linalg.multi_dot([x, y, y.t()]),
            "torch.matmul_vector": lambda x, y: torch.matmul(x, y[:, 0]),
            "x.matmul_vector": lambda x, y: x.matmul(y[:, 0]),
            "torch.vector_matmul": lambda x, y: torch.matmul(x[0], y),
            "x@vector": lambda x, y: x @ y[:, 0],
            "torch.mv": lambda x, y: torch.mv(x, y[:, 0]),
            "torch.dot": lambda x, y: torch.dot(x[0], y[:, 0]),
            "torch.chain_matmul": _chained,
            "torch.inner": lambda x, y: torch.inner(x, y.t()),
            "torch.tensordot": lambda x, y: torch.tensordot(x, y, 1),
            "aten.mm": lambda x, y: torch.ops.aten.mm(x, y),
            "torch.addr": lambda x, y: torch.addr(torch.zeros(len(x), y.shape[1]), x[:, 0], y[0]),
            "torch.linalg.vecdot": lambda x, y: torch.linalg.vecdot(x, y.t()[:1]),
            "torch._int_mm": lambda x, y: torch._int_mm(x.to(torch.int8), y.to(torch.int8)),
            "torch.addmv": lambda x, y: torch.addmv(x[:, 0], x, y[:, 0]),
            "x.addmm": lambda x, y: x[:, :1].addmm(x, y),
            "torch.mm": lambda x, y: torch.mm(x, y),
            "x.mm": lambda x, y: x.mm(y),
            "torch.matmul_2d": lambda x, y: torch.matmul(x, y),
            "torch.addmm": lambda x, y: torch.addmm(x[:1, :1], x, y),
            "torch.einsum_2d": lambda x, y: torch.einsum("ij,jk->ik", x, y),
        },
        "tall tall_t",
    ),
    "torch.matmul_broadcast": Probe(lambda s: Held(lambda x, w, _: torch.matmul(x, w), (s.c, 5)), "rows"),
    **calls(
        {"torch.matmul_4d": lambda x, y: torch.matmul(x, y), "x.matmul_4d": lambda x, y: x.matmul(y)},
        "heads heads_t",
    ),
    "torch.addmm_whole": called(lambda x, y, z: torch.addmm(x, y, z), "square tall tall_t"),
    "torch.baddbmm": called(lambda x, y, z: torch.baddbmm(x, y, z), "squares rows line"),
    "torch.einsum_large": called(lambda x, y: torch.einsum("bhid,bhjd->bhij", x, y), "large large"),
    "F.scaled_dot_product_attention": called(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v), "heads heads heads"
    ),
    "aten.scaled_dot_product_attention": called(
        lambda q, k, v: torch.ops.aten.scaled_dot_product_attention(q, k, v), "heads heads heads"
    ),
    "aten.linear": Probe(lambda s: Held(lambda x, w, b: torch.ops.aten.linear(x, w, b), (6, s.c), 6), "flat"),
    "aten.conv2d": Probe(lambda s: Held(lambda x, w, b: torch.ops.aten.conv2d(x, w, b), (5, s.c, 3, 3), 5)),
    "aten.conv_transpose2d": Probe(
        lambda s: Held(lambda x, w, b: torch.ops.aten.conv_transpose2d(x, w, b), (s.c, 5, 3, 3), 5)
    ),
    "torch.conv_tbc": Probe(lambda s: Held(lambda x, w, b: torch.conv_tbc(x, w, b), (1, s.c, 5), 5), "rows"),
    "attention_by_hand": called(
        lambda q, k, v: torch.matmul(F.softmax(torch.matmul(q, k.transpose(-2, -1)) / 2, -1), v),
        "heads heads heads",
    ),
}
ASKED = ACTIVATIONS | NORMALIZATION | POOLING | PRODUCTS
