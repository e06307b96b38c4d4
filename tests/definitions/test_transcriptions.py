"""The networks of the lineage against transcriptions of their publications' tables."""

from typing import Any

import pytest

import costlab
from costlab.algebra import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    BatchNorm2d,
    Block,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    PReLU,
    ReLU,
    add,
    concat,
    seq,
)
from costlab.counting.count import count
from tests.definitions.notation import module, outline, with_bias

# Transcriptions. 1x1 | 3x3 reduce, 3x3 | 5x5 reduce, 5x5 | projection after the pooling
GOOGLENET = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
# a; b0, b1; c0, c1; pooling, projection. Those of TF-slim; Caffe's are called 3a to 5b, and project to 128
# in the last two of the 14x14 grid.
MODULE = "1x1 {} | 1x1 {}, 3x3 {} | 1x1 {}, 3x3 {c}, 3x3 {c} | {pool}3/1, 1x1 {}"
REDUCTION = "1x1 {}, 3x3/2 {} | 1x1 {}, 3x3 {c}, 3x3/2 {c} | MP3/2"
INCEPTION_V2 = {
    "3b": MODULE.format(64, 64, 64, 64, 32, c=96, pool="AP"),
    "3c": MODULE.format(64, 64, 96, 64, 64, c=96, pool="AP"),
    "4a": REDUCTION.format(128, 160, 64, c=96),
    "4b": MODULE.format(224, 64, 96, 96, 128, c=128, pool="AP"),
    "4c": MODULE.format(192, 96, 128, 96, 128, c=128, pool="AP"),
    "4d": MODULE.format(160, 128, 160, 128, 96, c=160, pool="AP"),
    "4e": MODULE.format(96, 128, 192, 160, 96, c=192, pool="AP"),
    "5a": REDUCTION.format(128, 192, 192, c=256),
    "5b": MODULE.format(352, 192, 320, 160, 128, c=224, pool="AP"),
    "5c": MODULE.format(352, 192, 320, 192, 128, c=224, pool="MP"),
}
CAFFE = ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b")


def parts(name: str, **settings: Any) -> dict[str, Block]:
    network: Any = costlab.catalog()[name](**settings)
    return dict(network.children)


def rounded_up(kernel: int, stride: int) -> Block:
    return MaxPool2d(kernel, stride, ceil_mode=True)


def padded(kernel: int, stride: int) -> Block:
    return MaxPool2d(kernel, stride, padding=1)


def test_googlenet_as_transcribed() -> None:
    found = parts("googlenet")
    norm = LocalResponseNorm(5, 1e-4, 0.75, 1.0)
    wanted: dict[str, Block] = {}
    for name, widths in GOOGLENET.items():
        branches = "1x1 {} | 1x1 {}, 3x3 {} | 1x1 {}, 5x5 {} | MP3/1, 1x1 {}".format(*widths)
        wanted[f"inception_{name}"] = module(branches, with_bias)
    pool = rounded_up(3, 2)
    whole = seq(
        seq(module("7x7/2 64", with_bias), pool, norm),
        seq(module("1x1 64, 3x3 192", with_bias), norm, pool),
        *(wanted[f"inception_{name}"] for name in ("3a", "3b")),
        pool,
        *(wanted[f"inception_{name}"] for name in ("4a", "4b", "4c", "4d", "4e")),
        pool,
        *(wanted[f"inception_{name}"] for name in ("5a", "5b")),
        seq(AdaptiveAvgPool2d(1), Dropout(0.4), Flatten(), Linear(1000)),
    )
    assert outline(seq(*found.values())) == outline(whole)
    assert [name for name in found if name.startswith("inception")] == list(wanted)


def bn_style(norm: BatchNorm2d, bias: bool) -> Any:
    def style(filters: int, kernel: tuple[int, int], stride: int, padding: tuple[int, int]) -> Block:
        return seq(Conv2d(filters, kernel, stride, padding, bias=bias), norm, ReLU())

    return style


def test_inception_v2_as_transcribed() -> None:
    found = parts("inception_v2")
    style = bn_style(BatchNorm2d(scale=False, eps=1e-3), bias=False)
    first = seq(
        Conv2d(24, 7, 2, 3, groups=3, bias=False), style(64, (1, 1), 1, (0, 0)), module("MP3/2", pool=padded)
    )
    whole = seq(
        first,
        module("1x1 64, 3x3 192, MP3/2", style, padded),
        *(module(text, style, padded) for text in INCEPTION_V2.values()),
        seq(AdaptiveAvgPool2d(1), Dropout(0.2), Conv2d(1000, 1), Flatten()),
    )
    assert outline(seq(*found.values())) == outline(whole)
    assert [name for name in found if "_" in name and name[-1] in "abc"][:2] == [
        "inception_3b",
        "inception_3c",
    ]


