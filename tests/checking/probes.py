"""Probes: small modules, for each layer of torch.nn and each of its settings that a tool may look at."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

Inputs = tuple[Tensor, ...]


class Size(NamedTuple):
    """What a probe is made at: batch, channels (a multiple of 4), height and width."""

    n: int
    c: int
    h: int
    w: int

    def inputs(self, names: str) -> Inputs:
        """Inputs by what they are called."""
        n, c, h, w = self
        sizes = {
            "map": (n, c, h, w),
            "gates": (n, c, 1, 1),
            "channels": (c, 1, 1),
            "one": (n, 1, h, w),
            "rows": (n, h, c),
            "grid": (n, h, w, c),
            "line": (n, c, h),
            "box": (n, c, 4, h, w),
            "flat": (n, c),
            "four": (n, 4, h, w),
            "others": (n, 5, c),
            "narrow": (n, 5, 4),
            "fours": (n, h, 4),
            "tall": (c, h),
            "tall_t": (h, 6),
            "heads": (n, 2, h, c),
            "heads_t": (n, 2, c, w),
            "large": (n, 12, 53, c + 1),
            "square": (c, 6),
            "squares": (n, h, h),
        }
        tokens = {"tokens": (n, h)}
        return tuple(
            torch.randint(7, tokens[name]) if name in tokens else torch.rand(sizes[name]) + 0.1
            for name in names.split()
        )


SIZES = (Size(1, 8, 7, 9), Size(2, 12, 10, 6), Size(2, 8, 7, 9))


class Probe(NamedTuple):
    """A module for a size, and what it is called with."""

    make: Callable[[Size], nn.Module]
    inputs: str = "map"


class MyConv(nn.Conv2d):
    """A class derived from a layer."""


class Filter(nn.Conv2d):
    """Another, whose name does not say what it is."""


class Opening(nn.ConvTranspose2d):
    """And one that is transposed."""


class Attending(nn.Module):
    """Self-attention by torch's module."""

    def __init__(self, width: int, weighing: bool, **settings: Any) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, **settings)
        self.weighing = weighing

    def forward(self, x: Tensor) -> Tensor:
        attended: Tensor = self.attention(x, x, x, need_weights=self.weighing)[0]
        return attended


class Crossing(nn.Module):
    """Attention of one sequence to another, of other length and width."""

    def __init__(self, width: int, other: int, weighing: bool, **settings: Any) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, kdim=other, vdim=other, batch_first=True, **settings)
        self.weighing = weighing

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        attended: Tensor = self.attention(x, y, y, need_weights=self.weighing)[0]
        return attended


class Turned(nn.Module):
    """A linear layer along the channels of a sequence that is not contiguous."""

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, features)

    def forward(self, x: Tensor) -> Any:
        return self.linear(x.transpose(1, 2))


def _both(name: str, make: Callable[..., nn.Module], inputs: str = "map") -> dict[str, Probe]:
    """With and without a bias."""

    def made(s: Size, bias: bool) -> nn.Module:
        return make(s, bias=bias)

    return {f"{name}{'_bias' * bias}": Probe(partial(made, bias=bias), inputs) for bias in (False, True)}


def _each(layers: Mapping[str, Callable[[Size], nn.Module]], inputs: str = "map") -> dict[str, Probe]:
    return {f"nn.{name}": Probe(make, inputs) for name, make in layers.items()}


def _plain(layer: Callable[[], nn.Module], _: Size) -> nn.Module:
    return layer()


CONVOLUTIONS = {
    **_both("nn.Conv2d", lambda s, **b: nn.Conv2d(s.c, 6, 3, padding=1, **b)),
    **_both("nn.Conv2d_stride", lambda s, **b: nn.Conv2d(s.c, 6, (3, 2), stride=2, **b)),
    **_both("nn.Conv2d_dilation", lambda s, **b: nn.Conv2d(s.c, 6, 3, padding=2, dilation=2, **b)),
    **_both("nn.Conv2d_groups", lambda s, **b: nn.Conv2d(s.c, 6, 3, groups=2, **b)),
    **_both("nn.Conv2d_depthwise", lambda s, **b: nn.Conv2d(s.c, s.c, 3, groups=s.c, **b)),
    **_both("nn.Conv2d_multiplied", lambda s, **b: nn.Conv2d(s.c, 2 * s.c, 3, groups=s.c, **b)),
    **_both("nn.Conv2d_valid", lambda s, **b: nn.Conv2d(s.c, 6, 3, padding="valid", **b)),
    **_both("nn.Conv2d_same", lambda s, **b: nn.Conv2d(s.c, 6, 3, padding="same", **b)),
    **_both("nn.Conv2d_same_uneven", lambda s, **b: nn.Conv2d(s.c, 6, 4, padding="same", **b)),
    **_both("nn.Conv2d_same_half", lambda s, **b: nn.Conv2d(s.c, 6, (3, 2), padding="same", **b)),
    **_both("nn.Conv2d_same_dilation", lambda s, **b: nn.Conv2d(s.c, 6, 2, padding="same", dilation=2, **b)),
    **_both("nn.Conv2d_same_groups", lambda s, **b: nn.Conv2d(s.c, 6, 2, padding="same", groups=2, **b)),
    **_both(
        "nn.Conv2d_circular", lambda s, **b: nn.Conv2d(s.c, 6, 3, padding=1, padding_mode="circular", **b)
    ),
    **_both("nn.Conv1d", lambda s, **b: nn.Conv1d(s.c, 6, 3, padding=1, **b), "line"),
    **_both("nn.Conv1d_same_uneven", lambda s, **b: nn.Conv1d(s.c, 6, 4, padding="same", **b), "line"),
    **_both("nn.Conv3d", lambda s, **b: nn.Conv3d(s.c, 6, 3, padding=1, **b), "box"),
    **_both("nn.ConvTranspose1d", lambda s, **b: nn.ConvTranspose1d(s.c, 6, 3, stride=2, **b), "line"),
    **_both("nn.ConvTranspose2d", lambda s, **b: nn.ConvTranspose2d(s.c, 6, 3, stride=2, **b)),
    **_both(
        "nn.ConvTranspose2d_padding",
        lambda s, **b: nn.ConvTranspose2d(s.c, 6, 3, stride=2, padding=1, output_padding=1, **b),
    ),
    **_both("nn.ConvTranspose2d_groups", lambda s, **b: nn.ConvTranspose2d(s.c, 6, 3, groups=2, **b)),
    **_both("nn.ConvTranspose2d_depthwise", lambda s, **b: nn.ConvTranspose2d(s.c, s.c, 3, groups=s.c, **b)),
    **_both("nn.ConvTranspose3d", lambda s, **b: nn.ConvTranspose3d(s.c, 6, 2, stride=2, **b), "box"),
    "subclass_conv_transposed": Probe(lambda s: Opening(s.c, 6, 3)),
    "subclass_conv": Probe(lambda s: MyConv(s.c, 6, 3)),
    "subclass_conv_by_another_name": Probe(lambda s: Filter(s.c, 6, 3)),
}
PRODUCTS = {
    **_both("nn.Linear_2d", lambda s, **b: nn.Linear(s.c, 5, **b), "flat"),
    **_both("nn.Linear_3d", lambda s, **b: nn.Linear(s.c, 5, **b), "rows"),
    **_both("nn.Linear_4d", lambda s, **b: nn.Linear(s.c, 5, **b), "grid"),
    "nn.Linear_turned": Probe(lambda s: Turned(s.c, 5), "line"),
    "nn.Bilinear": Probe(lambda s: nn.Bilinear(s.c, s.c, 5), "flat flat"),
    "nn.Embedding": Probe(lambda s: nn.Embedding(50, s.c), "tokens"),
    "nn.EmbeddingBag": Probe(lambda s: nn.EmbeddingBag(50, s.c), "tokens"),
    "nn.MultiheadAttention": Probe(lambda s: Attending(s.c, False, batch_first=True), "rows"),
    "nn.MultiheadAttention_bare": Probe(
        lambda s: Attending(s.c, False, batch_first=True, bias=False), "rows"
    ),
    "nn.MultiheadAttention_weights": Probe(lambda s: Attending(s.c, True, batch_first=True), "rows"),
    "nn.MultiheadAttention_steps_first": Probe(lambda s: Attending(s.c, False), "rows"),
    "nn.MultiheadAttention_cross": Probe(lambda s: Crossing(s.c, s.c, False), "rows others"),
    "nn.MultiheadAttention_cross_weights": Probe(lambda s: Crossing(s.c, s.c, True), "rows others"),
    "nn.MultiheadAttention_narrow": Probe(lambda s: Crossing(s.c, 4, False), "rows narrow"),
    "nn.MultiheadAttention_padded": Probe(
        lambda s: Attending(s.c, False, batch_first=True, add_bias_kv=True, add_zero_attn=True), "rows"
    ),
    "nn.TransformerDecoderLayer": Probe(
        lambda s: nn.TransformerDecoderLayer(s.c, 2, 3 * s.c, batch_first=True), "rows others"
    ),
    "nn.TransformerEncoderLayer": Probe(
        lambda s: nn.TransformerEncoderLayer(s.c, 2, 3 * s.c, batch_first=True), "rows"
    ),
}
NORMALIZATION = {
    "nn.BatchNorm1d": Probe(lambda s: nn.BatchNorm1d(s.c), "line"),
    "nn.BatchNorm3d": Probe(lambda s: nn.BatchNorm3d(s.c), "box"),
    "nn.InstanceNorm1d": Probe(lambda s: nn.InstanceNorm1d(s.c, affine=True), "line"),
    "nn.LayerNorm": Probe(lambda s: nn.LayerNorm(s.c), "rows"),
    "nn.LayerNorm_no_bias": Probe(lambda s: nn.LayerNorm(s.c, bias=False), "rows"),
    "nn.LayerNorm_no_affine": Probe(lambda s: nn.LayerNorm(s.c, elementwise_affine=False), "rows"),
    "nn.LayerNorm_grid": Probe(lambda s: nn.LayerNorm([s.h, s.w])),
    "nn.RMSNorm": Probe(lambda s: nn.RMSNorm(s.c), "rows"),
    **_each(
        {
            "BatchNorm2d": lambda s: nn.BatchNorm2d(s.c),
            "BatchNorm2d_no_affine": lambda s: nn.BatchNorm2d(s.c, affine=False),
            "BatchNorm2d_no_statistics": lambda s: nn.BatchNorm2d(s.c, track_running_stats=False),
            "GroupNorm": lambda s: nn.GroupNorm(2, s.c),
            "GroupNorm_no_affine": lambda s: nn.GroupNorm(2, s.c, affine=False),
            "InstanceNorm2d": lambda s: nn.InstanceNorm2d(s.c),
            "InstanceNorm2d_affine": lambda s: nn.InstanceNorm2d(s.c, affine=True),
            "LocalResponseNorm": lambda _: nn.LocalResponseNorm(5),
        }
    ),
}
BARE = (
    nn.CELU,
    nn.ELU,
    nn.GELU,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Hardtanh,
    nn.LeakyReLU,
    nn.LogSigmoid,
    nn.Mish,
    nn.PReLU,
    nn.ReLU,
    nn.ReLU6,
    nn.SELU,
    nn.SiLU,
    nn.Sigmoid,
    nn.Softplus,
    nn.Softsign,
    nn.Tanh,
    nn.Tanhshrink,
    nn.Softmax2d,
    nn.Identity,
    nn.Flatten,
    nn.Dropout,
)
ACTIVATIONS = {
    **_each({layer.__name__: partial(_plain, layer) for layer in BARE}),
    "nn.ReLU_inplace": Probe(lambda _: nn.Sequential(nn.Identity(), nn.ReLU(inplace=True))),
    "nn.PReLU_channels": Probe(lambda s: nn.PReLU(s.c)),
    "nn.GLU": Probe(lambda _: nn.GLU(1)),
    "nn.Softmax": Probe(lambda _: nn.Softmax(1)),
    "nn.Softmax_rows": Probe(lambda _: nn.Softmax(-1), "rows"),
    "nn.LogSoftmax": Probe(lambda _: nn.LogSoftmax(1)),
    "nn.PixelShuffle": Probe(lambda _: nn.PixelShuffle(2)),
    "nn.ZeroPad2d": Probe(lambda _: nn.ZeroPad2d(1)),
}
POOLING = {
    **_each(
        {
            "MaxPool2d": lambda _: nn.MaxPool2d(3, 2, 1),
            "AvgPool2d": lambda _: nn.AvgPool2d(3, 2, 1),
            "AvgPool2d_without_padding": lambda _: nn.AvgPool2d(3, 2, 1, count_include_pad=False),
            "AvgPool2d_ceil": lambda _: nn.AvgPool2d(2, 2, ceil_mode=True),
            "AvgPool2d_one": lambda _: nn.AvgPool2d(3, 1, 1),
            "AdaptiveAvgPool2d": lambda _: nn.AdaptiveAvgPool2d(1),
            "AdaptiveAvgPool2d_odd": lambda _: nn.AdaptiveAvgPool2d((3, 5)),
            "AdaptiveMaxPool2d": lambda _: nn.AdaptiveMaxPool2d(1),
            "Upsample": lambda _: nn.Upsample(scale_factor=2),
            "Upsample_size": lambda _: nn.Upsample(size=(11, 13)),
            "Upsample_bilinear": lambda _: nn.Upsample(scale_factor=2, mode="bilinear"),
            "Upsample_bicubic": lambda _: nn.Upsample(scale_factor=2, mode="bicubic"),
        }
    ),
    **_each(
        {
            "MaxPool1d": lambda _: nn.MaxPool1d(2),
            "AvgPool1d": lambda _: nn.AvgPool1d(2),
            "AdaptiveAvgPool1d": lambda _: nn.AdaptiveAvgPool1d(3),
            "Upsample_line": lambda _: nn.Upsample(scale_factor=2),
            "Upsample_linear": lambda _: nn.Upsample(scale_factor=2, mode="linear"),
        },
        "line",
    ),
    **_each(
        {
            "MaxPool3d": lambda _: nn.MaxPool3d(2),
            "AvgPool3d": lambda _: nn.AvgPool3d(2),
            "AdaptiveAvgPool3d": lambda _: nn.AdaptiveAvgPool3d(1),
            "Upsample_box": lambda _: nn.Upsample(scale_factor=2),
            "Upsample_trilinear": lambda _: nn.Upsample(scale_factor=2, mode="trilinear"),
        },
        "box",
    ),
}