def test_bn_inception_as_transcribed() -> None:
    found = parts("bn_inception")
    style = bn_style(BatchNorm2d(eps=1e-3), bias=True)
    caffe = dict(zip(CAFFE, INCEPTION_V2.values(), strict=True))
    caffe["4c"], caffe["4d"] = (
        text.replace("AP3/1, 1x1 96", "AP3/1, 1x1 128") for text in (caffe["4c"], caffe["4d"])
    )
    whole = seq(
        module("7x7/2 64, MP3/2, 1x1 64, 3x3 192, MP3/2", style, padded),
        *(module(text, style, padded) for text in caffe.values()),
        seq(AdaptiveAvgPool2d(1), Dropout(0.2), Flatten(), Linear(1000)),
    )
    assert outline(seq(*found.values())) == outline(whole)
    outputs = {row.path: row.output for row in count("bn_inception").modules(1)}
    assert outputs["inception_4d"] == (608, 14, 14)
    assert outputs["inception_4e"] == (1056, 7, 7)


# AlexNet and VGG: "dropout in the first two fully-connected layers".
HEAD = seq(Linear(4096), ReLU(), Dropout(), Linear(4096), ReLU(), Dropout(), Linear(1000))
# torchvision's single tower has it before them.
TOWER = seq(Dropout(), Linear(4096), ReLU(), Dropout(), Linear(4096), ReLU(), Linear(1000))


@pytest.mark.parametrize(("name", "repeats"), [("vgg16", (2, 2, 3, 3, 3)), ("vgg19", (2, 2, 4, 4, 4))])
def test_vgg_as_transcribed(name: str, repeats: tuple[int, ...]) -> None:
    stages = (
        ", ".join([*[f"3x3 {filters}"] * times, "MP2/2"])
        for filters, times in zip((64, 128, 256, 512, 512), repeats, strict=True)
    )
    whole = seq(module(", ".join(stages), with_bias), Flatten(), HEAD)
    assert outline(seq(*parts(name).values())) == outline(whole)


def test_alexnet_as_transcribed() -> None:
    norm = LocalResponseNorm(5, 1e-4, 0.75, 2.0)

    def grouped(filters: int, size: int) -> Block:
        return seq(Conv2d(filters, size, 1, size // 2, groups=2), ReLU())

    whole = seq(
        seq(Conv2d(96, 11, 4), ReLU(), norm, MaxPool2d(3, 2)),
        seq(grouped(256, 5), norm, MaxPool2d(3, 2)),
        seq(module("3x3 384", with_bias), grouped(384, 3), grouped(256, 3), MaxPool2d(3, 2)),
        seq(Flatten(), HEAD),
    )
    assert outline(seq(*parts("alexnet").values())) == outline(whole)
    tower = seq(
        seq(Conv2d(64, 11, 4, 2), ReLU(), MaxPool2d(3, 2)),
        module("5x5 192, MP3/2, 3x3 384, 3x3 256, 3x3 256, MP3/2", with_bias),
        seq(AdaptiveAvgPool2d(6), Flatten(), TOWER),
    )
    assert outline(seq(*parts("alexnet_one_tower").values())) == outline(tower)


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("prelu_net_a", [(256, 5), (512, 5), (512, 5)]),
        ("prelu_net_b", [(256, 6), (512, 6), (512, 6)]),
        ("prelu_net_c", [(384, 6), (768, 6), (896, 6)]),
    ],
)
def test_prelu_nets_as_transcribed(name: str, stages: list[tuple[int, int]]) -> None:
    def style(filters: int, kernel: tuple[int, int], stride: int, padding: tuple[int, int]) -> Block:
        return seq(Conv2d(filters, kernel, stride, padding), PReLU(per_channel=True))

    chain = ", MP2/2, ".join(["7x7/2 96", *(", ".join([f"3x3 {f}"] * times) for f, times in stages)])
    pyramid = concat(*(seq(AdaptiveMaxPool2d(bins), Flatten()) for bins in (7, 3, 2, 1)))
    whole = seq(module(chain, style), pyramid, HEAD)
    assert outline(seq(*parts(name).values())) == outline(whole)


@pytest.mark.parametrize("strided", ["3x3", "1x1"])
def test_resnet_50_as_transcribed(strided: str) -> None:
    def conv(filters: int, size: int, stride: int = 1) -> Block:
        return seq(Conv2d(filters, size, stride, size // 2, bias=False), BatchNorm2d())

    def bottleneck(width: int, stride: int, project: bool) -> Block:
        first, second = (1, stride) if strided == "3x3" else (stride, 1)
        body = seq(conv(width, 1, first), ReLU(), conv(width, 3, second), ReLU(), conv(4 * width, 1))
        return seq(add(conv(4 * width, 1, stride) if project else seq(), body), ReLU())

    blocks = [
        bottleneck(width, 2 if i == 0 and width > 64 else 1, project=i == 0)
        for width, times in ((64, 3), (128, 4), (256, 6), (512, 3))
        for i in range(times)
    ]
    head = seq(AdaptiveAvgPool2d(1), Flatten(), Linear(1000))
    whole = seq(seq(conv(64, 7, 2), ReLU(), MaxPool2d(3, 2, 1)), *blocks, head)
    assert outline(seq(*parts("resnet50", strided=strided).values())) == outline(whole)
